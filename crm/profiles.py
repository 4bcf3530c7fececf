"""Session key to profile, and profile to the attributes of a guest by the stored mappings."""

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import category

from django.conf import settings
from django.db import Error, connection

from crm.conversion import Scalar, convert
from crm.models import AttributeMapping

# The statement itself, because every init comes by here: the ORM took 6 % of an init to build it.
_FIND = (
    "SELECT email, first_name, tier, previous_tickets, attributes FROM crm_crmrecord"
    " WHERE session_hash = %s"
)
# An edited mapping is live everywhere within a second; in the process that made it, at once.
_FRESH_SECONDS = 0.5
# Unicode categories: spaces, line ends, controls, formatting characters.
_BLANK = ("Zs", "Zl", "Zp", "Cc", "Cf")
# Letters and signs that show nothing: Hangul's fillers, the empty Braille pattern; selectors.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u2800\u3164\ufe00-\ufe0f\uffa0]")
_kept: tuple[float, Sequence[AttributeMapping]] | None = None  # until when, on the monotonic clock


class LookupFailed(Exception):
    """The CRM could not be asked. Who the visitor is stays open: that is not an unknown visitor."""


@dataclass(frozen=True)
class Profile:
    """What the CRM says of a visitor; the personal fields stay out of logs and tracebacks."""

    email: str = field(repr=False)
    first_name: str = field(repr=False)
    tier: str = field(repr=False)
    previous_tickets: int = field(repr=False)
    further: Mapping[str, Scalar] = field(repr=False)
    known: bool


def find_profile(*, session_hash: str) -> Profile:
    """Return the profile stored under a key from `crm.sessions`, or a fallback when there is none.

    Raises LookupFailed where the database could not answer.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(_FIND, [session_hash])
            row = cursor.fetchone()
    except Error as exc:
        raise LookupFailed("the CRM records could not be read") from exc
    if row is None:
        return unknown_profile(pseudonym=session_hash[:8])
    email, first_name, tier, previous_tickets, further = row
    name = first_name if _is_name(first_name) else ""
    return Profile(email, name, tier, previous_tickets, json.loads(further), known=True)


def unknown_profile(*, pseudonym: str) -> Profile:
    """Return what the platform is told of a visitor whom the CRM does not know."""
    address = f"visitor_{pseudonym}@{settings.GUEST_EMAIL_DOMAIN}"
    return Profile(address, "Guest", "Unknown", previous_tickets=0, further={}, known=False)


def guest_attributes(*, profile: Profile) -> dict[str, Scalar]:
    """Return the attributes that the stored mappings make of `profile`.

    Raises LookupFailed where the database could not answer.
    """
    try:
        mappings = _current_mappings()
    except Error as exc:
        raise LookupFailed("the attribute mappings could not be read") from exc
    return map_attributes(profile=profile, mappings=mappings)


def map_attributes(*, profile: Profile, mappings: Iterable[AttributeMapping]) -> dict[str, Scalar]:
    """Return target name and value for each enabled mapping, in the given order; reads no database.

    A source that is missing, empty or not of the mapping's type gives the mapping's default; where
    there is none the attribute is left out, so that one odd cell never costs a visitor their chat.
    """
    attributes: dict[str, Scalar] = {}
    for mapping in mappings:
        if mapping.enabled:
            value = _converted(mapping, _source_value(profile, mapping))
            if value is not None:
                attributes[mapping.target] = value
    return attributes


def forget_mappings() -> None:
    """Read the mappings anew at their next use."""
    global _kept
    _kept = None


def _is_name(text: str) -> bool:
    """Tell whether anything of `text` can be seen: blanks are no name."""
    return any(category(character) not in _BLANK for character in _UNSEEN.sub("", text))


def _current_mappings() -> Sequence[AttributeMapping]:
    """Return all mappings in their order. Raises django.db.Error."""
    global _kept
    now = time.monotonic()
    if _kept is None or now >= _kept[0]:
        _kept = (now + _FRESH_SECONDS, tuple(AttributeMapping.objects.all()))
    return _kept[1]


def _source_value(profile: Profile, mapping: AttributeMapping) -> Scalar | None:
    if mapping.source_kind == AttributeMapping.SourceKind.CONSTANT:
        return mapping.source
    if mapping.source_kind == AttributeMapping.SourceKind.ATTRIBUTE:
        return profile.further.get(mapping.source)
    fields: dict[str, Scalar] = {
        "email": profile.email,
        "first_name": profile.first_name,
        "tier": profile.tier,
        "previous_tickets": profile.previous_tickets,
    }
    return fields[mapping.source]


def _converted(mapping: AttributeMapping, value: Scalar | None) -> Scalar | None:
    converted = None if value is None else convert(value=value, to=mapping.value_type)
    if converted is None and mapping.default:
        return convert(value=mapping.default, to=mapping.value_type)
    return converted

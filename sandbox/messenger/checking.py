"""What is wrong with a contact, an identifier or an enrich that a client sends.

Lengths and kinds are the vendor's; that a wrong one is 400 is ours (its documents allow 422 too).
Other fields than these are ignored.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.messenger.combining import MAX_IDS, are_rules
from sandbox.messenger.contacts import EMAILS, PHONES, Claim
from sandbox.messenger.fields import takes
from sandbox.messenger.schemas import Schemas
from sandbox.messenger.sources import ExternalSources

TYPES = (
    *("SocialLine", "SocialFacebook", "SocialTwitter", "SocialWhatsapp", "SocialWhatsappBsuid"),
    *("SocialInstagram", "SocialInstagramHandle", "AppleOpaqueId", "Email", "Phone", "Cookie"),
    "ExternalId",
)
_TEXTS = ("firstName", "middleName", "lastName", "salutation", "title", "externalSystemUrl")
_OBJECTS = (*PHONES, "address", "schema", "customFields")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FIELDS = {*_TEXTS, *EMAILS, *_OBJECTS, "externalIds", "surveyOptOut"}


class Checks:
    """The rules, with what the organisation has."""

    def __init__(self, *, sources: ExternalSources, schemas: Schemas) -> None:
        self._sources = sources
        self._schemas = schemas

    def enrich(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Return the fields of an enrich at fault, each with its error code."""
        return dict.fromkeys(self._enrich_faults(body), "invalid")

    def identifier(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Return the fields of an identifier at fault, each with its error code."""
        return dict.fromkeys(self._identifier_faults(body), "invalid")

    def override(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """Return the fields of a contact at fault, each with its error code."""
        return dict.fromkeys(self._contact_faults(fields), "invalid")

    def _enrich_faults(self, body: Mapping[str, Any]) -> Iterator[str]:
        identifiers = body.get("matchingIdentifiers")
        if not isinstance(identifiers, list) or not 1 <= len(identifiers) <= 25:
            yield "matchingIdentifiers"
        else:
            for number, identifier in enumerate(identifiers):
                for name in self._identifier_faults(identifier):
                    yield f"matchingIdentifiers[{number}].{name}"
        if body.get("action") not in ("Merge", "Upsert", "Update", "Insert"):
            yield "action"
        if not are_rules(body.get("fieldRules") or {}):
            yield "fieldRules"
        if not isinstance(body.get("options") or {}, dict):
            yield "options"
        if not isinstance(contact := body.get("contact"), dict):
            yield "contact"
        else:
            yield from (f"contact.{name}" for name in self._contact_faults(contact))

    def _identifier_faults(self, identifier: object) -> Iterator[str]:
        if not isinstance(identifier, dict):
            yield "type"
            return
        if identifier.get("type") not in TYPES:
            yield "type"
        if not _is_text(identifier.get("value"), 255):
            yield "value"
        if identifier.get("type") == "ExternalId" and not self._is_source(identifier):
            yield "externalSource.id"

    def _contact_faults(self, contact: Mapping[str, Any]) -> Iterator[str]:
        for name, value in written(contact).items():
            if not self._is_good(name, value):
                yield name
        if contact.get("type") not in (None, "Ephemeral", "Identified", "Curated"):
            yield "type"
        yield from self._custom_faults(contact)

    def _is_good(self, name: str, value: Any) -> bool:
        if name in _TEXTS:
            return _is_text(value, 1000)
        if name in EMAILS:
            return _is_text(value, 256) and bool(_ADDRESS.fullmatch(value))
        if name in _OBJECTS:
            return isinstance(value, dict) and isinstance(value.get("e164", ""), str)
        if name == "surveyOptOut":
            return isinstance(value, bool)
        return isinstance(value, list) and len(value) <= MAX_IDS and all(map(self._is_id, value))

    def _is_id(self, known: Any) -> bool:
        """Tell whether this is one of `externalIds`."""
        is_object = isinstance(known, dict) and _is_text(known.get("value"), 255)
        return is_object and self._is_source(known)

    def _is_source(self, known: Mapping[str, Any]) -> bool:
        source = known.get("externalSource")
        return isinstance(source, dict) and self._sources.has(source.get("id"))

    def _custom_faults(self, contact: Mapping[str, Any]) -> Iterator[str]:
        """Custom fields need their schema in the same body: that is ours."""
        schema, values = contact.get("schema") or {}, contact.get("customFields") or {}
        if not (isinstance(schema, dict) and isinstance(values, dict) and (schema or values)):
            return
        properties = self._schemas.properties(schema=schema)
        if properties is None:
            yield "schema"
            return
        for key, value in values.items():
            if key not in properties or not takes(key, value):
                yield f"customFields.{key}"


def written(contact: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields known here that are not null, texts without outer blanks."""
    return {
        name: value.strip() if isinstance(value, str) else value
        for name, value in contact.items()
        if name in _FIELDS and value is not None
    }


def claim(identifier: Mapping[str, Any]) -> Claim:
    """Return the claim of a checked identifier."""
    kind, value = identifier["type"], identifier["value"].strip()
    if kind == "ExternalId":
        return Claim(kind, value, identifier["externalSource"]["id"])
    return Claim(kind, value.lower() if kind == "Email" else value)


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= most

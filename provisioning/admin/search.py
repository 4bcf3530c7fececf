"""Which creations, or whose sessions, a pasted term names: whole values, one index look-up each."""

import json
import re
from contextlib import suppress
from itertools import chain
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from audit.models import AuditEvent
from backoffice.search import MOST
from crm import lookup
from crm.addresses import address_key, domain_key
from crm.sessions import session_keys
from provisioning.models import GuestCreation
from provisioning.subjects import identify

_VISITOR = re.compile(r"visitor_([0-9a-f]{8})@(.+)")


def creations(*, term: str) -> list[UUID]:
    """Return the newest creations that `term` names.

    A creation's or guest's id, a request's (the client's or that of its events), a session id or
    its hash, an address in the CRM, or the ``visitor_…`` address that one nobody knew was given.
    """
    found = (
        rows.order_by("-id").values_list("id", flat=True)[:MOST]
        for rows in _by_each_meaning(term, term.strip())
    )
    return sorted(set(chain.from_iterable(found)), reverse=True)[:MOST]


def sessions(*, term: str) -> list[str]:
    """Return the keys of the sessions of the person that `term` names.

    Whatever names a creation, and a session or an address that only the CRM knows.
    """
    trimmed = term.strip()
    named = (
        rows.exclude(session_hash="").order_by().values_list("session_hash", flat=True).distinct()
        for rows in _by_each_meaning(term, trimmed)
    )
    keys = {key for text in {term, trimmed} for key in session_keys(term=text)}
    found = {*chain.from_iterable(named), *identify.stored(keys=sorted(keys))}
    if "@" in trimmed:
        found |= set(lookup.records_of(address=trimmed).values_list("session_hash", flat=True))
    return sorted(found)


def _by_each_meaning(term: str, trimmed: str) -> list[QuerySet[GuestCreation, Any]]:
    rows = GuestCreation.objects.all()
    # A session id is kept as it is, spaces included; a pasted one may have got some around it.
    keys = {key for text in {term, trimmed} for key in session_keys(term=text)}
    meanings = [
        rows.filter(guest_id__in={trimmed, trimmed.lower(), trimmed.upper()}),
        rows.filter(request_id=trimmed),
        rows.filter(id__in=_of_request(trimmed)),
        rows.filter(session_hash__in=keys),
    ]
    with suppress(ValueError):
        meanings.append(rows.filter(id=UUID(trimmed)))
    if "@" in trimmed:
        meanings.append(rows.filter(_of_address(trimmed)))
    return meanings


def _of_request(request_id: str) -> list[str]:
    """Return the creations that the events of a request name."""
    bodies = AuditEvent.objects.filter(request_id=request_id).values_list("body", flat=True)
    named = (json.loads(body)["data"].get("creation") for body in bodies[:MOST])
    return [creation for creation in named if creation]


def _of_address(address: str) -> Q:
    """Return the condition: sessions of the CRM with this address, or the visitor so named."""
    records = lookup.records_of(address=address)
    keys = list(records.values_list("session_hash", flat=True)[:MOST])
    named = Q(session_hash__in=keys)
    visitor = _VISITOR.fullmatch(address_key(address))
    if visitor and visitor[2] == domain_key(settings.GUEST_EMAIL_DOMAIN):
        # A range, not LIKE, which an index serves only under the C collation.
        named |= Q(session_hash__gte=visitor[1], session_hash__lte=visitor[1] + "g")
    return named

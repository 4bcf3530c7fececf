"""What the page of one creation shows: its events and their seals, and what was sent."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit import log
from audit.models import AuditEvent, AuditLeaf
from backoffice.inert import mask, mask_address, visible
from backoffice.periods import id_at
from crm.models import AttributeMapping
from provisioning.consent.decision import Consent
from provisioning.init import planning
from provisioning.models import GuestCreation

# What an event's kind and data are called here; what is not named is shown as it is.
_KINDS = {
    "init.attempted": "A chat was asked for",
    "init.started": "The worker began",
    "guest.created": "The platform made the guest",
    "guest.reused": "The same guest served again",
    "guest.refused": "The platform took no guest without consent",
    "guest.failed": "No guest was made",
    "guest.unknown": "Outcome unknown",
    "token.issued": "An access token was issued",
    "token.failed": "No access token came",
    "consent.withdrawn": "Consent was withdrawn",
    "record.reviewed": "Reviewed",
    "receipt.exported": "The receipt was taken",
    "personal_data.revealed": "Values were shown in clear",
}
_NAMES = {
    "given": "consent",
    "noticeUnknown": "notice unknown",
    "gpc": "Global Privacy Control",
    "payloadDigest": "digest of what was sent",
    "sentFields": "fields sent",
    "guestDigest": "digest of the guest id",
    "echoMismatch": "platform repeats another consent",
    "expiresAt": "good until",
    "code": "error",
    "platformStatus": "platform status",
    "platformCode": "platform code",
    "receivedOn": "received on",
    "correlationDigest": "digest of the correlation id",
    "askedAt": "asked at",
}
# An event's id may be a little older than the row it tells of.
_BEFORE = timedelta(minutes=1)
_MOST = 500


@dataclass(frozen=True)
class Moment:
    """One event of the timeline. `seal` is the number of the seal over it, or None."""

    id: UUID
    time: datetime
    kind: str
    actor: str
    details: list[tuple[str, str]]
    seal: int | None


@dataclass(frozen=True)
class Sent:
    """One field that was sent. `held` is what it is today, None where nothing is held."""

    name: str
    source: str
    held: str | None


def timeline(*, creation: GuestCreation) -> list[Moment]:
    """Return the creation's events, oldest first: those that name it, and its session's consent."""
    rows = _events(creation)[:_MOST]
    chosen = [(row, data) for row in rows if (data := _concerning(row, creation)) is not None]
    leaves = AuditLeaf.objects.filter(event_id__in=[row.id for row, _ in chosen])
    seals = dict(leaves.values_list("event_id", "seal_id"))
    return [
        Moment(
            row.id, row.time, named(kind=row.kind), row.actor, details(data=data), seals.get(row.id)
        )
        for row, data in chosen
    ]


def sent(*, creation: GuestCreation, revealed: bool) -> list[Sent]:
    """Return the fields that were sent, each with the value it would have today.

    Values are masked unless `revealed`. What was sent then is kept only as a digest.
    """
    today = _values_today(creation)
    mappings = {mapping.target: mapping for mapping in AttributeMapping.objects.all()}
    rows = []
    for name in creation.sent_fields:
        mapping = mappings.get(name.partition(".")[2])
        source = f"{mapping.get_source_kind_display()} {mapping.source}" if mapping else ""
        rows.append(Sent(visible(name), visible(source), _shown(name, today.get(name), revealed)))
    return rows


def _events(creation: GuestCreation) -> Any:
    """Return the events to look through: by subject, or by request once the person is erased."""
    since = id_at(creation.created_at - _BEFORE)
    rows = AuditEvent.objects.order_by("id")
    if creation.session_hash:
        subject = log.pseudonym(session_hash=creation.session_hash)
        return rows.filter(subject=subject, id__gte=since)
    named = creation.request_in_events
    return rows.filter(request_id=named, id__gte=since) if named else rows.none()


def _concerning(row: AuditEvent, creation: GuestCreation) -> dict[str, Any] | None:
    data: dict[str, Any] = json.loads(row.body)["data"]
    named = data.get("creation")
    if named == str(creation.id) or (row.kind.startswith("consent.") and named is None):
        return data
    return None


def details(*, data: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the data of an event, named and written for people."""
    flat = {**data, **data.get("consent", {})}
    return [
        (_NAMES.get(name, name), visible(_said(value)))
        for name, value in flat.items()
        if name not in ("creation", "consent") and value not in ("", None, [])
    ]


def named(*, kind: str) -> str:
    """Return what people call an event of `kind`; the kind itself where it has no other name."""
    return _KINDS.get(kind, kind)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)


def _values_today(creation: GuestCreation) -> dict[str, Any]:
    """Return what the same fields would be sent with now."""
    if not creation.session_hash:
        return {}
    _, guest = planning.plan_guest(
        consent=Consent(creation.consent_given, creation.consent_type, creation.consent_basis),
        session_hash=creation.session_hash,
        creation_id=creation.id,
    )
    return dict(guest.message.fields)


def _shown(name: str, value: object, revealed: bool) -> str | None:
    if value is None:
        return None
    if "consent" in name or revealed:
        return visible(json.dumps(value) if isinstance(value, bool) else value)
    return mask_address(str(value)) if "@" in str(value) else mask(value)

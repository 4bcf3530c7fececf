"""All that is stored of a person, as one JSON document (GDPR art. 15 and 20)."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from audit import log
from audit.models import AuditEvent
from crm.models import CrmRecord
from provisioning.consent.receipts import make_receipt
from provisioning.models import GuestCreation, IdempotencyKey, LegalHold, Withdrawal


def export(*, session_hashes: Sequence[str], actor: str) -> dict[str, Any]:
    """Return what is stored of these sessions, and record that `actor` took it.

    Raises SigningKeyMissing: the receipts in it are signed.
    """
    with transaction.atomic():
        sessions = [_session(key) for key in session_hashes]
        for session in sessions:
            data = {"creations": len(session["creations"]), "events": len(session["changes"])}
            subject = session["pseudonym"]
            log.record(kind="subject.exported", subject=subject, actor=actor, data=data)
    return {
        "format": "guestportal subject export 1",
        "exportedAt": log.timestamp(datetime.now(UTC)),
        "sessions": sessions,
    }


def _session(key: str) -> dict[str, Any]:
    subject = log.pseudonym(session_hash=key)
    withdrawal = Withdrawal.objects.filter(session_hash=key).first()
    creations = GuestCreation.objects.filter(session_hash=key).select_related("notice")
    return {
        "sessionHash": key,
        "pseudonym": subject,
        "crmRecord": _crm_record(key),
        "withdrawnAt": log.timestamp(withdrawal.withdrawn_at) if withdrawal else None,
        "legalHold": LegalHold.objects.filter(session_hash=key).exists(),
        # Encrypted under a key that only the client has.
        "answersKeptForRepetition": IdempotencyKey.objects.filter(session_hash=key).count(),
        "creations": [_creation(row) for row in creations],
        "changes": _changes(subject),
    }


def _crm_record(key: str) -> dict[str, Any] | None:
    row = CrmRecord.objects.filter(session_hash=key).first()
    if row is None:
        return None
    return {
        "email": row.email,
        "firstName": row.first_name,
        "tier": row.tier,
        "previousTickets": row.previous_tickets,
        "attributes": row.attributes,
        "createdAt": log.timestamp(row.created_at),
        "updatedAt": log.timestamp(row.updated_at),
    }


def _creation(row: GuestCreation) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "createdAt": log.timestamp(row.created_at),
        "requestId": row.request_id,
        "status": row.status,
        "guestId": row.guest_id,
        "tokensIssued": row.tokens_issued,
        "sentFields": row.sent_fields,
        "receipt": make_receipt(creation=row).as_json(),
    }


def _changes(subject: str) -> list[dict[str, Any]]:
    """Return what the log says of the person; who on the staff did it is not theirs to know."""
    events = AuditEvent.objects.filter(subject__in=_names(subject)).order_by("id")
    return [
        {name: event[name] for name in ("id", "time", "kind", "data")}
        for event in map(json.loads, events.values_list("body", flat=True))
    ]


def _names(subject: str) -> list[str]:
    """Return `subject` and what the log called it before it was re-keyed."""
    renamed = AuditEvent.objects.filter(kind=log.REKEYED, subject=subject)
    bodies = map(json.loads, renamed.values_list("body", flat=True))
    return [subject, *(body["data"]["formerly"] for body in bodies)]

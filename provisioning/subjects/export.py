"""All that is stored of a person, as one JSON document (GDPR art. 15 and 20).

Which columns are in it says `inventory`, the list of all there are.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction

from audit import log
from audit.models import AuditEvent
from crm.models import CrmRecord
from provisioning.consent.receipts import make_receipt
from provisioning.models import (
    GuestCreation,
    IdempotencyKey,
    InitCapability,
    LegalHold,
    PlatformDeletion,
    Review,
    Withdrawal,
    WithdrawalCase,
)
from provisioning.subjects.inventory import TABLES

_OF_HOLDS = ("hold.placed", "hold.lifted", "subject.erasure_refused")
Row = dict[str, Any]


def export(*, session_hashes: Sequence[str], actor: str, holds: bool = True) -> dict[str, Any]:
    """Return what is stored of these sessions, and record that `actor` took it.

    Without `holds` nothing is said of legal holds, where the law forbids to (GDPR art. 23). Raises
    SigningKeyMissing: the receipts in it are signed.
    """
    with transaction.atomic():
        sessions = [_session(key, holds) for key in session_hashes]
        for session in sessions:
            data = {"creations": len(session["creations"]), "events": len(session["changes"])}
            subject = session["pseudonym"]
            log.record(kind="subject.exported", subject=subject, actor=actor, data=data)
    return {
        "format": "guestportal subject export 2",
        "exportedAt": log.timestamp(datetime.now(UTC)),
        "sessions": sessions,
    }


def _session(key: str, holds: bool) -> Row:
    subject = log.pseudonym(session_hash=key)
    withdrawal = _first(Withdrawal, session_hash=key)
    return {
        "sessionHash": key,
        "pseudonym": subject,
        "crmRecord": _first(CrmRecord, session_hash=key),
        "withdrawal": withdrawal,
        "withdrawnAt": withdrawal and withdrawal["withdrawnAt"],
        "withdrawalCases": _rows(WithdrawalCase, session_hash=key),
        **({"legalHold": _first(LegalHold, session_hash=key)} if holds else {}),
        "creations": [_creation(row) for row in _rows(GuestCreation, session_hash=key)],
        "changes": list(_changes(subject, holds)),
    }


def _creation(row: Row) -> Row:
    creation = GuestCreation.objects.select_related("notice").get(id=row["id"])
    receipt = make_receipt(creation=creation)
    return {
        **row,
        **receipt.as_json(),
        "receiptContent": receipt.content,  # the same, to be read
        "reviews": _rows(Review, creation=creation),
        # Their answers are encrypted under a key that only the client has.
        "idempotencyKeys": _rows(IdempotencyKey, creation=creation),
        "capabilities": _rows(InitCapability, creation=creation),
        # Of a person who is not erased: of two guests of one session, the second.
        "platformDeletions": _rows(PlatformDeletion, creation=creation),
    }


def _first(model: type[models.Model], **wanted: object) -> Row | None:
    return next(iter(_rows(model, **wanted)), None)


def _rows(model: type[models.Model], **wanted: object) -> list[Row]:
    """Return the rows that match, with the columns that the inventory marks as exported."""
    columns = TABLES[model._meta.db_table].exported()
    rows = model._default_manager.filter(**wanted).order_by("pk").values(*columns)
    return [{_name(column): _json(value) for column, value in row.items()} for row in rows]


def _name(column: str) -> str:
    return re.sub("_(.)", lambda found: found[1].upper(), column)


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return log.timestamp(value)
    return str(value) if isinstance(value, UUID) else value


def _changes(subject: str, holds: bool) -> Iterator[Row]:
    """Yield what the log says of the person; who on the staff did it is not theirs to know."""
    events = AuditEvent.objects.filter(subject__in=_names(subject)).order_by("id")
    if not holds:
        events = events.exclude(kind__in=_OF_HOLDS)
    for event in map(json.loads, events.values_list("body", flat=True)):
        shown = ("id", "time", "kind", "subject", "request_id", "data")
        yield {_name(name): event[name] for name in shown}


def _names(subject: str) -> list[str]:
    """Return `subject` and what the log called it before it was re-keyed."""
    renamed = AuditEvent.objects.filter(kind=log.REKEYED, subject=subject)
    bodies = map(json.loads, renamed.values_list("body", flat=True))
    return [subject, *(body["data"]["formerly"] for body in bodies)]

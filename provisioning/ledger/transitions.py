"""What becomes of a row: each transition with its audit event, in one transaction.

A transition is a conditional UPDATE: it names the states it may leave, so of two writers one wins
and a settled row stays settled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from audit import log
from provisioning.ledger import sql
from provisioning.ledger.transactions import Entry, Outcome, database, digest, in_work, run
from provisioning.models import GuestCreation, Reason, Status, stored

IN_WORK = (Status.QUEUED, Status.PENDING)
WITH_GUEST = (Status.GUEST_CREATED, Status.READY)


class Lost(Exception):
    """The row is no longer in a state that this transition may leave."""


@dataclass(frozen=True)
class Change:
    """One transition: of which row, the states it may leave, its event, and what it changes.

    `counted`: a column to add one to.
    """

    entry: Entry
    leaving: Sequence[Status]
    kind: str
    data: Mapping[str, Any]
    columns: Mapping[str, Any]
    counted: str = ""


def guest_created(
    *,
    entry: Entry,
    guest_id: str,
    echo_given: bool | None,
    echo_type: str | None,
    echo_created: str,
    rests: bool = False,
) -> bool:
    """Record the guest the platform made; return whether its consent still stands.

    `rests`: no token is fetched for it now, and nobody works on the row any more.
    False: the visitor withdrew while the platform was at work, and no token may follow. An answer
    that comes after recovery gave the row up still corrects it. Raises Lost, also where the row was
    erased meanwhile: the erasure has queued its unknown guest for deletion on the platform.
    """
    mismatch = echo_given not in (None, entry.consent_given) or (
        echo_type not in (None, entry.consent_type)
    )
    # The id itself would name the visitor to whoever has the platform's data.
    said = {"guestDigest": digest(entry.salt, guest_id.encode()), "echoMismatch": mismatch}
    columns = {
        "status": Status.GUEST_CREATED,
        "guest_id": guest_id,
        "echo_consent_given": echo_given,
        "echo_consent_type": echo_type or "",
        "echo_created_date": echo_created,
        "echo_mismatch": mismatch,
        "review_reasons": stored([*entry.reasons, *([Reason.ECHO] if mismatch else [])]),
        "error_code": "",
        **({"overdue_at": None} if rests else {}),
    }
    leaving = (Status.PENDING, Status.UNKNOWN)
    return _commit(Change(entry, leaving, "guest.created", said, columns)) is None


def ready(*, entry: Entry, expires_at: str) -> None:
    """Record that a token was issued for the guest. Raises Lost."""
    columns = {
        "status": Status.READY,
        "overdue_at": None,
        "token_expires_at": expires_at[:40],
        "error_code": "",
        "platform_status": None,
    }
    said = {"expiresAt": expires_at}
    _commit(Change(entry, WITH_GUEST, "token.issued", said, columns, counted="tokens_issued"))


def token_failed(*, entry: Entry, outcome: Outcome) -> None:
    """Record that no token came: the guest rests until the session's next init. Raises Lost."""
    columns = {"overdue_at": None, **_columns(outcome)}
    _commit(Change(entry, WITH_GUEST, "token.failed", _said(entry, outcome), columns))


def settle(*, entry: Entry, status: Status, outcome: Outcome) -> bool:
    """QUEUED or PENDING → REFUSED, FAILED or UNKNOWN; False where recovery was faster."""
    return _settle(entry, IN_WORK, status, outcome)


def give_up(*, entry: Entry, leaving: Status, status: Status) -> bool:
    """Settle a row that is overdue in state `leaving`; False where somebody was faster."""
    if GuestCreation.objects.filter(in_work(), id=entry.id).exists():
        return False
    return _settle(entry, (leaving,), status, Outcome("abandoned"))


def not_found(*, entry: Entry) -> bool:
    """UNKNOWN → FAILED: the platform has no such guest; False where somebody was faster."""
    return _settle(entry, (Status.UNKNOWN,), Status.FAILED, Outcome("not_found", sent=True))


def looked_up(row: GuestCreation) -> None:
    """Note that the platform was asked about `row`; nothing has become of the visitor by that."""
    GuestCreation.objects.filter(id=row.id).update(looked_up_at=timezone.now())


def rest(*, entry: Entry) -> None:
    """Let an overdue guest without a token rest, for the session's next init to resume."""
    rows = GuestCreation.objects.filter(id=entry.id, status=Status.GUEST_CREATED)
    rows.exclude(in_work()).update(overdue_at=None)


def _settle(entry: Entry, leaving: Sequence[Status], status: Status, outcome: Outcome) -> bool:
    unknown = [Reason.OUTCOME] if status == Status.UNKNOWN else []
    columns = {
        "status": status,
        "overdue_at": None,
        "review_reasons": stored([*entry.reasons, *unknown]),
        **_columns(outcome),
    }
    if status == Status.FAILED and not outcome.sent:
        columns["sent_fields"] = []  # they were prepared, and never left
    said = _said(entry, outcome)
    try:
        _commit(Change(entry, leaving, f"guest.{status.value}", said, columns))
    except Lost:
        return False
    return True


def _commit(change: Change) -> datetime | None:
    return run(lambda: move(change))


def move(change: Change) -> datetime | None:
    """Write one transition and its event; return when the row's consent was withdrawn, if it was.

    Raises Lost. What gives a new cause for review puts the row back on the queue: an earlier
    verdict was about what the reviewer could see then.
    """
    columns, entry = change.columns, change.entry
    again = columns.get("status") == Status.UNKNOWN or columns.get("echo_mismatch")
    update = sql.update(
        creation_id=entry.id,
        leaving=change.leaving,
        columns={
            "updated_at": timezone.now(),
            **columns,
            **({"reviewed_at": None} if again else {}),
        },
        counted=change.counted,
    )
    event = log.event(
        kind=change.kind,
        subject=entry.subject,
        request_id=entry.event_request_id,
        data={"creation": str(entry.id), **change.data},
    )
    changed: tuple[datetime | None] | None = database.change(update, event)
    if changed is None:
        raise Lost(f"{change.kind} came too late")
    return changed[0]


def _columns(outcome: Outcome) -> dict[str, Any]:
    return {
        "error_code": outcome.code,
        "platform_status": outcome.platform_status,
        "platform_code": outcome.platform_code,
        "correlation_id": outcome.correlation_id,
    }


def _said(entry: Entry, outcome: Outcome) -> dict[str, Any]:
    """Return what an event tells of `outcome`: nothing in it is the platform's own text."""
    said = {
        "code": outcome.code,
        "platformStatus": outcome.platform_status,
        "platformCode": outcome.platform_code,
    }
    if not outcome.correlation_id:
        return said
    # Whatever it is, it would stand there for good: the row keeps the text, and can be erased.
    return said | {"correlationDigest": digest(entry.salt, outcome.correlation_id.encode())}


def consent_stands(*, entry: Entry) -> bool:
    """Tell whether nobody has taken the row's consent back since, or erased the person."""
    rows = GuestCreation.objects.filter(id=entry.id, withdrawn_at=None, erased_at=None)
    return run(rows.exists)


def withdrawable(*, session_hash: str, newest: UUID | None = None) -> QuerySet[GuestCreation]:
    """Return the session's creations, up to the `newest`, whose consent can still be withdrawn."""
    rows = GuestCreation.objects.filter(
        session_hash=session_hash,
        consent_given=True,
        withdrawn_at=None,
        status__in=(*IN_WORK, *WITH_GUEST, Status.UNKNOWN),
    )
    return rows.filter(id__lte=newest) if newest else rows


def mark_withdrawn(
    *, session_hash: str, newest: UUID | None = None, at: datetime | None = None
) -> int:
    """Mark the session's `withdrawable` creations withdrawn, in the caller's transaction.

    `at`: when the visitor asked for it; now, if that is not said. Returns how many were marked.
    """
    now = timezone.now()
    rows = withdrawable(session_hash=session_hash, newest=newest)
    return rows.update(withdrawn_at=at or now, updated_at=now)


def mark_reviewed(
    *, creations: Sequence[UUID], at: datetime, verdict: str, reviewer_id: int
) -> None:
    """Take `creations` off the review queue, in the transaction that records their reviews.

    `updated_at` stays: it tells when something became of the visitor, and nothing has.
    """
    rows = GuestCreation.objects.filter(id__in=creations)
    rows.update(reviewed_at=at, verdict=verdict, reviewer_id=reviewer_id)

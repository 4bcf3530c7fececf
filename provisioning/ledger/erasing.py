"""Rows of a person who is erased: what names anybody goes, that something happened stays."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from provisioning.ledger.transactions import in_work
from provisioning.models import (
    GuestCreation,
    IdempotencyKey,
    InitCapability,
    PlatformDeletion,
    Review,
    Status,
)

logger = logging.getLogger(__name__)

# All that ties a row to a person or to the platform's records of one.
_NAMES_NOBODY: dict[str, Any] = {
    "session_hash": "",
    "request_id": "",
    "guest_id": "",
    "salt": "",
    "profile_digest": "",
    "payload_digest": "",
    "sent_fields": [],
    "platform_code": "",
    "correlation_id": "",
    # Of the platform's making: its words, and moments to find its records by.
    "echo_consent_type": "",
    "echo_created_date": "",
    "token_expires_at": "",
    "overdue_at": None,
    "looked_up_at": None,
    "token_generation": 0,
}


# What housekeeping is to delete of a creation on the platform; None where a person is to.
SubjectsOf = Callable[[GuestCreation], list[str] | None]


class InWork(Exception):
    """An init of this session is under way; in `seconds` nobody works on it any more."""

    def __init__(self, *, seconds: float) -> None:
        super().__init__(f"an init of this person is under way; try again in {seconds:.0f} s")
        self.seconds = seconds


def erase_creations(
    *,
    session_hash: str,
    subjects_of: SubjectsOf,
    before: datetime | None = None,
) -> int:
    """Blank the session's rows (with `before`, the older ones), in the caller's transaction.

    Queues the deletion on the platform of each guest that exists or may. Returns how many rows
    were erased. Raises InWork, with nothing written.
    """
    now = timezone.now()
    rows = GuestCreation.objects.filter(session_hash=session_hash, erased_at=None)
    kept = set[str]()
    if before:
        younger = rows.filter(created_at__gte=before).exclude(guest_id="")
        kept = set(younger.values_list("guest_id", flat=True))
        rows = rows.filter(created_at__lt=before)
    _refuse_in_work(rows)
    with_guest = rows.filter(~Q(guest_id="") | Q(status=Status.UNKNOWN))
    _queue_deletions(with_guest, kept, subjects_of, now)
    for model in (IdempotencyKey, InitCapability):
        model._default_manager.filter(creation__in=rows).delete()
    # Reviewers write what they please. The verdict stays.
    Review.objects.filter(creation__in=rows).exclude(reason="").update(reason="")
    # A version that nobody published is the client's own text, and might be anything.
    rows.filter(notice__isnull=True).update(notice_version="", language="")
    return rows.update(**_NAMES_NOBODY, erased_at=now, updated_at=now)


def empty_write_ahead_log() -> None:
    """Have SQLite's write-ahead log, which still holds what was erased, cut to nothing.

    The database file itself needs no such care: ``secure_delete`` overwrites what is deleted.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = cursor.fetchone()[0]
    if busy:
        logger.warning("a long-running reader keeps erased data in the write-ahead log")


def queue_deletion(
    row: GuestCreation, *, guest_id: str, subjects: list[str], now: datetime
) -> None:
    """Queue what is to be deleted on the platform, beside what is queued of `row` already."""
    queued = PlatformDeletion.objects.filter(creation=row).values_list("subjects", flat=True)
    subjects = list(dict.fromkeys([*next(iter(queued), []), *subjects]))
    due = {
        "platform": row.platform,
        "guest_id": guest_id,
        "subjects": subjects,
        "state": PlatformDeletion.State.WAITING,
        "requested_at": now,
        "due_at": now if subjects else None,
        "done_at": None,
        "done_by": "",
    }
    PlatformDeletion.objects.update_or_create(creation=row, defaults=due)


def _queue_deletions(
    rows: QuerySet[GuestCreation], kept: set[str], subjects_of: SubjectsOf, now: datetime
) -> None:
    """Queue the guests of `rows` but those that the session keeps, each once.

    Several creations may name one guest; one whose outcome is unknown may have made or found it.
    """
    found: dict[str, tuple[GuestCreation, dict[str, None]]] = {}
    for row in rows:
        subjects = subjects_of(row)
        if subjects is None:
            queue_deletion(row, guest_id=row.guest_id, subjects=[], now=now)
        elif row.guest_id not in kept and (row.guest_id or not kept):
            found.setdefault(row.guest_id, (row, {}))[1].update(dict.fromkeys(subjects))
    for guest_id, (row, named) in found.items():
        if named:
            queue_deletion(row, guest_id=guest_id, subjects=list(named), now=now)


def _refuse_in_work(rows: QuerySet[GuestCreation]) -> None:
    busy = rows.filter(in_work()).order_by("-overdue_at")
    latest = busy.annotate(left=F("overdue_at") - Now()).values_list("left", flat=True).first()
    if latest is not None:
        raise InWork(seconds=latest.total_seconds() + 1)

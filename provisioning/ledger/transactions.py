"""The short transactions that the ledger is made of, and what crosses its border."""

import hmac
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from crm import sessions

# A row is overdue this long after the deadline of the init that works on it.
GRACE_SECONDS = 5
# A queued row waits for the worker no longer than its visitor may ask what became of it.
QUEUED_FOR = timedelta(minutes=10)

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Entry:
    """One creation as the pipeline carries it; `subject` is the log's name for the session.

    `event_request_id`: under which its events stand, made here (`GuestCreation`).
    """

    id: UUID
    subject: str
    event_request_id: str
    guest_id: str = ""


@dataclass(frozen=True)
class Sending:
    """What is about to be sent: bytes that are kept as digests, and the fields' names."""

    profile: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    fields: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """Why a creation did not become ready, with what the platform said of it.

    `sent`: the visitor's data went out, or may have.
    `correlation_id` is the platform's text: it stands in the row, in an event only as a digest.
    """

    code: str
    platform_status: int | None = None
    platform_code: str = ""
    correlation_id: str = ""
    sent: bool = False


def run(unit: Callable[[], _Value], *, retry: bool = True) -> _Value:
    """Run one unit of an init in a transaction, and return its value once that is committed.

    A unit reads, decides and writes, and waits for nobody; what it raises takes back what it wrote.
    It may run twice, so it keeps nothing outside of itself. `retry`: where others share the
    transaction and it fails, the unit is tried once more alone (SQLite, under gevent).
    """
    try:
        if connection.vendor == "sqlite":
            return connection.run_unit(unit, retry=retry)  # type: ignore[attr-defined, no-any-return]
        with transaction.atomic():
            return unit()
    finally:
        release_connection()


@contextmanager
def short_transaction() -> Iterator[None]:
    """Run one transaction and give the connection back: none waits for the platform."""
    try:
        with transaction.atomic():
            yield
    finally:
        release_connection()


@contextmanager
def session_transaction(session_hash: str) -> Iterator[None]:
    """Run one short transaction in which nobody else decides about this session.

    SQLite takes its one write lock at BEGIN; PostgreSQL gets an advisory lock for the session.
    Raises WrongPepper where the session's key is none of this database's kind.
    """
    with short_transaction():
        lock_session(session_hash)
        yield


def lock_session(session_hash: str) -> None:
    """Let nobody else decide about this session until the caller's transaction ends.

    Raises WrongPepper.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(session_hash[:15], 16)])
    sessions.require_pepper()


def release_connection() -> None:
    """Give the connection back to its pool, for whoever is not waiting for the platform."""
    if not connection.in_atomic_block:
        connection.close()


def overdue_after() -> timedelta:
    """Return after how long a row that is being worked on now has been forgotten."""
    return timedelta(seconds=settings.GENESYS_DEADLINE + GRACE_SECONDS)


def in_work() -> Q:
    """Return the condition of a row that somebody works on, by the database's clock.

    Machines' clocks differ, and PostgreSQL has one; SQLite is one machine, and has its clock. A
    moment beyond any work's end was written by a clock that has been corrected since: nobody works
    on such a row.
    """
    now: Any = Now() if connection.vendor == "postgresql" else timezone.now()
    return Q(overdue_at__gt=now, overdue_at__lte=now + QUEUED_FOR)


def sent_columns(salt: str, sending: Sending) -> dict[str, Any]:
    """Return the columns that say what was sent."""
    return {
        "profile_digest": digest(salt, sending.profile),
        "payload_digest": digest(salt, sending.payload),
        "sent_fields": list(sending.fields),
    }


def digest(salt: str, content: bytes) -> str:
    """Return hex HMAC-SHA-256 of `content` under a row's `salt`, which an erasure takes away."""
    return hmac.digest(bytes.fromhex(salt), content, "sha256").hex()

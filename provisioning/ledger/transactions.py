"""The short transactions that the ledger is made of, and what crosses its border."""

import hmac
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from audit import log
from crm import sessions
from provisioning.ledger import postgresql, sqlite
from provisioning.ledger.sql import History
from provisioning.models import GuestCreation, Reason

# A row is overdue this long after the deadline of the init that works on it.
GRACE_SECONDS = 5
# Reasons for a review that a transition gives and takes: an init begins without them.
LATER = (Reason.OUTCOME, Reason.ECHO)
# A queued row waits for the worker no longer than its visitor may ask what became of it.
QUEUED_FOR = timedelta(minutes=10)

_Value = TypeVar("_Value")

# How the ledger writes, for good: a process has one kind of database.
database: ModuleType = postgresql if connection.vendor == "postgresql" else sqlite


@dataclass(frozen=True)
class Entry:
    """One creation as the pipeline carries it; `subject` is the log's name for the session.

    `event_request_id`: under which its events stand, made here (`GuestCreation`). The consent it
    rests on, the salt of its digests and the `reasons` for a review that it began with never
    change; only an erasure takes the salt away, and an erased row takes no transition.
    """

    id: UUID
    subject: str
    event_request_id: str
    consent_given: bool
    consent_type: str
    salt: str = field(repr=False)
    token_generation: int
    guest_id: str = ""
    reasons: Sequence[Reason] = ()

    @classmethod
    def of(cls, row: GuestCreation, event_request_id: str) -> "Entry":
        """Return `row` as an entry whose events stand under `event_request_id`."""
        subject = log.pseudonym(session_hash=row.session_hash)
        consent = row.consent_given, row.consent_type
        guest = row.token_generation, row.guest_id
        reasons = tuple(reason for reason in row.reasons if reason not in LATER)
        return cls(row.id, subject, event_request_id, *consent, row.salt, *guest, reasons)


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


def run(unit: Callable[[], _Value]) -> _Value:
    """Run one unit of an init in a transaction, and return its value once that is committed.

    A unit reads, decides and writes, and waits for nobody; what it raises takes back what it wrote.
    It may run twice, so it keeps nothing outside of itself. It writes once, by `move`: what writes
    more needs `run_in_session`.
    """
    try:
        value: _Value = database.run(unit)
        return value
    finally:
        release_connection()


def run_in_session(session_hash: str, unit: Callable[[History], _Value]) -> _Value:
    """Run a unit, given what is known of the session, while nobody else decides about that.

    Raises WrongPepper where the session's key is none of this database's kind.
    """

    def checked(known: History) -> _Value:
        sessions.require_pepper()
        return unit(known)

    try:
        value: _Value = database.run_in_session(session_hash, checked)
        return value
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
def session_transaction(session_hash: str) -> Iterator[History]:
    """Run one short transaction in which nobody else decides about this session.

    SQLite takes its one write lock at BEGIN; PostgreSQL gets an advisory lock for the session.
    Raises WrongPepper where the session's key is none of this database's kind.
    """
    with short_transaction():
        known = database.look(session_hash)
        sessions.require_pepper()
        yield known


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

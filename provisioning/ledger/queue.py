"""Creations that wait for the worker: how many, which, and the moment one is begun."""

from dataclasses import dataclass, field
from uuid import UUID

from provisioning.consent.decision import Consent
from provisioning.ledger.opening import ConsentWithdrawn
from provisioning.ledger.transactions import (
    Entry,
    Sending,
    overdue_after,
    sent_columns,
    session_transaction,
    short_transaction,
)
from provisioning.ledger.transitions import Change, Lost, move
from provisioning.models import GuestCreation, Status


@dataclass(frozen=True)
class Waiting:
    """A queued creation, with what the worker needs that no message carries."""

    entry: Entry
    session_hash: str = field(repr=False)
    consent: Consent


def queue_depth() -> int:
    """Return how many creations are queued."""
    return GuestCreation.objects.filter(status=Status.QUEUED).count()


def find_queued(*, creation_id: UUID) -> Waiting | None:
    """Return a creation that waits for the worker; None once it was begun, settled or erased."""
    with short_transaction():
        row = GuestCreation.objects.filter(
            id=creation_id, status=Status.QUEUED, erased_at=None
        ).first()
        if row is None:
            return None
        entry = Entry.of(row, row.request_in_events)
    consent = Consent(row.consent_given, row.consent_type, row.consent_basis)
    return Waiting(entry, row.session_hash, consent)


def start(*, entry: Entry, session_hash: str, sending: Sending) -> None:
    """QUEUED → PENDING: the worker begins, with what the CRM says now.

    Raises Lost where somebody was faster, ConsentWithdrawn where the visitor was.
    """
    with session_transaction(session_hash):
        row = GuestCreation.objects.filter(id=entry.id, erased_at=None).first()
        if row is None:
            raise Lost("the creation was erased")
        if row.withdrawn_at:
            raise ConsentWithdrawn
        columns = sent_columns(row.salt, sending)
        said = {"payloadDigest": columns["payload_digest"], "sentFields": columns["sent_fields"]}
        columns |= {"status": Status.PENDING, "overdue_at": overdue_after()}
        move(Change(entry, (Status.QUEUED,), "init.started", said, columns))

"""Erase a person, or what is older than RETENTION_DAYS, without breaking the log's proof.

The log keeps its events: what tied them to the person, the salts, is what goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import log, triggers
from audit.restore_list import What
from crm import changes
from provisioning import ledger
from provisioning.follow_up.deletions import subjects_of
from provisioning.ledger import recovery
from provisioning.ledger.erasing import empty_write_ahead_log
from provisioning.ledger.listing import ids_of, list_after_commit
from provisioning.models import GuestCreation, LegalHold, Review, Withdrawal, WithdrawalCase
from provisioning.subjects import holds

BATCH = 100
CLOCKS_DIFFER = timedelta(days=1)  # by less than this, whatever the machine


@dataclass(frozen=True)
class Erased:
    """How much was erased."""

    sessions: int = 0
    creations: int = 0
    crm_records: int = 0


def erase(*, session_hashes: Sequence[str], actor: str, reason: str = "request") -> Erased:
    """Erase all that is stored of these sessions; one transaction each, so safe to repeat.

    `reason` stands in the event: ``request``, or ``restored`` for what a backup brought back.
    Raises holds.OnHold with nothing erased, or ledger.InWork while an init is under way.
    """
    recovery.recover()
    holds.refuse_if_held(session_hashes=session_hashes, actor=actor)
    triggers.let_blank(model=Review)
    done = [_erase_session(key, actor, reason) for key in session_hashes]
    transaction.on_commit(empty_write_ahead_log)
    return Erased(
        sessions=len(done),
        creations=sum(creations for creations, _ in done),
        crm_records=sum(records for _, records in done),
    )


def erase_expired(*, batch: int = BATCH) -> int:
    """Erase up to `batch` creations older than RETENTION_DAYS, not those on hold; return how many.

    With a session's last creation goes what ties the log to it. CRM records and withdrawals stay:
    the one is the CRM's to keep, the other is what the visitor asked us to remember.
    """
    before = _retention_ends()
    if before is None:
        return 0
    recovery.bring_back(slack=CLOCKS_DIFFER)
    oldest = _expired(before).order_by("created_at").values_list("session_hash", flat=True)
    keys = dict.fromkeys(oldest[:batch])
    if keys:
        triggers.let_blank(model=Review)
    erased = sum(_expire_session(key, before) for key in keys)
    if erased:
        transaction.on_commit(empty_write_ahead_log)
    return erased


def count_expired() -> int:
    """Return how many creations `erase_expired` has yet to erase."""
    before = _retention_ends()
    return _expired(before).count() if before else 0


def _erase_session(session_hash: str, actor: str, reason: str) -> tuple[int, int]:
    with ledger.session_transaction(session_hash):
        # Again, under the lock: a hold placed since keeps what is left.
        if LegalHold.objects.filter(session_hash=session_hash).exists():
            raise holds.OnHold(reference="just placed")
        list_after_commit(what=What.ERASED, ids=ids_of(session_hash=session_hash))
        creations = ledger.erase_creations(session_hash=session_hash, subjects_of=subjects_of)
        records = int(changes.erase_record(session_hash=session_hash))
        for model in (Withdrawal, WithdrawalCase):
            model.objects.filter(session_hash=session_hash).delete()
        subject = log.forget(session_hash=session_hash) or ""
        counts = {"reason": reason, "creations": creations, "crmRecords": records}
        log.record(kind="subject.erased", subject=subject, actor=actor, data=counts)
    return creations, records


def _retention_ends() -> datetime | None:
    """Return the moment before which creations are erased; None where they are kept."""
    days = settings.RETENTION_DAYS
    return None if days is None else timezone.now() - timedelta(days=days)


def _expired(before: datetime) -> QuerySet[GuestCreation]:
    held = LegalHold.objects.values("session_hash")
    old = GuestCreation.objects.filter(created_at__lt=before, erased_at=None)
    return old.exclude(session_hash__in=held)


def _expire_session(session_hash: str, before: datetime) -> int:
    with ledger.session_transaction(session_hash):
        if LegalHold.objects.filter(session_hash=session_hash).exists():
            return 0
        subject = log.pseudonym(session_hash=session_hash)
        erased = ledger.erase_creations(
            session_hash=session_hash, subjects_of=subjects_of, before=before
        )
        if not erased:
            return 0  # somebody was faster
        if not GuestCreation.objects.filter(session_hash=session_hash).exists():
            log.forget(session_hash=session_hash)
            _forget_ended_withdrawals(session_hash)
        data = {"reason": "retention", "creations": erased}
        log.record(kind="subject.erased", subject=subject, data=data)
    return erased


def _forget_ended_withdrawals(session_hash: str) -> None:
    """Delete the cases of a session of which nothing is left that they are the reason of."""
    if not Withdrawal.objects.filter(session_hash=session_hash).exists():
        WithdrawalCase.objects.filter(session_hash=session_hash).delete()

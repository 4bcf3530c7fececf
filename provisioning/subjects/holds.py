"""Legal holds: while one stands, the person is not erased (GDPR art. 17(3)(e))."""

from collections.abc import Iterable

from django.utils import timezone

from audit import log
from audit.restore_list import What
from crm.models import CrmRecord
from provisioning import ledger
from provisioning.ledger.listing import ids_of, list_after_commit
from provisioning.models import LegalHold


class OnHold(Exception):
    """A legal hold forbids the erasure."""

    def __init__(self, *, reference: str) -> None:
        super().__init__(f"legal hold {reference}: nothing was erased")
        self.reference = reference


def place(*, session_hash: str, reference: str, actor: str) -> None:
    """Place a hold, or give the one that stands a new `reference`, with its event."""
    with ledger.session_transaction(session_hash):
        # Whoever is deleting the CRM record has done so by now, or sees the hold.
        records = CrmRecord.objects.filter(session_hash=session_hash)
        list(records.select_for_update().values_list("pk"))
        LegalHold.objects.update_or_create(
            session_hash=session_hash,
            defaults={"reference": reference, "placed_at": timezone.now(), "placed_by": actor},
        )
        _record("hold.placed", session_hash, actor, reference)
        list_after_commit(what=What.HELD, ids=ids_of(session_hash=session_hash))


def lift(*, session_hash: str, actor: str) -> bool:
    """Lift the hold, with its event; False where none stood."""
    with ledger.session_transaction(session_hash):
        hold = LegalHold.objects.filter(session_hash=session_hash).first()
        if hold is None:
            return False
        hold.delete()
        _record("hold.lifted", session_hash, actor, hold.reference)
        list_after_commit(what=What.LIFTED, ids=ids_of(session_hash=session_hash))
    return True


def forbids_deletion(session_hash: str) -> str:
    """Return why the CRM record of a session must stay; empty where no hold stands.

    The case is not named: whoever keeps the CRM need not know it.
    """
    held = LegalHold.objects.filter(session_hash=session_hash).exists()
    return "A legal hold stands: the record may be corrected, not deleted." if held else ""


def refuse_if_held(*, session_hashes: Iterable[str], actor: str) -> None:
    """Raise OnHold where one of the sessions is on hold, and record that it was refused."""
    hold = LegalHold.objects.filter(session_hash__in=list(session_hashes)).first()
    if hold is None:
        return
    with ledger.session_transaction(hold.session_hash):
        _record("subject.erasure_refused", hold.session_hash, actor, hold.reference)
    raise OnHold(reference=hold.reference)


def _record(kind: str, session_hash: str, actor: str, reference: str) -> None:
    subject = log.pseudonym(session_hash=session_hash)
    log.record(kind=kind, subject=subject, actor=actor, data={"reference": reference})

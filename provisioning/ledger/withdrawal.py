"""Taking consent back, as easily as it was given (GDPR art. 7(3))."""

from django.utils import timezone

from audit import log
from provisioning import ledger
from provisioning.models import Withdrawal


def is_withdrawn(*, session_hash: str) -> bool:
    """Tell whether this session took its consent back and has not stated it again since."""
    return Withdrawal.objects.filter(session_hash=session_hash).exists()


def withdraw(*, session_hash: str, event_request_id: str) -> int:
    """Withdraw the session's consent; return how many creations this call withdrew.

    From its commit on every process handles the session as declined, also where the number is 0.
    """
    with ledger.session_transaction(session_hash):
        Withdrawal.objects.update_or_create(
            session_hash=session_hash, defaults={"withdrawn_at": timezone.now()}
        )
        withdrawn = ledger.mark_withdrawn(session_hash=session_hash)
        log.record(
            kind="consent.withdrawn",
            subject=log.pseudonym(session_hash=session_hash),
            actor="visitor",
            request_id=event_request_id,
            data={"creations": withdrawn},
        )
    return withdrawn

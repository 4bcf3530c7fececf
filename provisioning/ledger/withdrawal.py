"""Taking consent back, as easily as it was given (GDPR art. 7(3)).

Anybody can withdraw for a session that they made up. So of one that no creation is known of only
the withdrawal itself is kept, in one row; what belongs to it in the audit log follows with the
session's first init, if ever there is one.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils import timezone

from audit import log
from audit.restore_list import What
from provisioning import metrics
from provisioning.ledger.listing import ids_of, list_after_commit
from provisioning.ledger.transactions import session_transaction
from provisioning.ledger.transitions import mark_withdrawn
from provisioning.models import Withdrawal, WithdrawalCase

UNMET_FOR = timedelta(days=400)
_BATCH = 1_000
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True)
class OnBehalf:
    """Who of the staff withdraws for a visitor; how (`Channel`) and when the visitor asked for it.

    `case` stands in an erasable row alone.
    """

    actor: str
    channel: str
    received: date
    case: str = ""

    @property
    def said(self) -> dict[str, object]:
        """Return what the event tells of it."""
        return {"channel": self.channel, "receivedOn": self.received.isoformat()}


def is_withdrawn(*, session_hash: str) -> bool:
    """Tell whether this session took its consent back and has not stated it again since."""
    return Withdrawal.objects.filter(session_hash=session_hash).exists()


def withdraw(*, session_hash: str, event_request_id: str, on_behalf: OnBehalf | None = None) -> int:
    """Withdraw the session's consent; return how many creations this call withdrew.

    From its commit on every process handles the session as declined, also where the number is 0.
    """
    now = timezone.now()
    with session_transaction(session_hash) as history:
        # What staff ask for concerns somebody that something is stored of, and is no invention.
        known = history.latest is not None or on_behalf is not None
        _, new = Withdrawal.objects.update_or_create(
            session_hash=session_hash,
            defaults={
                "withdrawn_at": now,
                "unmet_at": None if known else now,
                "platform_due_at": now if known else None,
                "platform_told_at": None,
            },
        )
        if on_behalf and on_behalf.case:
            WithdrawalCase.objects.create(
                session_hash=session_hash, withdrawn_at=now, case_number=on_behalf.case
            )
        if known:
            withdrawn = mark_withdrawn(session_hash=session_hash)
            # Repeating it changes nothing, so that nobody outside can make the list grow.
            if new or withdrawn:
                list_after_commit(what=What.WITHDRAWN, ids=ids_of(session_hash=session_hash))
            said = {"creations": withdrawn} | (on_behalf.said if on_behalf else {})
            actor = on_behalf.actor if on_behalf else "visitor"
            _record(session_hash, event_request_id, said, actor)
            return withdrawn
    metrics.UNMET_WITHDRAWALS.inc()
    return 0


def withdraw_again(*, session_hash: str, newest: UUID | None, at: datetime) -> None:
    """Withdraw once more what a restore brought back: up to the `newest` creation of then.

    `at`: when the visitor asked for it.
    """
    with session_transaction(session_hash):
        withdrawn = mark_withdrawn(session_hash=session_hash, newest=newest, at=at)
        Withdrawal.objects.get_or_create(
            session_hash=session_hash,
            defaults={"withdrawn_at": at, "platform_due_at": timezone.now()},
        )
        said = {"creations": withdrawn, "askedAt": log.timestamp(at), "reason": "restored"}
        _record(session_hash, "", said, "system")


def end_again(*, session_hash: str) -> None:
    """End a withdrawal that a restore brought back: consent was stated anew since."""
    with session_transaction(session_hash):
        Withdrawal.objects.filter(session_hash=session_hash).delete()
        log.record(
            kind="consent.restated",
            subject=log.pseudonym(session_hash=session_hash),
            data={"reason": "restored"},
        )


def meet_withdrawal(*, session_hash: str, event_request_id: str) -> None:
    """Record, in the transaction of a session's first init, what it withdrew before."""
    earlier = Withdrawal.objects.filter(session_hash=session_hash, unmet_at__isnull=False).first()
    if earlier is None:
        return
    Withdrawal.objects.filter(session_hash=session_hash).update(unmet_at=None)
    asked_at = log.timestamp(earlier.withdrawn_at)
    _record(session_hash, event_request_id, {"creations": 0, "askedAt": asked_at})


def forget_unmet_withdrawals() -> int:
    """Delete withdrawals that no init has met for UNMET_FOR; return how many."""
    now = timezone.now()
    # A clock that once ran ahead must not keep them for ever.
    Withdrawal.objects.filter(unmet_at__gt=now + _CLOCKS_DIFFER).update(unmet_at=now)
    old = Withdrawal.objects.filter(unmet_at__lte=now - UNMET_FOR)
    deleted = 0
    while keys := list(old.values_list("pk", flat=True)[:_BATCH]):
        # Asked again: an init or another request may have come meanwhile.
        deleted += old.filter(pk__in=keys).delete()[0]
    return deleted


def _record(
    session_hash: str, event_request_id: str, data: dict[str, object], actor: str = "visitor"
) -> None:
    log.record(
        kind="consent.withdrawn",
        subject=log.pseudonym(session_hash=session_hash),
        actor=actor,
        request_id=event_request_id,
        data=data,
    )

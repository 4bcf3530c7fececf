"""Consent taken back: the platform is told, and looked at once more.

The visitor's answer does not wait for this; from the withdrawal's commit on no token is issued and
no guest asked for. A consent stated anew deletes the withdrawal, and with it what was due.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from provisioning import ledger
from provisioning.follow_up.lookups import unsettled
from provisioning.follow_up.rounds import BATCH, go_round, is_due
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.platform import get_platform
from provisioning.models import GuestCreation, Withdrawal

LOOK_AGAIN_AFTER = timedelta(seconds=60)
PUT_OFF_FOR = timedelta(hours=1)


def tell_withdrawals() -> int:
    """Tell the platform of consents taken back; return how many sessions were dealt with."""
    if not get_platform().follows_up:
        return 0
    due = Withdrawal.objects.filter(is_due("platform_due_at", within=2 * PUT_OFF_FOR))
    return go_round(due.order_by("platform_due_at")[:BATCH], _tell, put_off=_put_off)


def waiting() -> int:
    """Return how many withdrawals the platform has not been told of; above 0 for long: see why."""
    if not get_platform().follows_up:
        return 0
    return Withdrawal.objects.filter(
        platform_due_at__isnull=False, platform_told_at__isnull=True
    ).count()


def _tell(withdrawal: Withdrawal, deadline: Deadline) -> bool:
    rows = GuestCreation.objects.filter(
        session_hash=withdrawal.session_hash, platform=settings.GENESYS_PLATFORM
    )
    # An init that is under way may still give consent there: only after it is the last word ours.
    if rows.filter(ledger.in_work()).exists() or _unsettled(withdrawal):
        return False
    told = rows.filter(withdrawn_at__isnull=False).exclude(guest_id="")
    _withdraw(told.order_by().values_list("guest_id", flat=True).distinct(), deadline)
    # What was under way on the platform itself may have come after us.
    again = withdrawal.platform_told_at is None
    ours = Withdrawal.objects.filter(
        session_hash=withdrawal.session_hash, withdrawn_at=withdrawal.withdrawn_at
    )
    now = timezone.now()
    due = now + LOOK_AGAIN_AFTER if again else None
    return bool(ours.update(platform_told_at=now, platform_due_at=due))


def _withdraw(guest_ids: Iterable[str], deadline: Deadline) -> None:
    for guest_id in guest_ids:
        get_platform().withdraw(guest_id=guest_id, deadline=deadline)


def _unsettled(withdrawal: Withdrawal) -> bool:
    return unsettled().filter(session_hash=withdrawal.session_hash).exists()


def _put_off(withdrawal: Withdrawal) -> None:
    row = Withdrawal.objects.filter(session_hash=withdrawal.session_hash)
    row.update(platform_due_at=timezone.now() + PUT_OFF_FOR)

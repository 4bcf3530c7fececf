"""Settle what a crash left open. Only rows that are overdue are touched: nobody works on them.

An init that has not ended by its deadline plus five seconds never will, in any process: the
deadline bounds every wait it makes (contract, section 5).
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from provisioning import ledger
from provisioning.ledger import Entry
from provisioning.ledger.transactions import in_work
from provisioning.models import GuestCreation, Status

BATCH = 500
_NEEDED = (
    *("id", "status", "session_hash", "event_request_id"),
    *("consent_given", "consent_type", "salt", "guest_id"),
)


@dataclass(frozen=True)
class Recovered:
    """How many rows were settled, and as what."""

    unknown: int = 0
    failed: int = 0
    resting: int = 0


def recover() -> Recovered:
    """Settle every overdue row.

    PENDING → UNKNOWN (the platform may have made the guest), QUEUED → FAILED (nobody called it);
    a guest without a token rests until the session comes again.
    """
    unknown = failed = resting = 0
    while rows := list(_overdue()[:BATCH]):
        for row in rows:
            entry = Entry.of(row, row.request_in_events)
            if row.status == Status.PENDING:
                unknown += ledger.give_up(
                    entry=entry, leaving=Status.PENDING, status=Status.UNKNOWN
                )
            elif row.status == Status.QUEUED:
                failed += ledger.give_up(entry=entry, leaving=Status.QUEUED, status=Status.FAILED)
            else:
                ledger.rest(entry=entry)
                resting += 1
    return Recovered(unknown, failed, resting)


def bring_back(*, slack: timedelta) -> int:
    """Date creations that lie more than `slack` ahead of our clock now; return how many.

    A clock that once ran ahead must not keep them from ageing. Their events say what it said then.
    """
    now = timezone.now()
    ahead = GuestCreation.objects.filter(erased_at=None, created_at__gt=now + slack)
    return ahead.update(created_at=now)


def _overdue() -> QuerySet[GuestCreation]:
    return (
        GuestCreation.objects.filter(overdue_at__isnull=False)
        .exclude(in_work())
        .only(*_NEEDED)
        .order_by("overdue_at")
    )

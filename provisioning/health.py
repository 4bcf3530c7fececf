"""What provisioning says of itself: for ``/readyz``, ``/metrics``, the dashboard and `doctor`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from audit.models import AuditEvent, SubjectSalt
from backoffice.lists import count
from provisioning import ledger, mappings, reviews
from provisioning.follow_up import deletions, withdrawals
from provisioning.genesys import checking
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError
from provisioning.genesys.gate import GateState
from provisioning.genesys.platform import get_platform
from provisioning.ledger.transactions import short_transaction
from provisioning.models import GuestCreation, Reason, Status, WriteProbe, waits_for

_WRITE = (
    f"INSERT INTO {WriteProbe._meta.db_table} (id, written_at) VALUES (1, CURRENT_TIMESTAMP)"  # noqa: S608
    " ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at"
)
# In one message, so that nothing of ours that stops in between holds a lock on anybody. The locks
# are those that an init's rows need; whoever keeps an init from them keeps us.
_WRITE_AS_AN_INIT = """
SET LOCAL lock_timeout = '{milliseconds}ms'; SET LOCAL statement_timeout = '{milliseconds}ms';
LOCK TABLE {tables} IN ROW EXCLUSIVE MODE; {write}
"""
_TABLES = ", ".join(
    model._meta.db_table for model in (GuestCreation, AuditEvent, SubjectSalt, WriteProbe)
)

_HOUSEKEEPING = 2  # its row beside the one of /readyz


@dataclass(frozen=True)
class Answer:
    """What came of one question to the platform.

    `remedy` is empty where all is in order; `tried` is false for what shows only when it is done.
    """

    name: str
    said: str = ""
    remedy: str = ""
    tried: bool = True


def platform_state() -> GateState:
    """Return whether the platform may be called now, why not, and how much of our rate is free."""
    return get_platform().calls.gate.state()


def ask_platform() -> Iterator[Answer]:
    """Ask the platform what its calls need, by calls that change nothing.

    Ends where an answer is missing without which no other makes sense. Raises DatabaseError where
    the attribute mappings cannot be read.
    """
    for check in get_platform().checks(attributes=mappings.in_force):
        if check.look is None:
            yield Answer(check.name, tried=False)
            continue
        try:
            found = check.look(Deadline(seconds=settings.GENESYS_DEADLINE))
        except PlatformError as exc:
            yield Answer(check.name, checking.said(error=exc), checking.remedy(error=exc))
            if check.vital:
                return
        else:
            yield Answer(check.name, found)


def queue_depth() -> int | None:
    """Return how many inits wait for the worker; None where there is no broker."""
    return ledger.queue_depth() if settings.CELERY_BROKER_URL else None


def oldest_queued_age() -> float:
    """Return for how many seconds the longest waiting init has waited; 0 when none waits.

    Above half a minute: nobody works on the queue. Its length tells that late where few come.
    """
    return _oldest_age(GuestCreation.objects.filter(status=Status.QUEUED).order_by("id"))


def overdue(*, since: timedelta = timedelta(0)) -> int:
    """Return how many creations recovery should have settled; above 0 for long: it is not run.

    `since`: so long ago at least.
    """
    rows = GuestCreation.objects.filter(overdue_at__isnull=False)
    if since:
        rows = rows.filter(overdue_at__lt=timezone.now() - since)
    return rows.exclude(ledger.in_work()).count()


def withdrawals_to_tell() -> int:
    """Return how many consents were taken back of which the platform does not know yet."""
    return withdrawals.waiting()


def deletions_for_a_person() -> int:
    """Return how many guests of erased persons somebody has to delete on the platform."""
    return deletions.waiting_for_a_person()


def to_review() -> int:
    """Return how many creations wait for review; counting stops beyond 1,000."""
    return count(reviews.waiting())


def oldest_review_age() -> float:
    """Return for how many seconds the longest waiting of them has waited; 0 when none waits."""
    return _oldest_age(reviews.waiting().reverse())


def unknown_to_review() -> int:
    """Return how many creations of unknown outcome nobody has reviewed, up to 1,001."""
    return count(GuestCreation.objects.filter(waits_for(Reason.OUTCOME)))


def note_housekeeping() -> None:
    """Leave word that housekeeping runs: with no visitor there is nothing else to tell by."""
    now = {"written_at": timezone.now()}
    WriteProbe.objects.update_or_create(id=_HOUSEKEEPING, defaults=now)


def housekeeping_age() -> float | None:
    """Return how many seconds ago housekeeping left word, None where it never did."""
    rows = WriteProbe.objects.filter(id=_HOUSEKEEPING).values_list("written_at", flat=True)
    written_at = rows.first()
    return (timezone.now() - written_at).total_seconds() if written_at else None


def write_once(*, patience: float) -> None:
    """Write and commit one row, waiting `patience` seconds for the locks that an init needs.

    Raises DatabaseError or InterfaceError where that cannot be done.
    """
    if connection.vendor == "sqlite":  # one lock for everything; its wait ends with `time_left`
        with short_transaction(), connection.cursor() as cursor:
            cursor.execute(_WRITE)
        return
    with connection.cursor() as cursor:
        milliseconds = int(patience * 1000)
        cursor.execute(
            _WRITE_AS_AN_INIT.format(milliseconds=milliseconds, tables=_TABLES, write=_WRITE)
        )


def _oldest_age(rows: QuerySet[GuestCreation]) -> float:
    """Return the age in seconds of the first of `rows`, which come the oldest first."""
    since = rows.values_list("created_at", flat=True).first()
    return (timezone.now() - since).total_seconds() if since else 0.0

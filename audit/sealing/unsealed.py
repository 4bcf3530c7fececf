"""Which events wait for a seal: those without a leaf, found without reading the whole log.

Not a high-water mark: on PostgreSQL a transaction may commit after a younger event was sealed. So
every search looks `LOOK_BACK` behind the newest sealed event, and once a day behind everything.
Ids are UUIDv7, so a point in time is a place in the primary key.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from audit.models import AuditEvent, AuditLeaf, AuditSeal
from backoffice.periods import id_at, moment_of

LOOK_BACK = timedelta(minutes=5)
SWEEP_EVERY = timedelta(days=1)
SWEPT = "audit.swept"
BEGINNING = UUID(int=0)


def events(*, after: UUID) -> QuerySet[AuditEvent]:
    """Return the events with an id above `after` that have no leaf, oldest first."""
    # The leaf's own bound follows from the event's; planners do not see it, and read every leaf.
    leaf = AuditLeaf.objects.filter(event_id=OuterRef("id"), event_id__gt=after)
    return AuditEvent.objects.filter(~Exists(leaf), id__gt=after).order_by("id")


def horizon() -> UUID:
    """Return the id behind which, but for the rare late commit, everything is sealed."""
    newest = AuditLeaf.objects.order_by("-position").values_list("event_id", flat=True).first()
    if newest is None:
        return BEGINNING
    # A clock that once ran ahead must not hide what happened since.
    return id_at(min(moment_of(newest), datetime.now(UTC)) - LOOK_BACK)


def sweep_is_due() -> bool:
    """Tell whether a day has passed since the last sweep, or without one since the first seal."""
    now = datetime.now(UTC)
    # One that a clock ahead of ours dated is no reason to wait for that day.
    swept = AuditEvent.objects.filter(kind=SWEPT, time__lte=now).order_by("-id")
    last = swept.values_list("time", flat=True).first()
    if last is None:
        last = AuditSeal.objects.order_by("number").values_list("time", flat=True).first()
    return last is not None and not timedelta(0) <= now - last <= SWEEP_EVERY

"""Figures of the last days, counted from one index and no rows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from provisioning.models import ConsentBasis, GuestCreation, Status


@dataclass(frozen=True)
class Figures:
    """What became of some inits; `stated` counts a yes that was said."""

    inits: int = 0
    ready: int = 0
    failed: int = 0
    unknown: int = 0
    declined: int = 0
    assumed: int = 0
    stated: int = 0

    @property
    def consent_rate(self) -> float | None:
        """Return which share of the inits rests on a stated yes, 0 to 1; None without inits."""
        return self.stated / self.inits if self.inits else None


def _count(**condition: object) -> Count:
    # Of a column that the index has and that is never NULL, or the database would read the rows.
    return Count("created_at", filter=Q(**condition))


# In the order of the fields of `Figures`.
_COUNTED = {
    "inits": Count("created_at"),
    "ready": _count(status=Status.READY),
    "failed": _count(status=Status.FAILED),
    "unknown": _count(status=Status.UNKNOWN),
    "declined": _count(consent_given=False),
    "assumed": _count(consent_basis=ConsentBasis.ASSUMED),
    "stated": _count(consent_given=True, consent_basis=ConsentBasis.STATED),
}


def by_day(*, since: datetime, days: int) -> dict[date, Figures]:
    """Return the figures of each of `days` days (UTC) from the midnight `since` on."""
    rows = (
        GuestCreation.objects.filter(created_at__gte=since)
        .annotate(day=TruncDate("created_at", tzinfo=UTC))
        .order_by()
        .values("day")
        .annotate(**_COUNTED)
        .values_list("day", *_COUNTED)
    )
    found = {day: Figures(*counts) for day, *counts in rows}
    dates = [(since + timedelta(days=number)).date() for number in range(days)]
    return {day: found.get(day, Figures()) for day in dates}


def total(figures: Iterable[Figures]) -> Figures:
    """Return the sum of `figures`."""
    counted: Counter[str] = Counter()
    for one in figures:
        counted.update(vars(one))
    return Figures(**counted)

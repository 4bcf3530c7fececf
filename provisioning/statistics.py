"""Figures of the last days, counted from one index and no rows."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count
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


@dataclass(frozen=True)
class _Group:
    day: date
    status: str
    given: bool
    basis: str
    number: int


_COUNTED: dict[str, Callable[[_Group], bool]] = {
    "inits": lambda group: True,
    "ready": lambda group: group.status == Status.READY,
    "failed": lambda group: group.status == Status.FAILED,
    "unknown": lambda group: group.status == Status.UNKNOWN,
    "declined": lambda group: not group.given,
    "assumed": lambda group: group.basis == ConsentBasis.ASSUMED,
    "stated": lambda group: group.given and group.basis == ConsentBasis.STATED,
}


def by_day(*, since: datetime, days: int) -> dict[date, Figures]:
    """Return the figures of each of `days` days (UTC) from the midnight `since` on."""
    rows = (
        GuestCreation.objects.filter(created_at__gte=since)
        .annotate(day=TruncDate("created_at"))
        .order_by()
        .values_list("day", "status", "consent_given", "consent_basis")
        .annotate(number=Count("*"))
    )
    groups = [_Group(*row) for row in rows]
    dates = [(since + timedelta(days=number)).date() for number in range(days)]
    return {day: _figures(group for group in groups if group.day == day) for day in dates}


def total(figures: Iterable[Figures]) -> Figures:
    """Return the sum of `figures`."""
    counted: Counter[str] = Counter()
    for one in figures:
        counted.update(vars(one))
    return Figures(**counted)


def _figures(groups: Iterable[_Group]) -> Figures:
    counted: Counter[str] = Counter()
    for group in groups:
        for name, counts in _COUNTED.items():
            counted[name] += group.number * counts(group)
    return Figures(**counted)

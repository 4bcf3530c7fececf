"""What narrows the list of events: kind, days, actor.

Each has an index; visitors and the system cause most of what there is, and need none.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from audit.admin import sentences
from audit.models import AuditEvent
from backoffice.periods import id_at

Events = models.QuerySet[AuditEvent]


class KindFilter(admin.SimpleListFilter):
    """Narrow to a kind; the kinds are found by skipping through their index, not by DISTINCT."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in kinds()]

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    """Narrow to who caused it: visitors, the system, or one of the staff, by name."""

    title = "actor"
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # Whoever left the staff, too: what they did is still there.
        staff = User.objects.order_by("username")
        named = sentences.names(
            actors=[f"staff:{key}" for key in staff.values_list("pk", flat=True)]
        )
        return [("visitor", "Visitors"), ("system", "The system"), *named.items()]

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:
        return queryset.filter(actor=self.value()) if self.value() else queryset


class DaysFilter(admin.ListFilter):
    """Narrow to the days from one to another, both included, by the time in an event's id."""

    title = "days"
    template = "admin/audit/auditevent/days_filter.html"
    parameter_names = ("first", "last")

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.parameter_names:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameter_names)

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        """Yield what the form holds: its two days, and what narrows the list besides."""
        others = {name: changelist.params.get(name, "") for name in ("q", "kind", "actor", "days")}
        yield {
            "first": self.used_parameters.get("first", ""),
            "last": self.used_parameters.get("last", ""),
            "others": [pair for pair in others.items() if pair[1]],
        }

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:
        try:
            since, until = moments(**{name: self._day(name) for name in ("first", "last")})
        except ValueError:
            return queryset.none()
        if since:
            queryset = queryset.filter(id__gte=id_at(since))
        return queryset.filter(id__lt=id_at(until)) if until else queryset

    def _day(self, name: str) -> date | None:
        text = str(self.used_parameters.get(name, ""))
        return date.fromisoformat(text) if text else None


def moments(*, first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Return when the day `first` begins and the day `last` has ended, where they are given.

    Raises ValueError for a day before 1970 or at the end of time.
    """
    try:
        since = _midnight(first) if first else None
        until = _midnight(last + timedelta(days=1)) if last else None
    except OverflowError as exc:
        raise ValueError("there is no day after it") from exc
    if any(moment and moment.timestamp() < 0 for moment in (since, until)):
        raise ValueError("nothing was recorded then")
    return since, until


def kinds() -> Iterator[str]:
    """Yield each kind there is, in alphabetical order."""
    kind = ""
    found = AuditEvent.objects.order_by("kind").values_list("kind", flat=True)
    while kind := found.filter(kind__gt=kind).first() or "":
        yield kind


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))

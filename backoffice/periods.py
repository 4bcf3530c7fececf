"""Times on staff pages: one form for all, and periods of a list.

A period goes by the time that is in a UUIDv7: the index of the ids serves it.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

_FORM = "%Y-%m-%d %H:%M:%S"
# days shown -> its name; a period begins at midnight UTC, as the dashboard's figures do.
PERIODS = {"1": "Today", "7": "Last 7 days", "30": "Last 30 days"}


def moment(time: datetime | None) -> SafeString:
    """Return `time` as staff pages show it: in the staff's time zone, with UTC on hover."""
    if time is None:
        return SafeString("–")
    utc, shown = time.astimezone(UTC), timezone.localtime(time)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        utc.isoformat(),
        f"{utc:{_FORM}}",
        f"{shown:{_FORM}}",
    )


class ShowsTimes(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows each time that nobody edits by `moment`: in the list, and on the page of a row.

    Django writes them itself, without UTC. Every page of a model in the admin is of this kind.
    """

    def get_list_display(self, request: HttpRequest) -> Any:
        return [self._shown(column) for column in super().get_list_display(request)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [self._shown(column) for column in super().get_readonly_fields(request, obj)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        # Who may not change a row sees all of it as Django shows what is read-only.
        closed = obj is not None and not self.has_change_permission(request, obj)
        fixed = fieldset_names(fieldsets) if closed else self.get_readonly_fields(request, obj)
        names = {self._name(column) for column in fixed}
        return [
            (title, {**options, "fields": self._with_times(options["fields"], names)})
            for title, options in fieldsets
        ]

    def _with_times(self, fields: Iterable[Any], fixed: set[str]) -> list[Any]:
        return [
            self._with_times(each, fixed)
            if isinstance(each, list | tuple)
            else self._shown(each)
            if each in fixed
            else each
            for each in fields
        ]

    def _shown(self, column: Any) -> Any:
        return self._times.get(column, column)

    def _name(self, column: Any) -> str:
        return column if isinstance(column, str) else column.__name__

    @cached_property
    def _times(self) -> dict[str, Any]:
        """Return what stands for each column of times: the same each time, as Django compares."""
        fields = self.opts.get_fields()
        return {f.name: _column(f) for f in fields if isinstance(f, models.DateTimeField)}


def fieldset_names(fieldsets: Iterable[Any]) -> Iterator[Any]:
    """Yield each field of an admin's `fieldsets`."""
    for _, options in fieldsets:
        for each in options["fields"]:
            yield from each if isinstance(each, list | tuple) else [each]


def _column(field: Any) -> Any:
    @admin.display(description=field.verbose_name, ordering=field.name)
    def shown(row: models.Model) -> SafeString:
        return moment(getattr(row, field.name))

    shown.__name__ = field.name  # which Django makes the cell's class of
    return shown


class PeriodFilter(admin.SimpleListFilter):
    """Narrow to the last days by the id, a UUIDv7, whose index is there anyway."""

    title = "period"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(PERIODS.items())

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> models.QuerySet[Any]:
        days = self.value()
        if days not in PERIODS:
            return queryset.none() if days else queryset
        return queryset.filter(id__gte=id_at(period_start(days=int(days))))


def period_start(*, days: int) -> datetime:
    """Return the midnight (UTC) that begins the last `days` days, today included."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def id_at(moment: datetime) -> UUID:
    """Return the lowest UUIDv7 of `moment`'s millisecond (RFC 9562, section 5.7)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def moment_of(event_id: UUID) -> datetime:
    """Return the time in a UUIDv7; any other UUID gives some time that `datetime` can hold."""
    return datetime.fromtimestamp(min((event_id.int >> 80) / 1000, 253_402_300_799), UTC)

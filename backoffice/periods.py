"""Times on staff pages: one form for all, and periods of a list.

A period goes by the time that is in a UUIDv7: the index of the ids serves it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

# days shown -> its name; a period begins at midnight UTC, as the dashboard's figures do.
_FORM = "%Y-%m-%d %H:%M:%S"
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

"""What the admin's lists share: bounded paging, books nobody writes in, periods by UUIDv7."""

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest

from audit import unsealed

# days shown -> its name; a period begins at midnight UTC, as the dashboard's figures do.
PERIODS = {"1": "Today", "7": "Last 7 days", "30": "Last 30 days"}


class NewestPaginator(Paginator):  # type: ignore[type-arg]
    """Pages through the newest `LIMIT` rows: neither the count nor an offset reads further."""

    LIMIT = 5_000

    @cached_property
    def count(self) -> int:
        """Return how many rows there are to page through, at most `LIMIT`."""
        rows = cast(models.QuerySet[Any], self.object_list)
        # The keys alone, or PostgreSQL would work out every annotation just to count rows.
        return rows.values("pk")[: self.LIMIT].count()


class BoundedList(ChangeList):
    """Never asks for more rows than a page has.

    Django asks for all where one page holds them; should PostgreSQL's statistics be from before the
    queue was worked off, it then reads the table for the few, or none, that are left.
    """

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.result_list[: self.list_per_page]


class ClosedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nobody adds, changes or deletes, superusers included; the triggers would refuse it anyway."""

    actions: Any = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    paginator = NewestPaginator
    list_per_page = 50

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
        return queryset.filter(id__gte=unsealed.id_at(period_start(days=int(days))))


def period_start(*, days: int) -> datetime:
    """Return the midnight (UTC) that begins the last `days` days, today included."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)

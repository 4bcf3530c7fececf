"""What the admin's lists share: bounded paging, and records that nobody writes."""

from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest

from backoffice.periods import ShowsTimes

COUNTED = 1_000


def count(rows: models.QuerySet[Any]) -> int:
    """Return how many `rows` there are; counting stops beyond `COUNTED`."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()


def as_counted(number: int) -> str:
    """Return what `count` found, as people read it: 1,000+ where it stopped."""
    return f"{COUNTED:,}+" if number > COUNTED else f"{number:,}"


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


class NamedFilters(ShowsTimes):
    """Lists are narrowed by their filters alone.

    Django takes any look-up of any column from an address: a session's hash would stand there, and
    in the log, and a pattern or a date the database cannot use would be an error of ours.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return any(lookup in _lookups(each) for each in self.list_filter)


class ClosedAdmin(NamedFilters):
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


def _lookups(list_filter: Any) -> tuple[str, ...]:
    """Return the names under which a filter of a list stands in an address."""
    if isinstance(list_filter, str):
        return list_filter, f"{list_filter}__exact"
    return getattr(list_filter, "parameter_names", None) or (list_filter.parameter_name,)

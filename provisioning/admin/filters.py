"""The saved filters that reviewers work from, shown as tabs, and the narrower ones beside them.

Each is a look-up in an index that ends with the id, so that no page of theirs reads the table.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from backoffice.periods import PERIODS
from provisioning.models import TO_REVIEW, ConsentBasis, GuestCreation, Status

# tab -> its name and its condition; `queue` is what nobody has looked at yet.
_TABS = {
    "queue": ("To review", TO_REVIEW),
    "unknown": ("Unknown outcome", Q(status=Status.UNKNOWN)),
    "assumed": ("Assumed consent", Q(consent_basis=ConsentBasis.ASSUMED)),
    "stated": ("Stated consent", Q(consent_given=True, consent_basis=ConsentBasis.STATED)),
    "declined": ("Declined", Q(consent_given=False)),
    "withdrawn": ("Withdrawn", Q(withdrawn_at__isnull=False)),
}


class TabFilter(admin.SimpleListFilter):
    """Narrow to one of the tabs; an unknown tab has nothing in it."""

    title = "list"
    parameter_name = "tab"
    template = "admin/provisioning/guestcreation/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(tab, name) for tab, (name, _) in _TABS.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[GuestCreation]
    ) -> QuerySet[GuestCreation]:
        tab = self.value()
        if tab is None:
            return queryset
        return queryset.filter(_TABS[tab][1]) if tab in _TABS else queryset.none()


class SameSessionFilter(admin.SimpleListFilter):
    """The creations of the session that a given creation is of: no hash stands in the address."""

    title = "same visitor"
    parameter_name = "like"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.value() or "", "as one creation")] if self.value() else []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[GuestCreation]
    ) -> QuerySet[GuestCreation]:
        if not self.value():
            return queryset
        try:
            named = GuestCreation.objects.filter(pk=UUID(self.value())).exclude(session_hash="")
        except ValueError:
            return queryset.none()
        return queryset.filter(session_hash__in=list(named.values_list("session_hash", flat=True)))


# What an event may say of a filter: the log is for good, and an address may hold anything.
_RECORDED: dict[str, Collection[str]] = {
    "tab": _TABS,
    "days": PERIODS,
    "status__exact": Status.values,
    "consent_basis__exact": ConsentBasis.values,
}


def narrowed(request: HttpRequest) -> dict[str, str]:
    """Return what narrowed the list, for the audit log: names and values of our own alone."""
    given = request.GET.items()
    ours = {str(name): str(value) for name, value in given if value in _RECORDED.get(name, ())}
    return ours | {name: "given" for name in ("like", "found") if request.GET.get(name)}

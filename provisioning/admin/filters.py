"""The saved filters that reviewers work from, shown as tabs, and the narrower ones beside them.

Each is a look-up in an index that ends with the id, so that no page of theirs reads the table.
"""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from backoffice.lists import as_counted, count
from backoffice.periods import PERIODS
from provisioning.models import (
    TO_REVIEW,
    ConsentBasis,
    GuestCreation,
    Reason,
    Status,
    Verdict,
    has_reason,
    waits_for,
)

FOLLOW_UP = Q(verdict=Verdict.FOLLOW_UP)
# tab -> its name and its condition; `queue` is what nobody has looked at yet.
_TABS = {
    "queue": ("To review", TO_REVIEW),
    "followup": ("Needs follow-up", FOLLOW_UP),
    "unknown": ("Unknown outcome", Q(status=Status.UNKNOWN)),
    "assumed": ("Assumed consent", Q(consent_basis=ConsentBasis.ASSUMED)),
    "stated": ("Stated consent", Q(consent_given=True, consent_basis=ConsentBasis.STATED)),
    "declined": ("Declined", Q(consent_given=False)),
    "withdrawn": ("Withdrawn", Q(withdrawn_at__isnull=False)),
}
_COUNTED = ("queue", "followup")
_RIGHTS = "django.contrib.auth.backends.ModelBackend"
_MOST = 50


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

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Add how many rows the tabs hold that somebody has to work off."""
        everything, *tabs = super().choices(changelist)
        yield dict(everything)
        for (tab, (_, condition)), choice in zip(_TABS.items(), tabs, strict=True):
            found = count(GuestCreation.objects.filter(condition)) if tab in _COUNTED else 0
            yield {**choice, "count": as_counted(found) if found else ""}


class WhyFilter(admin.SimpleListFilter):
    """Narrow to one of the reasons for a review; beside follow-ups, to what waits for it."""

    title = "why it waits"
    parameter_name = "why"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason.value, str(reason.label)) for reason in Reason]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[GuestCreation]
    ) -> QuerySet[GuestCreation]:
        why = self.value()
        if why is None:
            return queryset
        if why not in Reason.values:
            return queryset.none()
        # A review is no reason less to follow up; elsewhere each reason's index has what waits.
        condition = has_reason if request.GET.get("tab") == "followup" else waits_for
        return queryset.filter(condition(Reason(why)))


class ReviewerFilter(admin.SimpleListFilter):
    """Narrow to what somebody was the last to review."""

    title = "reviewer"
    parameter_name = "reviewer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # Whoever left may no longer sign in, and has reviewed all the same.
        anybody: Any = None
        may = User.objects.with_perm("provisioning.add_review", is_active=anybody, backend=_RIGHTS)
        return [(str(user.pk), user.get_username()) for user in may.order_by("username")[:_MOST]]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[GuestCreation]
    ) -> QuerySet[GuestCreation]:
        reviewer = self.value()
        if reviewer is None:
            return queryset
        known = {key for key, _ in self.lookup_choices}
        return queryset.filter(reviewer_id=int(reviewer)) if reviewer in known else queryset.none()


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
    "why": Reason.values,
    "verdict__exact": Verdict.values,
    "status__exact": Status.values,
    "consent_basis__exact": ConsentBasis.values,
}


def narrowed(request: HttpRequest) -> dict[str, str]:
    """Return what narrowed the list, for the audit log: names and values of our own alone."""
    given = request.GET.items()
    ours = {str(name): str(value) for name, value in given if value in _RECORDED.get(name, ())}
    return ours | {name: "given" for name in ("like", "found", "reviewer") if request.GET.get(name)}

"""The list of guest creations, made for review; nobody adds, changes or deletes one."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.safestring import SafeString

from audit import staff
from backoffice.downloads import csv_download
from backoffice.inert import mask_address, visible
from backoffice.lists import ClosedAdmin
from backoffice.periods import PeriodFilter, moment
from backoffice.search import FindsByPost, FoundFilter
from crm.models import CrmRecord
from provisioning.admin import badges, detail, filters, people, reviewing, search
from provisioning.admin.filters import ReviewerFilter, SameSessionFilter, TabFilter, WhyFilter
from provisioning.models import GuestCreation, reasons_of, stored

EXPORTED = (
    "id", "created_at", "status", "consent_given", "consent_type", "consent_basis",
    "notice_version", "language", "gpc", "withdrawn_at", "erased_at", "guest_id", "error_code",
    "platform_status", "platform_code", "correlation_id", "echo_mismatch", "review_reasons",
    "reviewed_at", "verdict", "reviewer__username",
)  # fmt: skip


@admin.register(GuestCreation)
class GuestCreationAdmin(FindsByPost, ClosedAdmin):
    """Creations, newest first; reviews are recorded beside them, never in them."""

    list_display = ("created", "status_badge", "consent_badge", "why", "address", "shown", "state")
    list_display_links = ("created",)
    list_filter = (TabFilter, PeriodFilter, WhyFilter, "status", "consent_basis", "verdict",
                   ReviewerFilter, FoundFilter, SameSessionFilter)  # fmt: skip
    ordering = ("-id",)
    sortable_by = ()
    actions = (reviewing.review_selected,)
    find_help = "Guest id, session id, session hash, request id or e-mail address"

    def get_queryset(self, request: HttpRequest) -> QuerySet[GuestCreation]:
        """Add the address to the rows of a page: an index look-up a row, one query."""
        record = CrmRecord.objects.filter(session_hash=OuterRef("session_hash"))
        return GuestCreation.objects.annotate(crm_email=Subquery(record.values("email")[:1]))

    @admin.display(description="time")
    def created(self, creation: GuestCreation) -> SafeString:
        return moment(creation.created_at)

    @admin.display(description="status")
    def status_badge(self, creation: GuestCreation) -> SafeString:
        return badges.status(creation)

    @admin.display(description="consent")
    def consent_badge(self, creation: GuestCreation) -> SafeString:
        return badges.consent(creation)

    @admin.display(description="why")
    def why(self, creation: GuestCreation) -> SafeString:
        return badges.why(creation)

    @admin.display(description="address")
    def address(self, creation: Any) -> str:
        # Whoever declined went out under a random name: the record's address was never sent.
        if not creation.consent_given or not creation.crm_email:
            return "not known" if creation.consent_given else "not sent"
        return mask_address(creation.crm_email)

    @admin.display(description="notice")
    def shown(self, creation: GuestCreation) -> str:
        return visible(f"{creation.notice_version} {creation.language}".strip() or "–")

    @admin.display(description="review")
    def state(self, creation: GuestCreation) -> SafeString:
        if creation.verdict:
            return badges.verdict(creation.verdict)
        word = "Reviewed" if creation.reviewed_at else "Not reviewed"
        return badges.badge(word=word, tone="quiet")

    def has_review_permission(self, request: HttpRequest) -> bool:
        """Tell who may record reviews; `reviewing.review_selected` asks."""
        return request.user.has_perm("provisioning.add_review")

    def find(self, *, term: str) -> list[Any]:
        return search.creations(term=term)

    def get_urls(self) -> list[Any]:
        site = self.admin_site.admin_view
        name = "provisioning_guestcreation"
        return [
            path("export/", site(self.export_view), name=f"{name}_export"),
            path("<uuid:pk>/change/", site(detail.page(self)), name=f"{name}_change"),
            *people.urls(),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Stream what the list is narrowed to, and record who took it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        chosen = rows.order_by("-id").values(*EXPORTED)
        data = {"filter": filters.narrowed(request), "rows": rows.values("pk").count()}
        staff.record_view(request, kind="creations.exported", data=data)
        return csv_download(  # type: ignore[return-value]
            name="guest-creations.csv",
            header=[name.partition("__")[0] for name in EXPORTED],
            rows=_rows(chosen),
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        own = {"title": "Guest creations", "find_help": self.find_help}
        return super().changelist_view(request, own | (extra_context or {}))


def _rows(chosen: QuerySet[Any, Any]) -> Iterator[Sequence[object]]:
    for row in chosen.iterator(chunk_size=2_000):
        # Of a row of an earlier release, too, in which they are not written.
        row["review_reasons"] = stored(reasons_of(row))
        yield list(row.values())

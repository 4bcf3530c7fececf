"""CRM records: found by search, shown masked in lists, edited by those who may."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.safestring import SafeString

from audit import log, staff
from backoffice.confirming import AsksToDelete, Question
from backoffice.inert import mask, mask_address, visible
from backoffice.lists import NewestPaginator
from backoffice.periods import moment
from backoffice.search import MOST, FindsByPost, FoundFilter
from crm import changes, lookup
from crm.admin import exporting, importing
from crm.admin.record_form import CrmRecordForm
from crm.models import CrmRecord
from crm.sessions import session_keys

REVEAL = "crm.reveal_crmrecord"
_TOO_MANY = (
    f"A file has columns for {exporting.MOST_ATTRIBUTES} further attributes, and these records have"
    " more: export what a search found."
)
_MASKED = ("masked_email", "masked_name", "shown_tier", "previous_tickets", "masked_attributes")


def find_records(*, term: str) -> list[int]:
    """Return the keys of the records that `term` names: a session id, its hash, or an address."""
    trimmed = term.strip()
    keys = {*session_keys(term=term), *session_keys(term=trimmed)}
    found = [*CrmRecord.objects.filter(session_hash__in=keys).values_list("pk", flat=True)]
    if "@" in trimmed:
        rows = lookup.records_of(address=trimmed).order_by("-pk")[:MOST]
        found += rows.values_list("pk", flat=True)
    return found


@admin.register(CrmRecord)
class CrmRecordAdmin(FindsByPost, AsksToDelete):
    """Who the visitors are. Opening a record in clear is recorded in the audit log."""

    deletes, deleted = "Delete selected CRM records", "CRM records deleted"
    form = CrmRecordForm
    list_display = ("masked_email", "masked_name", "shown_tier", "previous_tickets", "updated")
    list_filter = (FoundFilter,)
    ordering = ("-pk",)
    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    paginator = NewestPaginator
    list_per_page = 50
    find_help = "Session id, session hash or e-mail address"
    readonly_fields = ("record_id", "version", "created_at", "updated_at")

    @admin.display(description="e-mail")
    def masked_email(self, record: CrmRecord) -> str:
        return mask_address(record.email)

    @admin.display(description="first name")
    def masked_name(self, record: CrmRecord) -> str:
        return mask(record.first_name) or "–"

    @admin.display(description="tier")
    def shown_tier(self, record: CrmRecord) -> str:
        return visible(record.tier)

    @admin.display(description="updated")
    def updated(self, record: CrmRecord) -> SafeString:
        return moment(record.updated_at)

    @admin.display(description="session hash")
    def shown_session(self, record: CrmRecord) -> str:
        # The key that a pepper makes is shown to nobody.
        return "hidden by the pepper" if settings.SESSION_HASH_PEPPER else record.session_hash

    @admin.display(description="further attributes")
    def masked_attributes(self, record: CrmRecord) -> str:
        return ", ".join(f"{visible(name)}: …" for name in record.attributes) or "–"

    def get_fields(self, request: HttpRequest, obj: CrmRecord | None = None) -> Any:
        """Show values in clear to those who may change them, masked to everybody else."""
        masked = obj and not self.has_change_permission(request, obj)
        if masked:
            return [*_MASKED, *self.readonly_fields]
        values = CrmRecordForm.Meta.fields
        return ["shown_session", *values, *self.readonly_fields] if obj else ["session_id", *values]

    def get_readonly_fields(self, request: HttpRequest, obj: CrmRecord | None = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        return [*_MASKED[:3], _MASKED[4], "shown_session", *fixed]

    def has_change_permission(self, request: HttpRequest, obj: CrmRecord | None = None) -> bool:
        """Refuse editing to those who may not see what they would edit."""
        allowed = super().has_change_permission(request, obj)
        return allowed and request.user.has_perm(REVEAL)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show or save a record; who sees it in clear is recorded first."""
        record = self.get_object(request, object_id)
        if record and request.method == "GET" and self.has_change_permission(request, record):
            subject = log.pseudonym(session_hash=record.session_hash)
            staff.record_view(request, kind="personal_data.revealed", subject=subject, data={})
        return super().change_view(request, object_id, form_url, extra_context)

    def find(self, *, term: str) -> list[Any]:
        return find_records(term=term)

    def get_urls(self) -> list[Any]:
        site = self.admin_site.admin_view
        return [
            path("import/", site(importing.page(admin=self)), name="crm_crmrecord_import"),
            path("export/", site(self.export_view), name="crm_crmrecord_export"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Stream the records that the list is narrowed to, and record who took them."""
        if not (self.has_view_permission(request) and request.user.has_perm(REVEAL)):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request).order_by("pk")
        try:
            answer = exporting.download(records=rows)
        except exporting.TooManyAttributes:
            messages.error(request, _TOO_MANY)
            return HttpResponseRedirect(reverse("admin:crm_crmrecord_changelist"))
        narrowed = "search" if request.GET.get("found") else "all"
        data = {"filter": narrowed, "rows": rows.values("pk").count()}
        staff.record_view(request, kind="crm.exported", data=data)
        return answer  # type: ignore[return-value]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        own = {
            "title": "CRM records",
            "find_help": self.find_help,
            "may_import": importing.allowed(request=request),
            "may_export": request.user.has_perm(REVEAL),
        }
        return super().changelist_view(request, own | (extra_context or {}))

    def save_model(
        self, request: HttpRequest, obj: CrmRecord, form: forms.BaseForm, change: bool
    ) -> None:
        fields = form.changed_fields  # type: ignore[attr-defined]
        changes.save_record(record=obj, fields=fields, actor=staff.actor(request))

    def obstacle(self, *, row: CrmRecord) -> str:
        return changes.obstacle(record=row)

    def delete_model(self, request: HttpRequest, obj: CrmRecord) -> None:
        try:
            changes.delete_record(record=obj, actor=staff.actor(request))
        except changes.Protected as exc:  # since the confirmation was shown
            raise PermissionDenied(str(exc)) from exc

    def question(self, *, rows: Sequence[CrmRecord]) -> Question:
        one = len(rows) == 1
        return Question(
            title="Delete a CRM record" if one else "Delete CRM records",
            button="Delete the record" if one else f"Delete {len(rows):,} records",
            back=self.list_address(),
            word="delete",
            loses=True,
            happens=[
                "Address, first name, tier, previous tickets and further attributes are deleted.",
                "A visitor of this session is a guest whom nobody knows, from the next chat on.",
                "It is recorded who deleted it.",
            ],
            stays=[
                "Guest creations, consent and the audit log: to erase a person, use People.",
                "What the platform was sent, and your CRM: its next import brings the record back.",
            ],
            concerns=[f"{row}, {mask_address(row.email)}" for row in rows],
        )

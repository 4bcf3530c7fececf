"""CRM records and attribute mappings, edited by whoever has the model permissions."""

import re
from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from crm import changes
from crm.conversion import Scalar
from crm.models import AttributeMapping, CrmRecord
from crm.sessions import key_for_hash
from crm.validators import validate_attributes

if TYPE_CHECKING:
    _RecordAdmin = admin.ModelAdmin[CrmRecord]
    _MappingAdmin = admin.ModelAdmin[AttributeMapping]
    _RecordForm = forms.ModelForm[CrmRecord]
    _RecordPaginator = Paginator[CrmRecord]
else:
    _RecordAdmin = _MappingAdmin = admin.ModelAdmin
    _RecordForm = forms.ModelForm
    _RecordPaginator = Paginator


class BoundedPaginator(_RecordPaginator):
    """Pages through the first rows only, so that no page counts or skips a whole table."""

    limit = 10_000

    @cached_property
    def count(self) -> int:
        first: QuerySet[CrmRecord] = self.object_list[: self.limit]  # type: ignore[assignment]
        return first.count()


class CrmRecordForm(_RecordForm):
    """Takes a plain session hash, as outside systems know it, and keeps its key."""

    class Meta:
        model = CrmRecord
        fields = ["session_hash", "email", "first_name", "tier", "previous_tickets", "attributes"]

    def clean_session_hash(self) -> str:
        plain: str = self.cleaned_data["session_hash"].lower()
        if not re.fullmatch(r"[0-9a-f]{64}", plain):
            return plain  # The model's validator says what is wrong.
        return key_for_hash(session_hash=plain)

    def clean_attributes(self) -> dict[str, Scalar]:
        # Django takes an empty cell, [] and "" for "nothing given" and validates none of them.
        attributes = self.cleaned_data["attributes"]
        validate_attributes({} if attributes is None else attributes)
        return attributes or {}


@admin.register(CrmRecord)
class CrmRecordAdmin(_RecordAdmin):
    """Who the visitors are. Found by the hash of a session, never by browsing addresses."""

    form = CrmRecordForm
    list_display = ["masked_email", "tier", "previous_tickets", "updated_at"]
    ordering = ["-pk"]
    sortable_by = []
    search_fields = ["session_hash"]
    search_help_text = "The SHA-256 of a session id: 64 hexadecimal digits"
    show_full_result_count = False
    paginator = BoundedPaginator
    readonly_fields = ["version", "created_at", "updated_at"]

    @admin.display(description="e-mail")
    def masked_email(self, record: CrmRecord) -> str:
        local, _, domain = record.email.partition("@")
        return f"{local[0]}…@{domain}"

    def get_readonly_fields(
        self, request: HttpRequest, obj: CrmRecord | None = None
    ) -> list[str] | tuple[str, ...]:
        fixed = ["session_hash"] if obj else []
        return [*fixed, *self.readonly_fields]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CrmRecord], search_term: str
    ) -> tuple[QuerySet[CrmRecord], bool]:
        if not search_term:
            return queryset, False
        term = search_term.strip().lower()
        if not re.fullmatch(r"[0-9a-f]{64}", term):
            return queryset.none(), False
        # With a pepper the stored key differs from the plain hash; staff may hold either.
        return queryset.filter(session_hash__in=[term, key_for_hash(session_hash=term)]), False

    def save_model(
        self, request: HttpRequest, obj: CrmRecord, form: forms.BaseForm, change: bool
    ) -> None:
        changes.save_record(record=obj, fields=form.changed_data, actor=_actor(request))

    def delete_model(self, request: HttpRequest, obj: CrmRecord) -> None:
        changes.delete_record(record=obj, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CrmRecord]) -> None:
        for record in queryset:
            changes.delete_record(record=record, actor=_actor(request))


@admin.register(AttributeMapping)
class AttributeMappingAdmin(_MappingAdmin):
    """Which attributes a guest gets on the platform."""

    list_display = [
        "target", "source_kind", "source", "value_type", "default", "enabled", "order",
    ]  # fmt: skip
    list_editable = ["enabled", "order"]

    def save_model(
        self, request: HttpRequest, obj: AttributeMapping, form: forms.BaseForm, change: bool
    ) -> None:
        changes.save_mapping(mapping=obj, actor=_actor(request))

    def delete_model(self, request: HttpRequest, obj: AttributeMapping) -> None:
        changes.delete_mapping(mapping=obj, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AttributeMapping]) -> None:
        for mapping in queryset:
            changes.delete_mapping(mapping=mapping, actor=_actor(request))


def _actor(request: HttpRequest) -> str:
    return f"staff:{request.user.pk}"

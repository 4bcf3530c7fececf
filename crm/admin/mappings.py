"""Attribute mappings: which attributes a guest gets on the platform."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path

from audit import viewers
from crm import changes
from crm.admin import history
from crm.models import AttributeMapping

if TYPE_CHECKING:
    _MappingAdmin = admin.ModelAdmin[AttributeMapping]
else:
    _MappingAdmin = admin.ModelAdmin


@admin.register(AttributeMapping)
class AttributeMappingAdmin(_MappingAdmin):
    """The set as a table; each change of it is recorded whole, and can be taken back."""

    list_display = ("target", "source_kind", "source", "value_type", "default", "enabled", "order")
    list_editable = ("enabled", "order")
    change_form_template = "admin/crm/attributemapping/change_form.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(
            request, {"title": "Attribute mappings"} | (extra_context or {})
        )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(history.page(self))
        name = "crm_attributemapping_sets"
        return [path("sets/", view, name=name), *super().get_urls()]

    def save_model(
        self, request: HttpRequest, obj: AttributeMapping, form: forms.BaseForm, change: bool
    ) -> None:
        changes.save_mapping(mapping=obj, actor=viewers.actor(request))

    def delete_model(self, request: HttpRequest, obj: AttributeMapping) -> None:
        changes.delete_mapping(mapping=obj, actor=viewers.actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AttributeMapping]) -> None:
        for mapping in queryset:
            changes.delete_mapping(mapping=mapping, actor=viewers.actor(request))

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
    _MappingForm = forms.ModelForm[AttributeMapping]
else:
    _MappingAdmin = admin.ModelAdmin
    _MappingForm = forms.ModelForm


class RowForm(_MappingForm):
    """A row of the list; its fields say of which mapping they are, for a screen reader."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = f"{name} of {self.instance.target}"


@admin.register(AttributeMapping)
class AttributeMappingAdmin(_MappingAdmin):
    """The set as a table; each change of it is recorded whole, and can be taken back."""

    list_display = ("target", "source_kind", "source", "value_type", "default", "enabled", "order")
    list_editable = ("enabled", "order")
    change_form_template = "admin/crm/attributemapping/change_form.html"

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, form=RowForm, **kwargs)

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

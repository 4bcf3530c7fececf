"""Attribute mappings: which attributes a guest gets on the platform."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from audit import staff
from backoffice.confirming import AsksToDelete, Question
from crm import changes, targets
from crm.admin import sets
from crm.models import AttributeMapping

_preview_view: Callable[[HttpRequest], HttpResponse] | None = None


def show_preview_with(*, view: Callable[[HttpRequest], HttpResponse]) -> None:
    """Let `view` serve the preview's address: it shows a payload, which `crm` does not know."""
    global _preview_view
    _preview_view = view


def preview(request: HttpRequest) -> HttpResponse:
    """Show what the mappings would send. Raises Http404 where no view was given for it."""
    if _preview_view is None:
        raise Http404
    return _preview_view(request)


class MappingForm(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses an attribute that the platform does not take; a disabled mapping sends none.

    `unchecked`: why the platform could not be asked; it is saved then.
    """

    unchecked = ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        target, value_type, enabled = (
            cleaned.get(name, getattr(self.instance, name))
            for name in ("target", "value_type", "enabled")
        )
        if self.errors or not enabled:
            return cleaned
        try:
            if reason := targets.refusal(target=target, value_type=value_type):
                self.add_error("target" if "target" in self.fields else None, reason)
        except targets.Unchecked as exc:
            self.unchecked = str(exc)
        return cleaned


class RowForm(MappingForm):
    """A row of the list; its fields say of which mapping they are, for a screen reader."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = f"{name} of {self.instance.target}"

    def clean(self) -> dict[str, Any]:
        return super().clean() if self.has_changed() else self.cleaned_data


@admin.register(AttributeMapping)
class AttributeMappingAdmin(AsksToDelete):
    """The set as a table; each change of it is recorded whole, and can be taken back."""

    deletes, deleted = "Delete selected mappings", "Mappings deleted"
    form = MappingForm
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
        view = self.admin_site.admin_view(sets.page(self))
        return [path("sets/", view, name="crm_attributemapping_sets"), *super().get_urls()]

    def save_model(
        self, request: HttpRequest, obj: AttributeMapping, form: Any, change: bool
    ) -> None:
        changes.save_mapping(mapping=obj, actor=staff.actor(request))
        if form.unchecked:
            sets.warn_unchecked(request, form.unchecked)

    def delete_model(self, request: HttpRequest, obj: AttributeMapping) -> None:
        changes.delete_mapping(mapping=obj, actor=staff.actor(request))

    def question(self, *, rows: Sequence[AttributeMapping]) -> Question:
        one = len(rows) == 1
        return Question(
            title="Delete a mapping" if one else "Delete mappings",
            button="Delete the mapping" if one else f"Delete {len(rows)} mappings",
            back=self.list_address(),
            happens=[
                "Guests get these attributes no more, in every process within a second.",
                "It is recorded who deleted them.",
            ],
            stays=[
                "What guests were given before.",
                "The whole set, under History and restore, from where it can be brought back.",
            ],
            concerns=[f"{row.target}, from {row.source}" for row in rows],
        )

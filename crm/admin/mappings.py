"""Attribute mappings: which attributes a guest gets on the platform, and earlier sets of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from audit import staff
from audit.models import AuditEvent
from crm import changes
from crm.models import AttributeMapping

if TYPE_CHECKING:
    _MappingAdmin = admin.ModelAdmin[AttributeMapping]
    _MappingForm = forms.ModelForm[AttributeMapping]
else:
    _MappingAdmin = admin.ModelAdmin
    _MappingForm = forms.ModelForm


_previews: list[Callable[[HttpRequest], HttpResponse]] = []


def show_preview_with(view: Callable[[HttpRequest], HttpResponse]) -> None:
    """Let `view` answer the preview's address: a payload is no business of `crm`."""
    _previews[:] = [view]


def preview(request: HttpRequest) -> HttpResponse:
    """Show what the mappings would send, by the view that `show_preview_with` was given."""
    return _previews[0](request)


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
        view = self.admin_site.admin_view(_history_page(self))
        name = "crm_attributemapping_sets"
        return [path("sets/", view, name=name), *super().get_urls()]

    def save_model(
        self, request: HttpRequest, obj: AttributeMapping, form: forms.BaseForm, change: bool
    ) -> None:
        changes.save_mapping(mapping=obj, actor=staff.actor(request))

    def delete_model(self, request: HttpRequest, obj: AttributeMapping) -> None:
        changes.delete_mapping(mapping=obj, actor=staff.actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AttributeMapping]) -> None:
        for mapping in queryset:
            changes.delete_mapping(mapping=mapping, actor=staff.actor(request))


SHOWN = 50


@dataclass(frozen=True)
class Change:
    """One recorded change: what was taken away, what was added, and the set that it left."""

    id: UUID
    time: datetime
    who: str
    removed: list[dict[str, Any]]
    added: list[dict[str, Any]]


def _history_page(admin: Any) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view of the history for the ModelAdmin `admin`; a POST restores a set."""

    def view(request: HttpRequest) -> HttpResponse:
        if not admin.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return _restore(request)
        context = admin.admin_site.each_context(request) | {
            "title": "History of the attribute mappings",
            "opts": admin.opts,
            "changes": _changes(),
            "may_restore": _may_restore(request),
        }
        return TemplateResponse(request, "admin/crm/attributemapping/history.html", context)

    return view


def _may_restore(request: HttpRequest) -> bool:
    """Tell whether the sender may replace the whole set."""
    verbs = ("add", "change", "delete")
    return request.user.has_perms([f"crm.{verb}_attributemapping" for verb in verbs])


def _changes() -> list[Change]:
    events = list(AuditEvent.objects.filter(kind=changes.MAPPING_CHANGED).order_by("-id")[:SHOWN])
    names = _names({event.actor for event in events})
    found = []
    for event in events:
        data = json.loads(event.body)["data"]
        before, after = data["before"], data["after"]
        found.append(
            Change(
                event.id,
                event.time,
                names.get(event.actor, event.actor),
                [mapping for mapping in before if mapping not in after],
                [mapping for mapping in after if mapping not in before],
            )
        )
    return found


def _names(actors: set[str]) -> dict[str, str]:
    """Return the name of each actor who is staff."""
    keys = [actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")]
    users = get_user_model().objects.filter(pk__in=keys)
    return {f"staff:{user.pk}": user.get_username() for user in users}


def _restore(request: HttpRequest) -> HttpResponse:
    if not _may_restore(request):
        raise PermissionDenied
    try:
        event = AuditEvent.objects.get(
            id=UUID(request.POST.get("event", "")), kind=changes.MAPPING_CHANGED
        )
        side = {"before": "before", "after": "after"}[request.POST.get("side", "")]
    except (ValueError, KeyError, AuditEvent.DoesNotExist) as exc:
        raise Http404 from exc
    recorded = json.loads(event.body)["data"][side]
    try:
        changes.restore_mappings(mappings=recorded, actor=staff.actor(request))
    except ValidationError as exc:
        messages.error(request, f"Not restored: {' '.join(exc.messages)}")
        return HttpResponseRedirect(request.path)
    messages.success(request, "The recorded mappings are in force again.")
    return HttpResponseRedirect(reverse("admin:crm_attributemapping_changelist"))

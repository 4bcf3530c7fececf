"""Attribute mappings: which attributes a guest gets on the platform, and earlier sets of them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
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
from crm import changes, targets
from crm.models import AttributeMapping

_SHOWN_CHANGES = 50
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
class AttributeMappingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The set as a table; each change of it is recorded whole, and can be taken back."""

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
        view = self.admin_site.admin_view(self.history_of_sets)
        return [path("sets/", view, name="crm_attributemapping_sets"), *super().get_urls()]

    def save_model(
        self, request: HttpRequest, obj: AttributeMapping, form: Any, change: bool
    ) -> None:
        changes.save_mapping(mapping=obj, actor=staff.actor(request))
        if form.unchecked:
            _warn_unchecked(request, form.unchecked)

    def delete_model(self, request: HttpRequest, obj: AttributeMapping) -> None:
        changes.delete_mapping(mapping=obj, actor=staff.actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AttributeMapping]) -> None:
        for mapping in queryset:
            changes.delete_mapping(mapping=mapping, actor=staff.actor(request))

    def history_of_sets(self, request: HttpRequest) -> HttpResponse:
        """Show the recorded changes; a POST brings a recorded set back into force."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return _restored(request)
        context = self.admin_site.each_context(request) | {
            "title": "History of the attribute mappings",
            "opts": self.opts,
            "changes": list(_recorded_changes()),
            "may_restore": _may_restore(request),
        }
        return TemplateResponse(request, "admin/crm/attributemapping/history.html", context)


def _recorded_changes() -> Iterator[dict[str, Any]]:
    """Yield the latest changes, each with the mappings that it took away and added."""
    # All accounts: they are few, since visitors have none.
    names = {staff.name(user): user.get_username() for user in get_user_model().objects.all()}
    events = AuditEvent.objects.filter(kind=changes.MAPPING_CHANGED).order_by("-id")
    for event in events[:_SHOWN_CHANGES]:
        data = json.loads(event.body)["data"]
        yield {
            "id": event.id,
            "time": event.time,
            "who": names.get(event.actor, event.actor),
            "removed": [mapping for mapping in data["before"] if mapping not in data["after"]],
            "added": [mapping for mapping in data["after"] if mapping not in data["before"]],
        }


def _may_restore(request: HttpRequest) -> bool:
    """Tell whether the sender may replace the whole set."""
    verbs = ("add", "change", "delete")
    return request.user.has_perms([f"crm.{verb}_attributemapping" for verb in verbs])


def _restored(request: HttpRequest) -> HttpResponse:
    if not _may_restore(request):
        raise PermissionDenied
    side = request.POST.get("side")
    try:
        number = UUID(request.POST.get("event", ""))
        event = AuditEvent.objects.get(id=number, kind=changes.MAPPING_CHANGED)
    except (ValueError, AuditEvent.DoesNotExist) as exc:
        raise Http404 from exc
    if side not in ("before", "after"):
        raise Http404
    recorded = json.loads(event.body)["data"][side]
    try:
        _refuse(request, recorded)
        changes.restore_mappings(mappings=recorded, actor=staff.actor(request))
    except ValidationError as exc:
        messages.error(request, f"Not restored: {' '.join(exc.messages)}")
        return HttpResponseRedirect(request.path)
    messages.success(request, "The recorded mappings are in force again.")
    return HttpResponseRedirect(reverse("admin:crm_attributemapping_changelist"))


def _refuse(request: HttpRequest, recorded: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValidationError where the platform does not take one of the attributes."""
    try:
        reasons = {
            mapping["target"]: targets.refusal(
                target=mapping["target"], value_type=mapping["value_type"]
            )
            for mapping in recorded
            if mapping["enabled"]
        }
    except targets.Unchecked as exc:
        _warn_unchecked(request, str(exc))
        return
    if refused := [f"{target}: {reason}" for target, reason in reasons.items() if reason]:
        raise ValidationError(refused)


def _warn_unchecked(request: HttpRequest, reason: str) -> None:
    messages.warning(request, f"The platform could not be asked whether it takes this: {reason}")

"""Earlier sets of mappings, as the audit log recorded them, each to be brought back."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from audit import viewers
from audit.models import AuditEvent
from crm import changes

SHOWN = 50


@dataclass(frozen=True)
class Change:
    """One recorded change: what was taken away, what was added, and the set that it left."""

    id: UUID
    time: datetime
    who: str
    removed: list[dict[str, Any]]
    added: list[dict[str, Any]]


def page(admin: Any) -> Callable[[HttpRequest], HttpResponse]:
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
            "may_restore": allowed(request),
        }
        return TemplateResponse(request, "admin/crm/attributemapping/history.html", context)

    return view


def allowed(request: HttpRequest) -> bool:
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
    if not allowed(request):
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
        changes.restore_mappings(mappings=recorded, actor=viewers.actor(request))
    except ValidationError as exc:
        messages.error(request, f"Not restored: {' '.join(exc.messages)}")
        return HttpResponseRedirect(request.path)
    messages.success(request, "The recorded mappings are in force again.")
    return HttpResponseRedirect(reverse("admin:crm_attributemapping_changelist"))

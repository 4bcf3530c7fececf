"""Earlier sets of attribute mappings: what each change was, and bringing a recorded set back."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from audit import staff
from audit.models import AuditEvent
from backoffice.confirming import Question, ask
from crm import changes, targets
from crm.models import AttributeMapping

_SHOWN_CHANGES = 50
_SIDES = {"before": "before that change", "after": "after that change"}
Sample = Callable[[Iterable[AttributeMapping]], Mapping[str, Any]]
Set = Sequence[Mapping[str, Any]]
_sample: Sample | None = None


def show_sample_with(*, sample: Sample) -> None:
    """Let `sample` say what a set would send: it knows the payload, which `crm` does not."""
    global _sample
    _sample = sample


def page(admin: Any) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view of all sets for the ModelAdmin `admin`; a POST brings one back."""

    def view(request: HttpRequest) -> HttpResponse:
        if not admin.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return _restored(request)
        context = admin.admin_site.each_context(request) | {
            "title": "History of the attribute mappings",
            "opts": admin.opts,
            "changes": list(_recorded_changes()),
            "may_restore": _may_restore(request),
        }
        return TemplateResponse(request, "admin/crm/attributemapping/history.html", context)

    return view


def warn_unchecked(request: HttpRequest, reason: str) -> None:
    """Say that the platform could not be asked whether it takes a mapping, and why."""
    messages.warning(request, f"The platform could not be asked whether it takes this: {reason}")


def _recorded_changes() -> Iterator[dict[str, Any]]:
    """Yield the latest changes, each with the mappings that it took away and added."""
    # All accounts: they are few, since visitors have none.
    names = {staff.name(user): user.get_username() for user in get_user_model().objects.all()}
    in_force = changes.stored_mappings()
    events = AuditEvent.objects.filter(kind=changes.MAPPING_CHANGED).order_by("-id")
    for event in events[:_SHOWN_CHANGES]:
        data = json.loads(event.body)["data"]
        yield {
            "id": event.id,
            "time": event.time,
            "who": names.get(event.actor, event.actor),
            "removed": _without(data["before"], data["after"]),
            "added": _without(data["after"], data["before"]),
            "in_force": {side: _same(data[side], in_force) for side in _SIDES},
        }


def _without(one: Set, other: Set) -> list[Mapping[str, Any]]:
    return [mapping for mapping in one if mapping not in other]


def _same(one: Set, other: Set) -> bool:
    return not _without(one, other) and not _without(other, one)


def _may_restore(request: HttpRequest) -> bool:
    """Tell whether the sender may replace the whole set."""
    verbs = ("add", "change", "delete")
    return request.user.has_perms([f"crm.{verb}_attributemapping" for verb in verbs])


def _restored(request: HttpRequest) -> HttpResponse:
    """Restore the set that is named, once it is confirmed."""
    if not _may_restore(request):
        raise PermissionDenied
    event, recorded = _named(request)
    try:
        _refuse(request, recorded)
        if page := ask(request=request, question=_question(request, event, recorded)):
            return page
        changes.restore_mappings(mappings=recorded, actor=staff.actor(request))
    except ValidationError as exc:
        messages.error(request, f"Not restored: {' '.join(exc.messages)}")
        return HttpResponseRedirect(request.path)
    messages.success(request, "The recorded mappings are in force again.")
    return HttpResponseRedirect(reverse("admin:crm_attributemapping_changelist"))


def _named(request: HttpRequest) -> tuple[AuditEvent, Set]:
    """Return the event that the form names, and its set. Raises Http404."""
    side = request.POST.get("side")
    try:
        number = UUID(request.POST.get("event", ""))
        event = AuditEvent.objects.get(id=number, kind=changes.MAPPING_CHANGED)
    except (ValueError, AuditEvent.DoesNotExist) as exc:
        raise Http404 from exc
    if side not in _SIDES:
        raise Http404
    return event, json.loads(event.body)["data"][side]


def _question(request: HttpRequest, event: AuditEvent, recorded: Set) -> Question:
    in_force = changes.stored_mappings()
    goes, comes = _without(in_force, recorded), _without(recorded, in_force)
    return Question(
        title="Restore a set of mappings",
        button="Restore this set",
        back=reverse("admin:crm_attributemapping_sets"),
        place="History",
        happens=[
            f"The set {_SIDES[request.POST['side']]} replaces the one in force.",
            "Every process sends by it within a second.",
            "The set in force now stays in the history.",
        ],
        concerns=sorted({str(mapping["target"]) for mapping in (*goes, *comes)}),
        part="admin/crm/attributemapping/restore_part.html",
        more={
            "goes": goes,
            "comes": comes,
            "event": event,
            "samples": _samples(in_force, recorded),
        },
    )


def _samples(in_force: Set, recorded: Set) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what is sent for a sample record now, and what would be."""
    if _sample is None:
        return []
    sets = (("Sent now", in_force), ("Sent once it is restored", recorded))
    return [(name, _sample(changes.as_mappings(recorded=each))) for name, each in sets]


def _refuse(request: HttpRequest, recorded: Set) -> None:
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
        warn_unchecked(request, str(exc))
        return
    if refused := [f"{target}: {reason}" for target, reason in reasons.items() if reason]:
        raise ValidationError(refused)

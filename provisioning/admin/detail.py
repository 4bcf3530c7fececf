"""The page of one creation: to read, to review, to verify, to take the receipt."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from audit import staff, verify
from audit.models import AuditLeaf
from backoffice import unsent
from crm.admin.records import REVEAL
from provisioning.admin import badges, evidence, reviewing
from provisioning.admin.people import EXPORT, require
from provisioning.consent.receipts import sent
from provisioning.models import GuestCreation, Review

REVIEW = "provisioning.add_review"


def page(admin: Any) -> Callable[..., HttpResponse]:
    """Return the view of one creation for the ModelAdmin `admin`."""

    def view(request: HttpRequest, pk: UUID) -> HttpResponse:
        if not admin.has_view_permission(request):
            raise PermissionDenied
        creation = GuestCreation.objects.select_related("notice").filter(pk=pk).first()
        if creation is None:
            raise Http404
        act = _ACTS.get(request.POST.get("do", "")) if request.method == "POST" else None
        answer = act(request, creation) if act else {}
        if isinstance(answer, HttpResponse):
            return answer
        context = admin.admin_site.each_context(request) | {"opts": admin.opts}
        context |= _context(request, creation, revealed="revealed" in answer) | answer
        template = "admin/provisioning/guestcreation/detail.html"
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})

    return view


def _context(request: HttpRequest, creation: GuestCreation, *, revealed: bool) -> dict[str, Any]:
    may_read_log = request.user.has_perm("audit.view_auditevent")
    return {
        "title": "Guest creation",
        "creation": creation,
        "status": badges.status(creation),
        "consent": badges.consent(creation),
        "nothing_left": sent(creation=creation) == "no",
        "sent": evidence.sent(creation=creation, revealed=revealed),
        "timeline": evidence.timeline(creation=creation) if may_read_log else [],
        "may_read_log": may_read_log,
        "reviews": [
            (row, badges.verdict(row.verdict))
            for row in Review.objects.filter(creation=creation).select_related("reviewer")
        ],
        "form": reviewing.ReviewForm(initial=unsent.take(request)),
        **_reviewing(request, creation),
        "may_take_receipt": request.user.has_perm(EXPORT),
        "may_reveal": request.user.has_perm(REVEAL) and not revealed,
    }


def _reviewing(request: HttpRequest, creation: GuestCreation) -> dict[str, Any]:
    if not request.user.has_perm(REVIEW):
        return {"may_review": False}
    following = reviewing.find_next(request=request, creation=creation)
    return {"may_review": True, "next": following}


def _review(request: HttpRequest, creation: GuestCreation) -> dict[str, Any] | HttpResponse:
    """Record the review; then show the same creation, or (``next``) what else waits."""
    require(request, REVIEW)
    form = reviewing.ReviewForm(request.POST)
    if not form.is_valid():
        return {"form": form}
    reviewing.record(request=request, creations=[creation], form=form)
    messages.success(request, "The review was recorded.")
    if request.POST["do"] == "review":
        return HttpResponseRedirect(request.get_full_path())
    following = reviewing.find_next(request=request, creation=creation)
    if following.creation is None:
        messages.success(request, "Nothing else waits here.")
    return HttpResponseRedirect(following.url)


def _reveal(request: HttpRequest, creation: GuestCreation) -> dict[str, Any]:
    require(request, REVEAL)
    data = {"creation": str(creation.id)}
    staff.record_reveal(request, session_hash=creation.session_hash, data=data)
    return {"revealed": True}


def _verify(request: HttpRequest, creation: GuestCreation) -> dict[str, Any]:
    """Check the seals over this creation's events, each whole, with its signature."""
    require(request, "audit.view_auditevent")
    events = [moment.id for moment in evidence.timeline(creation=creation)]
    leaves = AuditLeaf.objects.filter(event_id__in=events)
    numbers = sorted(set(leaves.values_list("seal_id", flat=True)))
    reports = [verify.verify_seal(number=number) for number in numbers]
    found = {
        "seals": numbers,
        "problems": [problem for report in reports for problem in report.problems],
        "obstacles": [obstacle for report in reports for obstacle in report.obstacles],
        "waiting": len(events) - leaves.count(),
    }
    return {"verified": found}


_ACTS: dict[str, Callable[[HttpRequest, GuestCreation], dict[str, Any] | HttpResponse]] = {
    "review": _review,
    "next": _review,
    "reveal": _reveal,
    "verify": _verify,
}

"""Review one creation or many at once: the form, and the list's action that asks for it."""

from collections import Counter
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from audit.staff import actor
from backoffice import unsent
from backoffice.lists import count
from crm.imports import uploads
from provisioning import reviews
from provisioning.admin.filters import FOLLOW_UP
from provisioning.models import TO_REVIEW, GuestCreation, Verdict

MOST = 1_000
_TICKET = "selection"
_SELECT_AGAIN = "Select the creations again: a selection is kept for an hour. Your reason is kept."
_FILTERS = "_changelist_filters"  # as Django's lists hand them to the pages of their rows


class ReviewForm(forms.Form):
    """What the reviewer found, and why."""

    verdict = forms.ChoiceField(choices=Verdict.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        max_length=500,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="Up to 500 characters. Erased with the person; the verdict is kept for good.",
    )


@dataclass(frozen=True)
class Next:
    """What else waits under a list's filter: the next of it, None where nothing does."""

    creation: UUID | None
    left: int
    filters: str

    @property
    def url(self) -> str:
        """Return the next one's page, or the list, with the filter kept."""
        if self.creation is None:
            return f"{reverse('admin:provisioning_guestcreation_changelist')}?{self.filters}"
        page = reverse("admin:provisioning_guestcreation_change", args=[self.creation])
        return f"{page}?{urlencode({_FILTERS: self.filters})}"


def find_next(*, request: HttpRequest, creation: GuestCreation) -> Next:
    """Return what waits besides `creation` in the list that the sender came from.

    That is the review queue, or what needs a follow-up where that is the list's tab; older ones
    come first, as the list goes on, then what is newer.
    """
    asked = QueryDict(request.GET.get(_FILTERS, "tab=queue"), mutable=True)
    asked.pop("p", None)
    narrowed = copy(request)
    narrowed.GET = asked  # type: ignore[assignment]
    own = admin.site.get_model_admin(GuestCreation)
    rows = own.get_changelist_instance(narrowed).get_queryset(narrowed)
    open_ = FOLLOW_UP if asked.get("tab") == "followup" else TO_REVIEW
    rows = rows.filter(open_).exclude(pk=creation.pk).order_by("-id")
    keys = rows.values_list("pk", flat=True)
    following = keys.filter(pk__lt=creation.pk).first() or keys.first()
    return Next(following, count(rows), asked.urlencode())


def record(*, request: HttpRequest, creations: Iterable[GuestCreation], form: ReviewForm) -> int:
    """Record what a valid `form` says of `creations`, by who sent `request`; return how many."""
    reviewer = cast(User, request.user)  # nobody anonymous gets here
    ids = [creation.id for creation in creations]
    return reviews.review(creations=ids, reviewer=reviewer, **form.cleaned_data)


@admin.action(description="Review selected creations", permissions=["review"])
def review_selected(
    admin_: Any, request: HttpRequest, queryset: QuerySet[GuestCreation]
) -> HttpResponse | None:
    """Ask for verdict and reason; record them once they are confirmed."""
    ticket = request.POST.get(_TICKET, "")
    try:
        rows = _selected(request, ticket) if ticket else queryset.order_by("-id")
        chosen = list(rows[: MOST + 1])
    except uploads.UploadGone:
        unsent.remember(request, path=request.path, text=unsent.typed(request))
        admin_.message_user(request, _SELECT_AGAIN, messages.ERROR)
        return None
    if len(chosen) > MOST:
        admin_.message_user(request, f"At most {MOST:,} at once.", messages.ERROR)
        return None
    sent = "confirmed" in request.POST
    form = ReviewForm(request.POST if sent else None, initial=unsent.take(request))
    if form.is_bound and form.is_valid():
        done = record(request=request, creations=chosen, form=form)
        if ticket:
            uploads.forget(ticket=ticket)
        admin_.message_user(request, f"Reviews recorded: {done:,}.", messages.SUCCESS)
        return None
    context = {
        **admin_.admin_site.each_context(request),
        "title": f"Review {len(chosen):,} creation{'s' * (len(chosen) != 1)}",
        "opts": admin_.opts,
        "form": form,
        "chosen": chosen,
        "by_reason": _by_reason(chosen),
        "selection": (_TICKET, ticket or _keep(request, chosen)),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/provisioning/guestcreation/review.html", context)


def _by_reason(chosen: Iterable[GuestCreation]) -> list[tuple[str, int]]:
    """Return how many are chosen for each reason, or several; the most first."""
    words = (" and ".join(str(reason.label) for reason in row.reasons) for row in chosen)
    return Counter(word or "Nothing to review" for word in words).most_common()


def _keep(request: HttpRequest, chosen: Iterable[GuestCreation]) -> str:
    """Keep what is selected, and return its ticket.

    In the form a thousand ids would be more than a stranger may send, and so the typed reason would
    go with a session that ran out.
    """
    ids = " ".join(str(row.id) for row in chosen)
    return uploads.keep(content=ids.encode(), actor=actor(request))


def _selected(request: HttpRequest, ticket: str) -> QuerySet[GuestCreation]:
    """Return what was selected when the form was shown. Raises UploadGone."""
    ids = uploads.opened(ticket=ticket, actor=actor(request)).decode().split()
    return GuestCreation.objects.filter(id__in=ids).order_by("-id")

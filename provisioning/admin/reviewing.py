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
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from backoffice import unsent
from backoffice.lists import count
from provisioning import reviews
from provisioning.admin.filters import FOLLOW_UP
from provisioning.models import TO_REVIEW, GuestCreation, Verdict

MOST = 1_000
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
    if "creations" in request.POST:
        queryset = GuestCreation.objects.filter(id__in=_named(request.POST["creations"]))
    chosen = list(queryset.order_by("-id")[: MOST + 1])
    if len(chosen) > MOST:
        admin_.message_user(request, f"At most {MOST:,} at once.", messages.ERROR)
        return None
    sent = "confirmed" in request.POST
    form = ReviewForm(request.POST if sent else None, initial=unsent.take(request))
    if form.is_bound and form.is_valid():
        done = record(request=request, creations=chosen, form=form)
        admin_.message_user(request, f"Reviews recorded: {done:,}.", messages.SUCCESS)
        return None
    context = {
        **admin_.admin_site.each_context(request),
        "title": f"Review {len(chosen):,} creation{'s' * (len(chosen) != 1)}",
        "opts": admin_.opts,
        "form": form,
        "chosen": chosen,
        "by_reason": _by_reason(chosen),
        "creations": ",".join(str(row.id) for row in chosen),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/provisioning/guestcreation/review.html", context)


def _by_reason(chosen: Iterable[GuestCreation]) -> list[tuple[str, int]]:
    """Return how many are chosen for each reason, or several; the most first."""
    words = (" and ".join(str(reason.label) for reason in row.reasons) for row in chosen)
    return Counter(word or "Nothing to review" for word in words).most_common()


def _named(creations: str) -> list[UUID]:
    """Return the ids that the confirmation names, in one field: Django takes 1,000 in a form."""
    try:
        return [UUID(each) for each in creations.split(",")]
    except ValueError as exc:
        raise BadRequest("creations are no ids") from exc

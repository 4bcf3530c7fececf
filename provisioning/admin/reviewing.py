"""Review one creation or many at once: the form, and the list's action that asks for it."""

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from provisioning import reviews
from provisioning.models import GuestCreation, Review

MOST = 1_000


class ReviewForm(forms.Form):
    """What the reviewer found, and why."""

    verdict = forms.ChoiceField(
        choices=Review.Verdict.choices,
        initial=Review.Verdict.IN_ORDER,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.TextInput(attrs={"class": "vTextField", "autofocus": True}),
        help_text="Up to 500 characters. Erased with the person; the verdict is kept for good.",
    )


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
    form = ReviewForm(request.POST if "confirmed" in request.POST else None)
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
        "creations": ",".join(str(row.id) for row in chosen),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/provisioning/guestcreation/review.html", context)


def _named(creations: str) -> list[UUID]:
    """Return the ids that the confirmation names, in one field: Django takes 1,000 in a form."""
    try:
        return [UUID(each) for each in creations.split(",")]
    except ValueError as exc:
        raise BadRequest("creations are no ids") from exc

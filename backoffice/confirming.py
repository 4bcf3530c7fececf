"""One page before whatever cannot be undone: what will happen, to how many, then a tick or a word.

An action asks by `ask`. The page sends its form again to where it came from, with the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import resolve, reverse
from django.utils.text import capfirst

from backoffice.periods import ShowsTimes

MOST, _SHOWN = 1_000, 5
SAID, TICK, WORD = "confirm_said", "confirm_tick", "confirm_word"
_OURS = ("csrfmiddlewaretoken", SAID, TICK, WORD)


@dataclass(frozen=True)
class Question:
    """What is to be confirmed: a sentence for each thing that `happens`, or `stays` as it is.

    `concerns`: each thing it happens to, in a line. `back`: the address to leave for, `place`: what
    that is called, where it is no list. `loses`: data goes, so the page is red. `word`: to be
    typed; empty: a tick is enough. `part`: a template that shows more, from `more`.
    """

    title: str
    button: str
    back: str
    happens: Sequence[str]
    concerns: Sequence[str]
    place: str = ""
    stays: Sequence[str] = ()
    loses: bool = False
    word: str = ""
    part: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return what tells whether another question says the same: 64 hex digits."""
        said = (self.title, *self.happens, *self.concerns)
        return sha256("\n".join(said).encode(errors="replace")).hexdigest()


def ask(*, request: HttpRequest, question: Question) -> TemplateResponse | None:
    """Return the page that asks `question`; None once the sender has confirmed it.

    Confirmed is what the page said: where something has changed since, it asks again.
    """
    fault = _fault(request, question)
    if fault is None:
        return None
    kept = [(name, values) for name, values in request.POST.lists() if name not in _OURS]
    context = {
        **admin.site.each_context(request),
        "title": question.title,
        "question": question,
        "place": question.place or _list_at(question.back),
        "fault": fault,
        "kept": [(name, str(value)) for name, values in kept for value in values],
        "part": "",
    }
    if question.part:
        context["part"] = render_to_string(question.part, dict(question.more), request)
    # The form may name a person, by an address or a session id.
    headers = {"Cache-Control": "no-store"}
    return TemplateResponse(request, "admin/confirm.html", context, headers=headers)


def _list_at(address: str) -> str:
    """Return what the list at `address` is called, or the page of one of its rows."""
    match = resolve(urlsplit(address).path)
    opts = match.func.model_admin.opts  # type: ignore[attr-defined]  # as Django's pages have it
    if match.kwargs:
        return f"This {opts.verbose_name}"
    return str(capfirst(opts.verbose_name_plural))


def _fault(request: HttpRequest, question: Question) -> str | None:
    """Return why this is not confirmed, empty where it was not asked yet; None where it is."""
    if SAID not in request.POST:
        return ""
    if request.POST[SAID] != question.digest:
        return "Nothing was done: what this would do has changed. Read it again."
    if question.word and request.POST.get(WORD, "").strip().lower() != question.word:
        return f"Nothing was done: type the word “{question.word}”."
    if not question.word and TICK not in request.POST:
        return "Nothing was done: tick the box first."
    return None


class AsksToDelete(ShowsTimes):
    """Deletes one row, or those that are selected, after a `question` was confirmed."""

    actions: Any = ("delete_selected",)
    deletes, deleted = "", ""  # what the menu calls it, what is said afterwards

    def question(self, *, rows: Sequence[Any]) -> Question:
        """Return what is asked before `rows` are deleted."""
        raise NotImplementedError

    def obstacle(self, *, row: Any) -> str:
        """Return why `row` may not be deleted; empty where it may."""
        return ""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if own := actions.get("delete_selected"):
            actions["delete_selected"] = (*own[:2], self.deletes)
        return actions

    @admin.action(permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._ask_to_delete(request, queryset)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        row: Model | None = self.get_object(request, object_id)
        if not self.has_delete_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        return self._ask_to_delete(request, self.get_queryset(request).filter(pk=row.pk))

    def _ask_to_delete(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
        rows = list(chosen.order_by("pk")[: MOST + 1])
        if sentences := self._obstacles(request, rows):
            for sentence in sentences:
                self.message_user(request, f"Nothing was deleted. {sentence}", messages.ERROR)
            return HttpResponseRedirect(self.list_address())
        if page := ask(request=request, question=self.question(rows=rows)):
            return page
        with transaction.atomic():
            self.log_deletions(request, rows)  # type: ignore[arg-type]
            for row in rows:
                self.delete_model(request, row)
        self.message_user(request, f"{self.deleted}: {len(rows):,}.")
        return HttpResponseRedirect(self.list_address())

    def _obstacles(self, request: HttpRequest, rows: Sequence[Any]) -> list[str]:
        """Return, a few of them, why `rows` may not be deleted. Raises PermissionDenied."""
        if len(rows) > MOST:
            return [f"At most {MOST:,} at once."]
        found = [f"{row}: {why}" for row in rows if (why := self.obstacle(row=row))]
        if found:
            return found[:_SHOWN]
        # What else goes with them, and may need a right of its own, or be needed by others.
        _, _, lacking, protected = self.get_deleted_objects(rows, request)
        if lacking:
            raise PermissionDenied
        return [f"It is needed by {each}." for each in protected[:_SHOWN]]

    def list_address(self) -> str:
        """Return the address of the list."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

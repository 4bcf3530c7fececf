"""The events in the admin: to read, for nobody to write; and whoever reads them is in the log.

At millions of events no page counts or sorts them all: the list shows the newest matches, narrowed
by exact values that have an index.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.safestring import SafeString

from audit import staff
from audit.admin import exporting, keys, sentences, verifying
from audit.admin.filters import ActorFilter, DaysFilter, KindFilter
from audit.models import AuditEvent
from backoffice.lists import BoundedList, ClosedAdmin
from backoffice.periods import PeriodFilter, moment

VIEWED = "audit.viewed"
_NARROWING = ("kind", "actor", "days", "first", "last")


class EventList(BoundedList):
    """A page of events, each with its sentence."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        events = list(self.result_list)
        for event, sentence in zip(events, sentences.sentences(events=events), strict=True):
            event.sentence = sentence
        self.result_list = events


@admin.register(AuditEvent)
class AuditEventAdmin(ClosedAdmin):
    """Events, newest first. Search: a whole id, subject or request id."""

    list_display = ("when", "what", "kind", "who")
    list_display_links = ("when",)
    sortable_by = ()
    list_filter = (PeriodFilter, KindFilter, ActorFilter, DaysFilter)
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = "A whole event id, subject or request id"
    fields = ("what", "id", "time", "kind", "subject", "actor", "request_id", "body", "seal")
    readonly_fields = fields

    def get_urls(self) -> list[Any]:
        pages = {"verify": verifying.page, "export": exporting.page, "keys": keys.page}
        site = self.admin_site.admin_view
        own = [
            path(f"{name}/", site(page(admin=self)), name=f"audit_{name}")
            for name, page in pages.items()
        ]
        return [*own, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EventList]:
        return EventList

    @admin.display(description="time")
    def when(self, event: AuditEvent) -> SafeString:
        return moment(event.time)

    @admin.display(description="what happened")
    def what(self, event: AuditEvent) -> str:
        """Return the event as a sentence."""
        made = getattr(event, "sentence", None)
        return made or sentences.sentences(events=[event])[0]

    @admin.display(description="subject")
    def who(self, event: AuditEvent) -> str:
        """Return the beginning of the pseudonym: enough to tell two persons apart in a list."""
        return f"{event.subject[:12]}…" if event.subject else "–"

    @admin.display(description="sealed in")
    def seal(self, event: AuditEvent) -> str:
        """Return which seal covers `event`."""
        leaf = getattr(event, "leaf", None)
        return f"seal {leaf.seal_id}, position {leaf.position}" if leaf else "not sealed yet"

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[AuditEvent], search_term: str
    ) -> tuple[models.QuerySet[AuditEvent], bool]:
        """Search by exact value, one index each; Django's own search cannot search a UUID."""
        term = search_term.strip()
        if not term:
            return queryset, False
        match = models.Q(subject=term) | models.Q(request_id=term)
        with suppress(ValueError):
            match |= models.Q(id=UUID(term))
        return queryset.filter(match), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list, and record who saw it, narrowed by what, and how many rows."""
        own = {"title": "Audit events"}
        response = super().changelist_view(request, own | (extra_context or {}))
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown:
            rows = len(shown["cl"].result_list)
            data = {"filter": _narrowed(request, shown["cl"].query, found=rows > 0), "rows": rows}
            staff.record_view(request, kind=VIEWED, data=data)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one event, and record who saw it."""
        response = super().change_view(request, object_id, form_url, extra_context)
        if response.status_code == 200:
            data = {"filter": {"id": str(UUID(object_id))}, "rows": 1}
            staff.record_view(request, kind=VIEWED, data=data)
        return response


def _narrowed(request: HttpRequest, query: str, *, found: bool) -> dict[str, str]:
    """Return what narrowed the list; a value that found nothing is not repeated.

    `query` is what was searched for, which is not all that was typed: no text with U+0000 is.

    Someone may search for an address or a session hash, and the log must never hold one. A value
    that found an event stands in the log already.
    """
    given = {"q": query.strip(), **{name: request.GET.get(name, "") for name in _NARROWING}}
    return {name: value if found else "(found nothing)" for name, value in given.items() if value}

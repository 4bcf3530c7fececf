"""Search by what must stand in no address and no log: a form that is posted, then a redirect.

What was found is kept in the server's session under a random name; the address carries the name.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from backoffice.lists import NamedFilters

MOST = 200
_KEPT = 5
_SESSION_KEY = "found"


def keep(request: HttpRequest, *, keys: Sequence[str]) -> str:
    """Keep what a search found in the sender's session; return the random name it has there."""
    earlier = dict(list(request.session.get(_SESSION_KEY, {}).items())[1 - _KEPT :])
    name = secrets.token_urlsafe(8)
    request.session[_SESSION_KEY] = earlier | {name: list(keys)}
    return name


def kept(request: HttpRequest, *, name: str) -> list[str]:
    """Return what was kept under `name`; nothing where that is another session's, or too old."""
    found: list[str] = request.session.get(_SESSION_KEY, {}).get(name, [])
    return found


def forget(request: HttpRequest, *, name: str) -> None:
    """Forget what was kept under `name`."""
    found = dict(request.session.get(_SESSION_KEY, {}))
    found.pop(name, None)
    request.session[_SESSION_KEY] = found


class FoundFilter(admin.SimpleListFilter):
    """Narrow a list to what a search found; without its session it finds nothing."""

    title = "search"
    parameter_name = "found"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.value() or "", "what was searched for")] if self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(pk__in=kept(request, name=self.value() or ""))


class FindsByPost(NamedFilters):
    """An admin whose list has a search form that is posted to ``find/``."""

    find_help = ""

    def find(self, *, term: str) -> Sequence[Any]:
        """Return the keys of at most `MOST` rows that `term` names."""
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_find"
        view = require_POST(self.find_view)
        return [path("find/", self.admin_site.admin_view(view), name=name), *super().get_urls()]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Search, and redirect to the one row found, to the list of them, or back."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        term = request.POST.get("term", "")
        keys = [str(key) for key in self.find(term=term)] if term.strip() else []
        address = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if len(keys) == 1:
            return HttpResponseRedirect(reverse(f"{address}_change", args=keys))
        if not term.strip():
            return HttpResponseRedirect(reverse(f"{address}_changelist"))
        if not keys:
            return self._found_nothing(request, term, reverse(f"{address}_changelist"))
        name = keep(request, keys=keys)
        return HttpResponseRedirect(f"{reverse(f'{address}_changelist')}?found={name}")

    def _found_nothing(self, request: HttpRequest, term: str, address: str) -> HttpResponse:
        """Show what was looked for, here alone: it may be an e-mail address or a raw session id."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Nothing found",
            "opts": self.opts,
            "term": term.strip(),
            "list": address,
            "find_help": self.find_help,
        }
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, "admin/found_nothing.html", context, headers=headers)

"""*Verify now*: what `manage.py verify_audit` does, on a page that shows how far it got."""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from audit import staff, verify
from audit.sealing import seals
from backoffice.turns import give_way, streamed

_TEMPLATES = "admin/audit/auditevent/"


def page(*, admin: Any) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the view for the ModelAdmin `admin`."""

    def view(request: HttpRequest) -> HttpResponseBase:
        if not request.user.has_perm("audit.verify_log"):
            raise PermissionDenied
        template = f"{_TEMPLATES}verify.html"
        context = admin.admin_site.each_context(request)
        context |= {"opts": admin.opts, "title": "Verify the audit log", "last": verify.last()}
        if request.method == "POST":
            parts = _parts(request)
            return streamed(request=request, template=template, context=context, parts=parts)
        return TemplateResponse(request, template, context)

    return view


def _parts(request: HttpRequest) -> Iterator[str]:
    """Yield the parts of the page: progress, then what came out, which is recorded."""
    report = yield from _progress_parts(verify.steps())
    verify.remember(report=report, actor=staff.actor(request))
    yield render_to_string(f"{_TEMPLATES}verify_done.html", {"report": report}, request)


def _progress_parts(
    checking: Generator[int, None, verify.Report],
) -> Generator[str, None, verify.Report]:
    """Yield a part for each seal that was checked; return the report."""
    newest = seals.latest()
    total, done = newest.first_position + newest.count if newest else 0, 0
    turn = time.monotonic()
    while True:
        yield render_to_string(f"{_TEMPLATES}verify_step.html", {"done": done, "total": total})
        try:
            done += next(checking)
        except StopIteration as end:
            report: verify.Report = end.value
            return report
        turn = give_way(since=turn)

"""Import a CSV file: upload, look at what it would do, confirm. All of it or nothing.

The page is sent while its work is done (`backoffice.turns`), and shows how far it got. Between two
parts the process serves its visitors. Leaving the page ends the work, which `crm.imports.importing`
does whole or not at all.
"""

import io
import logging
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from audit import staff
from backoffice.turns import give_way, streamed
from crm.imports import uploads
from crm.imports.csvfile import lines_of
from crm.imports.importing import ImportRefused, ImportResult, Step, import_records, preview_records
from crm.upsert import Overtaken

logger = logging.getLogger(__name__)

_TEMPLATES = "admin/crm/crmrecord/"
_SECONDS_A_PART = 0.1
_TOO_LARGE = (
    f"The file is larger than {uploads.MAX_BYTES // 2**20} MB:"
    " import it with `manage.py import_crm FILE`."
)


class UploadForm(forms.Form):
    """The file. `too_large`: the request was, so that no file was taken from it."""

    file = forms.FileField(label="CSV file")

    def __init__(self, *args: Any, too_large: bool = False) -> None:
        super().__init__(*args)
        if too_large:
            self.fields["file"].error_messages["required"] = _TOO_LARGE

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > uploads.MAX_BYTES:
            raise forms.ValidationError(_TOO_LARGE)
        return file


def allowed(*, request: HttpRequest) -> bool:
    """Tell whether the sender may import: an import both adds and changes records."""
    return request.user.has_perms(["crm.add_crmrecord", "crm.change_crmrecord"])


def page(*, admin: Any) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the import's view for the ModelAdmin `admin`."""

    def view(request: HttpRequest) -> HttpResponseBase:
        if not allowed(request=request):
            raise PermissionDenied
        context = admin.admin_site.each_context(request)
        context |= {"opts": admin.opts, "title": "Import CRM records", "form": UploadForm()}
        if "ticket" in request.POST:
            return _confirmed(request, context)
        if request.method == "POST":
            return _uploaded(request, context)
        return TemplateResponse(request, f"{_TEMPLATES}import.html", context)

    return view


def _uploaded(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    sent = int(request.META.get("CONTENT_LENGTH") or 0)
    form = UploadForm(request.POST, request.FILES, too_large=sent > uploads.MAX_BYTES)
    if not form.is_valid():
        return TemplateResponse(request, f"{_TEMPLATES}import.html", context | {"form": form})
    content = form.cleaned_data["file"].read()
    return _streamed(request, context, _preview_parts(request, content))


def _confirmed(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    ticket = request.POST["ticket"]
    try:
        content = uploads.opened(ticket=ticket, actor=staff.actor(request))
    except uploads.UploadGone:
        messages.error(request, "That upload is no longer there. Please upload the file again.")
        return HttpResponseRedirect(request.path)
    return _streamed(request, context, _import_parts(request, ticket, content))


def _preview_parts(request: HttpRequest, content: bytes) -> Iterator[str]:
    """Yield the parts of the page: progress, then what the file would do or what is wrong."""
    steps = preview_records(**_source(content))
    try:
        result = yield from _progress_parts(steps)
    except ImportRefused as exc:
        yield _part(request, "refused", refused=exc, form=UploadForm())
    else:
        ticket = uploads.keep(content=content, actor=staff.actor(request))
        yield _part(request, "preview", result=result, ticket=ticket)


def _import_parts(request: HttpRequest, ticket: str, content: bytes) -> Iterator[str]:
    """Yield the parts of the page: progress, then what was done or why nothing was."""
    steps = import_records(actor=staff.actor(request), **_source(content))
    try:
        result = yield from _progress_parts(steps)
    except ImportRefused as exc:
        yield _part(request, "refused", refused=exc, form=UploadForm())
    except Overtaken:
        yield _part(request, "failed", why="Others keep changing the same records.")
    except Error as exc:
        # By its kind only: PostgreSQL puts the values of a row into its messages.
        logger.error("an import failed: %s", type(exc).__name__)
        yield _part(request, "failed", why="The database did not take it.")
    else:
        uploads.forget(ticket=ticket)
        yield _part(request, "done", result=result)


def _source(content: bytes) -> dict[str, Any]:
    """Return the lines of a file, and how many there are: a few more than rows, at most."""
    return {"lines": lines_of(file=io.BytesIO(content)), "expected": content.count(b"\n")}


def _progress_parts(steps: Iterator[Step | ImportResult]) -> Generator[str, None, ImportResult]:
    """Yield a part for the steps of an import, ten a second; return its result."""
    last = 0.0
    turn = time.monotonic()
    for step in steps:
        if isinstance(step, ImportResult):
            return step
        if step.locked:
            continue
        turn = give_way(since=turn)
        if turn - last > _SECONDS_A_PART or not step.done:
            last = turn
            yield render_to_string(f"{_TEMPLATES}import_step.html", {"step": step})
            turn = time.monotonic()  # however long the reader took
    raise AssertionError("an import ends with its result")


def _part(request: HttpRequest, name: str, **context: Any) -> str:
    return render_to_string(f"{_TEMPLATES}import_{name}.html", context, request)


def _streamed(
    request: HttpRequest, context: dict[str, Any], parts: Iterator[str]
) -> StreamingHttpResponse:
    """Return the page, in which `parts` come one after another."""
    template = f"{_TEMPLATES}import.html"
    return streamed(request=request, template=template, context=context, parts=parts)

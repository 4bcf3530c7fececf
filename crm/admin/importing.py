"""Import a CSV file: upload, look at what it would do, confirm. All of it or nothing."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from audit import viewers
from crm import uploads
from crm.admin import progress
from crm.imports import ImportOvertaken, ImportRefused, import_records, preview_records

logger = logging.getLogger(__name__)

# Larger files: `manage.py import_crm`, which holds no web worker.
MAX_BYTES = 20 * 1024 * 1024
_TEMPLATES = "admin/crm/crmrecord/"


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(label="CSV file")

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(
                "The file is larger than 20 MB: import it with `manage.py import_crm FILE`."
            )
        return file


def allowed(request: HttpRequest) -> bool:
    """Tell whether the sender may import: an import both adds and changes records."""
    return request.user.has_perms(["crm.add_crmrecord", "crm.change_crmrecord"])


def page(admin: Any) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the import's view for the ModelAdmin `admin`."""

    def view(request: HttpRequest) -> HttpResponseBase:
        if not allowed(request):
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
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return TemplateResponse(request, f"{_TEMPLATES}import.html", context | {"form": form})
    return _page(request, context, _previewed(request, form.cleaned_data["file"].read()))


def _confirmed(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    ticket = request.POST["ticket"]
    try:
        content = uploads.opened(ticket=ticket, actor=viewers.actor(request))
    except uploads.UploadGone:
        gone = "That upload is no longer there. Please upload the file again."
        messages.error(request, gone)
        return HttpResponseRedirect(request.path)
    return _page(request, context, _imported(request, ticket, content))


def _previewed(request: HttpRequest, content: bytes) -> Iterator[str]:
    """Yield the parts of the page: progress, then what the file would do or what is wrong."""
    lines, expected = uploads.lines(content=content), uploads.rows(content=content)
    try:
        steps = preview_records(lines=lines, expected=expected)
        result = yield from progress.shown(steps=steps)
    except ImportRefused as exc:
        yield _part(request, "refused", refused=exc, form=UploadForm())
    else:
        ticket = uploads.keep(content=content, actor=viewers.actor(request))
        yield _part(request, "preview", result=result, ticket=ticket)


def _imported(request: HttpRequest, ticket: str, content: bytes) -> Iterator[str]:
    """Yield the parts of the page: progress, then what was done or why nothing was."""
    lines, expected = uploads.lines(content=content), uploads.rows(content=content)
    actor = viewers.actor(request)
    try:
        steps = import_records(lines=lines, actor=actor, expected=expected)
        result = yield from progress.shown(steps=steps)
    except ImportRefused as exc:
        yield _part(request, "refused", refused=exc, form=UploadForm())
    except ImportOvertaken:
        yield _part(request, "failed", why="Others keep changing the same records.")
    except Error as exc:
        # By its kind only: PostgreSQL puts the values of a row into its messages.
        logger.error("an import failed: %s", type(exc).__name__)
        yield _part(request, "failed", why="The database did not take it.")
    else:
        uploads.forget(ticket=ticket)
        yield _part(request, "done", result=result)


def _page(request: HttpRequest, context: dict[str, Any], parts: Iterator[str]) -> HttpResponseBase:
    template = f"{_TEMPLATES}import.html"
    return progress.page(request=request, template=template, context=context, parts=parts)


def _part(request: HttpRequest, name: str, **context: Any) -> str:
    return render_to_string(f"{_TEMPLATES}import_{name}.html", context, request)

"""Import a CSV file: upload, look at what it would do, confirm. All of it or nothing."""

import io
import json
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

from audit import staff
from backoffice.downloads import csv_download
from backoffice.inert import visible
from backoffice.turns import streamed
from crm.admin.progress import TEMPLATES, progress_parts
from crm.imports import uploads
from crm.imports.columns import attribute_of, field_of
from crm.imports.csvfile import CrmFile
from crm.imports.importing import SHOWN_FAULTS, ImportRefused, import_records, preview_records
from crm.upsert import Overtaken

logger = logging.getLogger(__name__)

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
        if "errors" in request.POST:
            return _errors(request)
        if "ticket" in request.POST:
            return _confirmed(request, context)
        if request.method == "POST":
            return _uploaded(request, context)
        return TemplateResponse(request, f"{TEMPLATES}import.html", context)

    return view


def _uploaded(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    sent = int(request.META.get("CONTENT_LENGTH") or 0)
    form = UploadForm(request.POST, request.FILES, too_large=sent > uploads.MAX_BYTES)
    if not form.is_valid():
        return TemplateResponse(request, f"{TEMPLATES}import.html", context | {"form": form})
    content = form.cleaned_data["file"].read()
    return _streamed(request, context, _preview_parts(request, content))


def _confirmed(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    content = _kept(request, "ticket")
    if content is None:
        return HttpResponseRedirect(request.path)
    parts = _import_parts(request, request.POST["ticket"], content)
    return _streamed(request, context, parts)


def _preview_parts(request: HttpRequest, content: bytes) -> Iterator[str]:
    """Yield the parts of the page: progress, then what the file would do or what is wrong."""
    file, expected = _opened(content)
    steps = preview_records(file=file, expected=expected)
    try:
        preview = yield from progress_parts(steps)
    except ImportRefused as exc:
        yield _refused_part(request, file, exc)
    else:
        told = {"preview": preview, "file": file, "header": list(_header(file))}
        if preview.result.written:
            told["ticket"] = uploads.keep(content=content, actor=staff.actor(request))
        yield _part(request, "preview", **told)


def _header(file: CrmFile) -> Iterator[tuple[str, str, str]]:
    """Yield each label of a file, the column it is read as, its further attribute."""
    for label, column in zip(file.labels, file.columns, strict=True):
        attribute = "" if field_of(label=column) == column else attribute_of(column=column)
        yield visible(label), column, visible(attribute)


def _import_parts(request: HttpRequest, ticket: str, content: bytes) -> Iterator[str]:
    """Yield the parts of the page: progress, then what was done or why nothing was."""
    file, expected = _opened(content)
    steps = import_records(file=file, actor=staff.actor(request), expected=expected)
    try:
        result = yield from progress_parts(steps)
    except ImportRefused as exc:
        yield _refused_part(request, file, exc)
    except Overtaken:
        yield _part(request, "failed", why="Others keep changing the same records.")
    except Error as exc:
        # By its kind only: PostgreSQL puts the values of a row into its messages.
        logger.error("an import failed: %s", type(exc).__name__)
        yield _part(request, "failed", why="The database did not take it.")
    else:
        uploads.forget(ticket=ticket)
        yield _part(request, "done", result=result)


def _opened(content: bytes) -> tuple[CrmFile, int | None]:
    """Return a file to be read, and how many lines it has: a few more than rows, at most."""
    lines = max(content.count(b"\n"), content.count(b"\r"))
    return CrmFile(content=io.BytesIO(content)), lines or None


def _refused_part(request: HttpRequest, file: CrmFile, refused: ImportRefused) -> str:
    """Return what is wrong with a file; where that is a list, it is kept to be downloaded."""
    whole = [str(fault) for fault in refused.faults if not fault.row]
    told = {"refused": refused, "file": file, "whole": whole, "form": UploadForm()}
    if not whole:
        faults = [[fault.row, fault.column, fault.sentence] for fault in refused.faults]
        content = json.dumps(faults).encode()
        told["errors"] = uploads.keep(content=content, actor=staff.actor(request))
    return _part(request, "refused", **told, shown=refused.faults[:SHOWN_FAULTS])


def _errors(request: HttpRequest) -> HttpResponseBase:
    """Return the kept list of what is wrong with a file, as a file."""
    content = _kept(request, "errors")
    if content is None:
        return HttpResponseRedirect(request.path)
    header = ("row", "column", "what is wrong")
    return csv_download(name="import-errors.csv", header=header, rows=json.loads(content))


def _kept(request: HttpRequest, name: str) -> bytes | None:
    """Return what was kept under the posted ticket; None, after a message, where nothing is."""
    try:
        return uploads.opened(ticket=request.POST[name], actor=staff.actor(request))
    except uploads.UploadGone:
        messages.error(request, "That upload is no longer there. Please upload the file again.")
        return None


def _part(request: HttpRequest, name: str, **context: Any) -> str:
    return render_to_string(f"{TEMPLATES}import_{name}.html", context, request)


def _streamed(
    request: HttpRequest, context: dict[str, Any], parts: Iterator[str]
) -> HttpResponseBase:
    template = f"{TEMPLATES}import.html"
    return streamed(request=request, template=template, context=context, parts=parts)

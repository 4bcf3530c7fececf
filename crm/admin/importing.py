"""Import a CSV file: upload, look at what it would do, confirm. All of it or nothing."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from audit import viewers
from crm import uploads
from crm.imports import ImportRefused, import_records, preview_records

# Larger files: `manage.py import_crm`, which shows its progress and holds no web worker.
MAX_BYTES = 20 * 1024 * 1024


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


def page(admin: Any) -> Callable[[HttpRequest], HttpResponse]:
    """Return the import's view for the ModelAdmin `admin`."""

    def view(request: HttpRequest) -> HttpResponse:
        if not allowed(request):
            raise PermissionDenied
        if request.method == "POST" and "ticket" in request.POST:
            return _confirm(request)
        context = admin.admin_site.each_context(request) | {"opts": admin.opts}
        context |= {"title": "Import CRM records", "form": UploadForm()}
        if request.method == "POST":
            context |= _preview(request)
        return TemplateResponse(request, "admin/crm/crmrecord/import.html", context)

    return view


def _preview(request: HttpRequest) -> dict[str, Any]:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return {"form": form}
    content = form.cleaned_data["file"].read()
    try:
        result = preview_records(lines=uploads.lines(content=content))
    except ImportRefused as exc:
        return {"refused": exc, "form": form}
    ticket = uploads.keep(content=content, actor=viewers.actor(request))
    return {"result": result, "ticket": ticket}


def _confirm(request: HttpRequest) -> HttpResponse:
    actor, ticket = viewers.actor(request), request.POST["ticket"]
    again = HttpResponseRedirect(request.path)
    try:
        content = uploads.opened(ticket=ticket, actor=actor)
        result = import_records(lines=uploads.lines(content=content), actor=actor)
    except uploads.UploadGone:
        messages.error(request, "That upload is no longer there. Please upload the file again.")
        return again
    except ImportRefused:
        messages.error(request, "The file is refused now: nothing was imported.")
        return again
    uploads.forget(ticket=ticket)
    messages.success(
        request,
        f"Imported: {result.created:,} new, {result.updated:,} changed,"
        f" {result.unchanged:,} unchanged.",
    )
    return HttpResponseRedirect(reverse("admin:crm_crmrecord_changelist"))

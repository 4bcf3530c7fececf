"""*Export bundle*: what `manage.py export_audit` makes, sent while it is made."""

import time
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from audit import export, staff
from audit.admin.filters import kinds, moments
from audit.sealing.signing import SigningKeyMissing
from backoffice.turns import give_way

_STEPS_A_TURN = 50
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ExportForm(forms.Form):
    """Which events; what is left empty does not narrow."""

    first = forms.DateField(label="From", required=False, widget=DAY)
    last = forms.DateField(label="To", required=False, widget=DAY, help_text="This day included.")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        choices = [("", "All kinds"), *((kind, kind) for kind in kinds())]
        self.fields["kind"] = forms.ChoiceField(label="Kind", required=False, choices=choices)

    def clean(self) -> dict[str, Any]:
        given = {name: self.cleaned_data.get(name) for name in ("first", "last")}
        try:
            since, until = moments(**given)
        except ValueError as exc:
            raise forms.ValidationError("There are no events of such a day.") from exc
        only = export.Filter(since=since, until=until, kind=self.cleaned_data.get("kind") or "")
        return {"only": only}


def page(*, admin: Any) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the view for the ModelAdmin `admin`."""

    def view(request: HttpRequest) -> HttpResponseBase:
        if not request.user.has_perm("audit.export_log"):
            raise PermissionDenied
        form = ExportForm(request.POST) if request.method == "POST" else ExportForm()
        if form.is_valid():
            try:
                return _download(actor=staff.actor(request), only=form.cleaned_data["only"])
            except (SigningKeyMissing, OSError) as exc:
                form.add_error(None, _why(exc))
        context = admin.admin_site.each_context(request)
        context |= {"opts": admin.opts, "title": "Export bundle", "form": form}
        return TemplateResponse(request, "admin/audit/auditevent/export.html", context)

    return view


def _download(*, actor: str, only: export.Filter) -> StreamingHttpResponse:
    """Return the zip file. Raises what `export.steps` does, before anything is sent."""
    pieces = export.download(actor=actor, only=only)
    name = f"audit-{timezone.localdate():%Y-%m-%d}.zip"
    return StreamingHttpResponse(
        _in_turns(chain([next(pieces)], pieces)),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        },
    )


def _in_turns(pieces: Iterator[bytes]) -> Iterator[bytes]:
    turn = time.monotonic()
    while batch := list(islice(pieces, _STEPS_A_TURN)):
        give_way(since=turn)
        yield b"".join(batch)
        turn = time.monotonic()  # however long the reader took


def _why(exc: Exception) -> str:
    if isinstance(exc, SigningKeyMissing):
        return "AUDIT_SIGNING_KEY is not set: nothing can be signed. Ask who runs the service."
    return "The anchor file cannot be read or written. Ask who runs the service."

"""What is handed out of a person: all that is stored, as JSON or to be printed; a receipt."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from audit.staff import actor
from backoffice.inert import visible
from provisioning.admin import evidence
from provisioning.admin.people.access import EXPORT, Person, require
from provisioning.consent.receipts import receipt_for_staff
from provisioning.models import GuestCreation
from provisioning.subjects.export import export

# Long, and for programs: they are in the file.
_LEFT_OUT = ("receipt", "receiptContent")
_NESTED = ("crmRecord", "withdrawal", "legalHold", "creations", "changes")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
Section = tuple[str, list[tuple[str, str]]]


def as_file(request: HttpRequest, person: Person) -> HttpResponse:
    """Answer with all that is stored, as a JSON file; it is recorded who took it."""
    require(request, EXPORT)
    return _file(export(session_hashes=person.sessions, actor=actor(request)), "person.json")


def to_print(request: HttpRequest, person: Person) -> HttpResponse:
    """Answer with the same as a page to be read and printed."""
    require(request, EXPORT)
    document = export(session_hashes=person.sessions, actor=actor(request))
    context = {
        **admin.site.each_context(request),
        "title": "What is stored of a person",
        "exported_at": _time(document["exportedAt"]),
        "sections": list(_sections(document)),
        "back": person.address,
    }
    headers = {"Cache-Control": "no-store"}
    template = "admin/provisioning/people/print.html"
    return TemplateResponse(request, template, context, headers=headers)


def download_receipt(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Answer with a creation's signed receipt, as a file; it is recorded who took it."""
    require(request, EXPORT)
    creation = get_object_or_404(GuestCreation.objects.select_related("notice"), pk=pk)
    receipt = receipt_for_staff(creation=creation, actor=actor(request))
    return _file(receipt.as_json(), f"receipt-{pk}.json")


def _sections(document: dict[str, Any]) -> Iterator[Section]:
    """Yield the parts of an export, each a heading with names and values."""
    for number, session in enumerate(document["sessions"], start=1):
        yield f"Session {number}", _lines(session, without=_NESTED)
        for name in ("crmRecord", "withdrawal", "legalHold"):
            if session.get(name):
                words = _words(name)
                yield words[0].upper() + words[1:], _lines(session[name])
        for creation in session["creations"]:
            yield f"Chat of {_time(creation['createdAt'])}", _lines(creation, without=_LEFT_OUT)
        yield "What the audit log says", [_event(each) for each in session["changes"]]


def _event(event: dict[str, Any]) -> tuple[str, str]:
    details = (f"{name} {value}" for name, value in evidence.details(data=event["data"]))
    return _time(event["time"]), ", ".join([evidence.named(kind=event["kind"]), *details])


def _lines(values: dict[str, Any], without: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [
        (_words(name), visible(_said(value)))
        for name, value in values.items()
        if name not in without and value not in ("", None, [], {})
    ]


def _words(name: str) -> str:
    return re.sub("([A-Z])", r" \1", name).lower().replace("crm", "CRM")


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{_words(name)}: {_said(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return _time(value) if _TIME.fullmatch(str(value)) else str(value)


def _time(written: str) -> str:
    """Return a time of `audit.log.timestamp` without fractions, as people read it."""
    return f"{written[:10]} {written[11:19]} UTC"


def _file(document: dict[str, Any], name: str) -> JsonResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return JsonResponse(document, json_dumps_params={"indent": 2}, headers=headers)

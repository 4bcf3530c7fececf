"""Admin pages about one person: a consent's receipt, all that is stored, erasure."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from audit.staff import actor
from backoffice.confirming import Question, ask
from crm.models import CrmRecord
from provisioning import ledger
from provisioning.consent.receipts import receipt_for_staff
from provisioning.models import GuestCreation
from provisioning.subjects import erasure, holds
from provisioning.subjects.export import export
from provisioning.subjects.identify import By, CannotName, identify, spellings

EXPORT, ERASE = "provisioning.export_subject", "provisioning.erase_subject"


def urls() -> list[URLPattern]:
    """Return the addresses, for `GuestCreationAdmin.get_urls`."""
    site = admin.site.admin_view
    return [
        path("person/", site(person_page), name="provisioning_person"),
        path("<uuid:pk>/receipt/", site(download_receipt), name="provisioning_receipt"),
    ]


def require(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied where the sender lacks `permission`."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def download_receipt(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Answer with a creation's signed receipt, as a file; it is recorded who took it."""
    require(request, EXPORT)
    creation = get_object_or_404(GuestCreation.objects.select_related("notice"), pk=pk)
    receipt = receipt_for_staff(creation=creation, actor=actor(request))
    return _file(receipt.as_json(), f"receipt-{pk}.json")


class PersonForm(forms.Form):
    """Whom, and what to do. What names the person is posted: no address or log line holds it."""

    by = forms.ChoiceField(choices=[(by.name, by.value) for by in By], label="Named by")
    value = forms.CharField(strip=False, max_length=256)
    all_spellings = forms.BooleanField(
        required=False, label="All these spellings are this person's address."
    )

    def clean(self) -> dict[str, Any]:
        """Find the person's sessions."""
        data = dict(super().clean() or {})
        if "by" in data and "value" in data:
            try:
                data["sessions"] = identify(by=By[data["by"]], value=data["value"])
            except CannotName as exc:
                raise forms.ValidationError({"value": str(exc)}) from exc
        return data

    def may_erase(self) -> bool:
        """Tell whether these are one person; where that is not said it becomes an error."""
        found = spellings(session_hashes=self.cleaned_data["sessions"])
        if len(found) > 1 and not self.cleaned_data["all_spellings"]:
            self.add_error("all_spellings", "Nothing was erased: first confirm these spellings.")
        return not self.errors


def person_page(request: HttpRequest) -> HttpResponse:
    """Find a person; export what is stored, or erase it after a confirmation."""
    if not (request.user.has_perm(EXPORT) or request.user.has_perm(ERASE)):
        raise PermissionDenied
    form = PersonForm(request.POST or None)
    sessions = form.cleaned_data["sessions"] if form.is_valid() else None
    if sessions and "export" in request.POST:
        require(request, EXPORT)
        return _file(export(session_hashes=sessions, actor=actor(request)), "person.json")
    if sessions and "erase" in request.POST and form.may_erase():
        require(request, ERASE)
        if page := ask(request=request, question=_question(sessions)):
            return page
        if _erase(request, form, sessions):
            return redirect(reverse("admin:provisioning_platformdeletion_changelist"))
    context = {
        **admin.site.each_context(request),
        "title": "A person's data",
        "form": form,
        "sessions": sessions,
        "spellings": spellings(session_hashes=sessions or []),
        "creations": GuestCreation.objects.filter(session_hash__in=sessions or []).count(),
        "may_export": request.user.has_perm(EXPORT),
        "may_erase": request.user.has_perm(ERASE),
    }
    return TemplateResponse(request, "admin/provisioning/person.html", context)


def _question(sessions: Sequence[str]) -> Question:
    creations = GuestCreation.objects.filter(session_hash__in=sessions)
    records = CrmRecord.objects.filter(session_hash__in=sessions).count()
    return Question(
        title="Erase a person",
        button="Erase this person",
        back=reverse("admin:provisioning_person"),
        word="erase",
        loses=True,
        happens=[
            f"CRM records are deleted: {records}.",
            f"Guest creations are emptied of all that names anybody: {creations.count()}.",
            "What the person withdrew is forgotten, and so are the words of the reviews.",
            "Their guests wait under Platform deletions until they are deleted there, too.",
        ],
        stays=[
            "That a chat was asked for, when, under which notice, and the verdicts of reviews.",
            "The events of the audit log. Nobody can tell any more whom they concern.",
            "Exports, backups, and your CRM: its next import brings the record back.",
        ],
        concerns=[f"session {number}" for number, _ in enumerate(sessions, start=1)],
    )


def _erase(request: HttpRequest, form: PersonForm, sessions: list[str]) -> bool:
    """Erase, and say so; where a hold or an init under way forbids it, the form says that."""
    try:
        erased = erasure.erase(session_hashes=sessions, actor=actor(request))
    except (holds.OnHold, ledger.InWork) as exc:
        form.add_error(None, str(exc))
        return False
    done = f"Erased: {erased.creations} creations and {erased.crm_records} CRM records."
    messages.success(request, f"{done} Now delete the guests on the platform too.")
    return True


def _file(document: dict[str, Any], name: str) -> JsonResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return JsonResponse(document, json_dumps_params={"indent": 2}, headers=headers)

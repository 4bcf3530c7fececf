"""What is done to a person on their page: withdraw on their behalf, hold, erase."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from audit.staff import actor
from backoffice.confirming import Question, ask
from crm.models import CrmRecord
from provisioning import ledger
from provisioning.admin.people.access import ERASE, EXPORT, HOLD, WITHDRAW, Person, forget, require
from provisioning.ledger.withdrawal import OnBehalf
from provisioning.ledger.withdrawal import withdraw as withdraw_session
from provisioning.models import Channel, GuestCreation
from provisioning.subjects import erasure, holds
from provisioning.subjects.identify import spellings
from provisioning.validators import validate_reference

Answer = dict[str, Any] | HttpResponse


class WithdrawForm(forms.Form):
    """How and when the visitor asked for it, and under which case."""

    channel = forms.ChoiceField(choices=[("", "---------"), *Channel.choices])
    received = forms.DateField(
        label="Date received", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    case = forms.CharField(
        label="Case number",
        max_length=64,
        required=False,
        validators=[validate_reference],
        help_text="No names. It is erased with the person, and is not in the audit log.",
    )

    def clean_received(self) -> Any:
        received = self.cleaned_data["received"]
        if received > timezone.localdate():
            raise forms.ValidationError("This day has not come yet.")
        return received


class HoldForm(forms.Form):
    """Under which case nothing may be erased."""

    reference = forms.CharField(
        max_length=64,
        validators=[validate_reference],
        help_text="Number of the case, no names: it goes into the audit log for good.",
    )


class EraseForm(forms.Form):
    """That several spellings of an address are one person's, where there are several."""

    all_spellings = forms.BooleanField(
        required=False, label="All these spellings are this person's address."
    )


def forms_for(person: Person) -> dict[str, Any]:
    """Return the forms of a person's page, empty."""
    today = {"received": timezone.localdate()}
    return {
        "withdraw_form": WithdrawForm(initial=today, auto_id="withdraw-%s"),
        "hold_form": HoldForm(auto_id="hold-%s"),
        "erase_form": EraseForm(auto_id="erase-%s"),
        "spellings": spellings(session_hashes=person.sessions),
    }


def withdraw(request: HttpRequest, person: Person) -> Answer:
    """Withdraw consent as the visitor's own call does, once it is confirmed."""
    require(request, WITHDRAW)
    form = WithdrawForm(request.POST, auto_id="withdraw-%s")
    if not form.is_valid():
        return {"withdraw_form": form}
    if page := ask(request=request, question=_of_withdrawal(person, form)):
        return page
    on_behalf = OnBehalf(actor=actor(request), **form.cleaned_data)
    event_request_id = request.META["EVENT_REQUEST_ID"]
    done = sum(
        withdraw_session(session_hash=key, event_request_id=event_request_id, on_behalf=on_behalf)
        for key in person.sessions
    )
    messages.success(request, f"Consent is withdrawn; creations: {done}. Their receipts say so.")
    return redirect(person.address)


def hold(request: HttpRequest, person: Person) -> Answer:
    """Place a hold on each of the person's sessions."""
    require(request, HOLD)
    form = HoldForm(request.POST, auto_id="hold-%s")
    if not form.is_valid():
        return {"hold_form": form}
    for key in person.sessions:
        holds.place(session_hash=key, actor=actor(request), **form.cleaned_data)
    messages.success(request, "A legal hold stands: nothing of this person is erased.")
    return redirect(person.address)


def erase(request: HttpRequest, person: Person) -> Answer:
    """Erase, once it is confirmed; a hold or an init under way forbids it."""
    require(request, ERASE)
    form = EraseForm(request.POST, auto_id="erase-%s")
    several = len(spellings(session_hashes=person.sessions)) > 1
    if not form.is_valid() or (several and not form.cleaned_data["all_spellings"]):
        form.add_error("all_spellings", "Nothing was erased: first confirm these spellings.")
        return {"erase_form": form}
    may_export = request.user.has_perm(EXPORT)
    if page := ask(request=request, question=_of_erasure(person, may_export=may_export)):
        return page
    try:
        erased = erasure.erase(session_hashes=person.sessions, actor=actor(request))
    except (holds.OnHold, ledger.InWork) as exc:
        messages.error(request, str(exc))
        return redirect(person.address)
    forget(request, person)
    done = f"Erased: {erased.creations} creations and {erased.crm_records} CRM records."
    messages.success(request, f"{done} Now delete the guests on the platform too.")
    return redirect("admin:provisioning_platformdeletion_changelist")


def _of_withdrawal(person: Person, form: WithdrawForm) -> Question:
    rows = GuestCreation.objects.filter(session_hash__in=person.sessions, withdrawn_at=None)
    said = form.cleaned_data
    channel = Channel(said["channel"]).label
    return Question(
        title="Withdraw consent for a person",
        button="Withdraw consent",
        back=person.address,
        place="A person",
        happens=[
            f"Creations under a consent that stands: {rows.filter(consent_given=True).count()}."
            " Each is marked withdrawn, and its guest gets no token any more.",
            "Each session is handled as declined until the visitor states consent again.",
            "Where the platform can be told, housekeeping tells it.",
            f"The audit log says: by {channel.lower()}, received on {said['received']:%Y-%m-%d}.",
            f"Case {said['case'] or '(no number)'}: kept outside the log, erased with the person.",
        ],
        stays=["The proof that consent was given before, and all that is stored of the person."],
        concerns=_sessions(person),
    )


def _of_erasure(person: Person, *, may_export: bool) -> Question:
    creations = GuestCreation.objects.filter(session_hash__in=person.sessions).count()
    records = CrmRecord.objects.filter(session_hash__in=person.sessions).count()
    return Question(
        title="Erase a person",
        button="Erase this person",
        back=person.address,
        place="A person",
        word="erase",
        loses=True,
        happens=[
            f"CRM records are deleted: {records}.",
            f"Guest creations are emptied of all that names anybody: {creations}.",
            "What the person withdrew is forgotten, and so are the words of the reviews.",
            "Their guests wait under Platform deletions until they are deleted there, too.",
        ],
        stays=[
            "That a chat was asked for, when, under which notice, and the verdicts of reviews.",
            "The events of the audit log. Nobody can tell any more whom they concern.",
            "Exports, backups, and your CRM: its next import brings the record back.",
        ],
        concerns=_sessions(person),
        part="admin/provisioning/people/export_first.html" if may_export else "",
        more={"address": person.address},
    )


def _sessions(person: Person) -> list[str]:
    return [f"session {key[:8]}…" for key in person.sessions]

"""Legal holds in the admin: adding one places it, deleting it lifts it; both are in the log."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.forms import ModelForm, ValidationError
from django.http import HttpRequest

from audit.staff import actor
from backoffice.confirming import AsksToDelete, Question
from provisioning.models import LegalHold
from provisioning.subjects import holds
from provisioning.subjects.identify import By, CannotName, identify


class LegalHoldForm(ModelForm):  # type: ignore[type-arg]
    """Takes a session's plain SHA-256 or its stored key, and keeps the latter."""

    def clean_session_hash(self) -> str:
        try:
            found = identify(by=By.SESSION_HASH, value=self.cleaned_data["session_hash"])
        except CannotName as exc:
            raise ValidationError(str(exc)) from exc
        if not found:
            raise ValidationError("Nothing is stored of such a session.")
        return found[0]


@admin.register(LegalHold)
class LegalHoldAdmin(AsksToDelete):
    """The holds that stand; none is ever changed."""

    deletes, deleted = "Lift selected holds", "Legal holds lifted"

    list_display = ("reference", "placed_at", "placed_by")
    form = LegalHoldForm
    fields = ("session_hash", "reference")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: LegalHold, form: LegalHoldForm, change: bool
    ) -> None:
        holds.place(session_hash=obj.session_hash, reference=obj.reference, actor=actor(request))

    def delete_model(self, request: HttpRequest, obj: LegalHold) -> None:
        holds.lift(session_hash=obj.session_hash, actor=actor(request))

    def question(self, *, rows: Sequence[LegalHold]) -> Question:
        return Question(
            title="Lift a legal hold",
            button="Lift the hold" if len(rows) == 1 else f"Lift {len(rows)} holds",
            back=self.list_address(),
            happens=[
                "A request for erasure can erase the person again, and the CRM record be deleted.",
                "What is older than RETENTION_DAYS is erased soon, without another question.",
                "It is recorded who lifted the hold.",
            ],
            concerns=[hold.reference for hold in rows],
        )

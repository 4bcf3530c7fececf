"""Legal holds in the admin: placed on a person's page, lifted by deleting one; both are logged."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from audit.staff import actor
from backoffice.confirming import AsksToDelete, Question
from provisioning.admin.people.access import FIND, HOLD, require
from provisioning.models import LegalHold
from provisioning.subjects import holds


@admin.register(LegalHold)
class LegalHoldAdmin(AsksToDelete):
    """The holds that stand; none is ever changed."""

    deletes, deleted = "Lift selected holds", "Legal holds lifted"

    list_display = ("reference", "placed_at", "placed_by")
    fields = ("reference", "placed_at", "placed_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the person: a hold is placed on their page."""
        require(request, HOLD)
        messages.info(request, "Find the person: a hold is placed on their page.")
        return redirect(FIND)

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

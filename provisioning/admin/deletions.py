"""Guests that are to be deleted on the platform too, and that somebody says are."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from audit.staff import actor
from backoffice.confirming import Question, ask
from backoffice.lists import ClosedAdmin
from provisioning.follow_up import deletions
from provisioning.follow_up.deletions import HOUSEKEEPING, State
from provisioning.models import PlatformDeletion


@admin.register(PlatformDeletion)
class PlatformDeletionAdmin(ClosedAdmin):
    """Guests of erased persons: deleted there by housekeeping, or by somebody who says so."""

    list_display = ("creation_id", "guest_id", "how_far", "requested_at", "done_at", "done_by")
    list_filter = ("state",)
    list_select_related = ("creation",)
    actions = ("mark_done",)

    def has_done_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("provisioning.change_platformdeletion")

    @admin.action(permissions=["done"], description="These guests are deleted on the platform")
    def mark_done(
        self, request: HttpRequest, rows: QuerySet[PlatformDeletion]
    ) -> HttpResponse | None:
        waiting = list(rows.exclude(state=State.DONE).order_by("requested_at"))
        if not waiting:
            self.message_user(request, "These are done already.")
            return None
        if page := ask(request=request, question=_question(waiting)):
            return page
        creations = [row.creation_id for row in waiting]
        done = deletions.mark_done(creations=creations, actor=actor(request))
        self.message_user(request, f"{done} marked done; their guest ids are forgotten.")
        return None

    @admin.display(description="State", ordering="state")
    def how_far(self, row: PlatformDeletion) -> str:
        """Say what is known, and what nobody has confirmed."""
        if row.state == State.DONE and row.done_by == HOUSEKEEPING:
            return "Contact deleted; transcripts: not confirmed by the platform"
        if row.state == State.WAITING and row.due_at is None:
            return "Waiting: delete this guest on the platform"
        return row.get_state_display()


def _question(rows: Sequence[PlatformDeletion]) -> Question:
    return Question(
        title="Guests deleted on the platform",
        button=f"Mark {len(rows)} as done",
        back=reverse("admin:provisioning_platformdeletion_changelist"),
        happens=[
            "You say that each of these guests is deleted on the platform.",
            "Their guest ids are forgotten here: nobody can find the guests by them any more.",
            "Housekeeping asks the platform no more about them.",
        ],
        concerns=[
            f"{row.guest_id or 'guest id unknown'}, {row.get_state_display()}" for row in rows
        ],
        loses=True,
    )

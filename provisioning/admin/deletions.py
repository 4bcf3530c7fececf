"""Guests that are to be deleted on the platform too, and that somebody says are."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.staff import actor
from backoffice.lists import ClosedAdmin
from provisioning.follow_up import deletions
from provisioning.models import PlatformDeletion


@admin.register(PlatformDeletion)
class PlatformDeletionAdmin(ClosedAdmin):
    """Guests of erased persons. The API has no deletion: somebody does it there, and says so."""

    list_display = ("creation_id", "guest_id", "state", "requested_at", "done_at", "done_by")
    list_filter = ("state",)
    list_select_related = ("creation",)
    actions = ("mark_done",)

    def has_done_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("provisioning.change_platformdeletion")

    @admin.action(permissions=["done"], description="These guests are deleted on the platform")
    def mark_done(self, request: HttpRequest, rows: QuerySet[PlatformDeletion]) -> None:
        creations = list(rows.values_list("creation_id", flat=True))
        done = deletions.mark_done(creations=creations, actor=actor(request))
        self.message_user(request, f"{done} marked done; their guest ids are forgotten.")

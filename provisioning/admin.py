"""Guest creations for review: to be read, never written."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from provisioning import compliance_admin, person_views  # noqa: F401  (the former registers its own)
from provisioning.models import GuestCreation


@admin.register(GuestCreation)
class GuestCreationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A closed book: no add, no change, no delete, superusers included."""

    list_display = (
        "created_at",
        "status",
        "consent_given",
        "consent_type",
        "consent_basis",
        "notice_version",
        "guest_id",
        "error_code",
    )
    list_filter = ("status", "consent_given", "consent_basis", "created_at")
    search_fields = ("guest_id__exact", "session_hash__exact")
    search_help_text = "A guest id or a session hash, whole"
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        return [*person_views.urls(site=self.admin_site), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

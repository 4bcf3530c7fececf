"""Tokens of the sync API: who holds one, and ending it."""

from django.contrib import admin
from django.http import HttpRequest

from crm.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Which users hold a token of the sync API; deleting one ends it at once."""

    list_display = ["user", "created_at"]
    fields = ["user", "created_at"]
    list_select_related = ["user"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # `issue_api_token` shows the token, which a page here would have to keep

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

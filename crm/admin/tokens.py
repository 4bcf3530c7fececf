"""Tokens of the sync API: who holds one, and ending it."""

from collections.abc import Sequence

from django.contrib import admin
from django.http import HttpRequest

from audit.staff import actor
from backoffice.confirming import AsksToDelete, Question
from crm.models import ApiToken
from crm.sync.tokens import end_token


@admin.register(ApiToken)
class ApiTokenAdmin(AsksToDelete):
    """Which users hold a token of the sync API; deleting one ends it at once."""

    deletes, deleted = "End selected tokens", "API tokens ended"
    list_display = ["user", "created_at"]
    fields = ["user", "created_at"]
    list_select_related = ["user"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # `issue_api_token` shows the token, which a page here would have to keep

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        end_token(token=obj, actor=actor(request))

    def question(self, *, rows: Sequence[ApiToken]) -> Question:
        return Question(
            title="End an API token" if len(rows) == 1 else "End API tokens",
            button="End the token" if len(rows) == 1 else f"End {len(rows)} tokens",
            back=self.list_address(),
            happens=[
                "Whatever sends the token is answered 401 from now on: a CRM that syncs stops.",
                "A token cannot be brought back; manage.py issue_api_token makes another.",
            ],
            concerns=[f"{row.user}, made {row.created_at:%Y-%m-%d}" for row in rows],
        )

"""Tokens of the sync API: making one of one's own, who holds one, and ending it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from audit.staff import actor
from backoffice.confirming import AsksToDelete, Question
from crm.models import ApiToken
from crm.sync.tokens import end_token, issue_token

_DAYS = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until somebody ends it"))


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a new token is called, what it may do, and for how long it is good."""

    name = forms.CharField(
        max_length=64, help_text="What uses it, such as “CRM sync”; it is shown in the list."
    )
    good_for = forms.ChoiceField(choices=_DAYS, initial="365", required=False)

    class Meta:
        model = ApiToken
        fields = ("name", "scope")


@admin.register(ApiToken)
class ApiTokenAdmin(AsksToDelete):
    """Which users hold a token of the sync API; deleting one ends it at once.

    Whoever makes one here makes their own: of somebody else it would lend that person's rights.
    """

    deletes, deleted = "End selected tokens", "API tokens ended"
    list_display = ["called", "user", "scope", "created_at", "expires_at", "last_used_at"]
    fields = ["user", "name", "scope", "created_at", "expires_at", "last_used_at"]
    list_select_related = ["user"]

    @admin.display(description="Token", ordering="name")
    def called(self, token: ApiToken) -> str:
        return str(token)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj else ["name", "scope", "good_for"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return TokenForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        days = form.cleaned_data["good_for"]
        request.issued_token = issue_token(  # type: ignore[attr-defined]
            user=request.user,  # type: ignore[arg-type]
            actor=actor(request),
            name=obj.name,
            scope=obj.scope,
            expires_at=timezone.now() + timedelta(days=int(days)) if days else None,
        )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Leave it to the audit log, which says the same."""

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the token, once: a redirect would have to keep it somewhere."""
        context = self.admin_site.each_context(request)
        context |= {"opts": self.opts, "title": "The new token", "back": self.list_address()}
        context["token"] = request.issued_token  # type: ignore[attr-defined]
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, "admin/crm/apitoken/issued.html", context, headers=headers)

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
                "A token cannot be brought back; a new one has to be made.",
            ],
            concerns=[f"{row}, of {row.user}, made {row.created_at:%Y-%m-%d}" for row in rows],
        )

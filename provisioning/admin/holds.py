"""Legal holds in the admin: adding one places it, deleting it lifts it; both are in the log."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm, ValidationError
from django.http import HttpRequest

from audit.staff import actor
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
class LegalHoldAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The holds that stand; none is ever changed."""

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

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LegalHold]) -> None:
        for hold in queryset:
            self.delete_model(request, hold)

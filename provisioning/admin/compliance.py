"""Notices, legal holds and deletions on the platform, for compliance staff."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm, ValidationError
from django.http import HttpRequest

from provisioning.consent import notices
from provisioning.models import LegalHold, Notice, NoticeDraft, PlatformDeletion
from provisioning.subjects import deletions, holds
from provisioning.subjects.identify import By, NotAHash, identify


@admin.register(NoticeDraft)
class NoticeDraftAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Notices being written; whoever may publish makes them final."""

    list_display = ("version", "language", "effective_at")
    actions = ("publish",)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("provisioning.publish_notice")

    @admin.action(permissions=["publish"], description="Publish: it can never be changed again")
    def publish(self, request: HttpRequest, drafts: QuerySet[NoticeDraft]) -> None:
        for draft in drafts:
            try:
                notice = notices.publish(draft=draft, actor=_actor(request))
                self.message_user(request, f"{notice} is published.", messages.SUCCESS)
            except notices.AlreadyPublished:
                sentence = f"{draft.version} is published in {draft.language} already."
                self.message_user(request, sentence, messages.ERROR)


class _ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Notice)
class NoticeAdmin(_ReadOnlyAdmin):
    """What visitors were told; the database keeps it as it is."""

    list_display = ("version", "language", "effective_at", "published_at", "published_by")


@admin.register(PlatformDeletion)
class PlatformDeletionAdmin(_ReadOnlyAdmin):
    """Guests of erased persons. The API has no deletion: somebody does it there, and says so."""

    list_display = ("creation_id", "guest_id", "state", "requested_at", "done_at", "done_by")
    list_filter = ("state",)
    list_select_related = ("creation",)
    show_full_result_count = False
    actions = ("mark_done",)

    def has_done_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("provisioning.change_platformdeletion")

    @admin.action(permissions=["done"], description="These guests are deleted on the platform")
    def mark_done(self, request: HttpRequest, rows: QuerySet[PlatformDeletion]) -> None:
        creations = list(rows.values_list("creation_id", flat=True))
        done = deletions.mark_done(creations=creations, actor=_actor(request))
        self.message_user(request, f"{done} marked done; their guest ids are forgotten.")


class LegalHoldForm(ModelForm):  # type: ignore[type-arg]
    """Takes a session's plain SHA-256 or its stored key, and keeps the latter."""

    def clean_session_hash(self) -> str:
        try:
            found = identify(by=By.SESSION_HASH, value=self.cleaned_data["session_hash"])
        except NotAHash as exc:
            raise ValidationError(str(exc)) from exc
        if not found:
            raise ValidationError("Nothing is stored of such a session.")
        return found[0]


@admin.register(LegalHold)
class LegalHoldAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Adding places a hold, deleting lifts it; both are in the audit log."""

    list_display = ("reference", "placed_at", "placed_by")
    form = LegalHoldForm
    fields = ("session_hash", "reference")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: LegalHold, form: LegalHoldForm, change: bool
    ) -> None:
        holds.place(session_hash=obj.session_hash, reference=obj.reference, actor=_actor(request))

    def delete_model(self, request: HttpRequest, obj: LegalHold) -> None:
        holds.lift(session_hash=obj.session_hash, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LegalHold]) -> None:
        for hold in queryset:
            holds.lift(session_hash=hold.session_hash, actor=_actor(request))


def _actor(request: HttpRequest) -> str:
    return f"staff:{request.user.pk}"

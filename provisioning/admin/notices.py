"""Privacy notices in the admin: drafts are edited and published, published ones only read."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.staff import actor
from backoffice.lists import ClosedAdmin
from provisioning.consent import notices
from provisioning.models import Notice, NoticeDraft


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
                notice = notices.publish(draft=draft, actor=actor(request))
                self.message_user(request, f"{notice} is published.", messages.SUCCESS)
            except notices.AlreadyPublished:
                sentence = f"{draft.version} is published in {draft.language} already."
                self.message_user(request, sentence, messages.ERROR)


@admin.register(Notice)
class NoticeAdmin(ClosedAdmin):
    """What visitors were told; the database keeps it as it is."""

    list_display = ("version", "language", "effective_at", "published_at", "published_by")

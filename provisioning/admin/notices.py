"""Privacy notices in the admin: drafts are edited and published, published ones only read."""

from collections.abc import Sequence
from datetime import UTC
from hashlib import sha256
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone

from audit.staff import actor
from backoffice.confirming import AsksToDelete, Question, ask
from backoffice.lists import ClosedAdmin
from provisioning.consent import notices, wording
from provisioning.models import Notice, NoticeDraft
from provisioning.validators import validate_purposes


class PurposesField(forms.CharField):
    """What data are used for: one purpose a line, kept as a list."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (line.strip() for line in (super().to_python(value) or "").splitlines())
        return [line for line in lines if line]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class NoticeDraftForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft, as one writes it."""

    purposes = PurposesField(validators=[validate_purposes], help_text="One a line")
    language = forms.ChoiceField(help_text="The language it is written in")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "---------"), *wording.languages(also=self.instance.language)]
        self.fields["language"].choices = choices  # type: ignore[attr-defined]
        # A draft is mostly for now: who wants another time changes it.
        self.fields["effective_at"].initial = timezone.now
        # Django's two inputs share one label, which belongs to neither.
        inputs = self.fields["effective_at"].widget.widgets
        for each, name in zip(
            inputs, ("Effective from: date", "Effective from: time"), strict=True
        ):
            each.attrs["aria-label"] = name


@admin.register(NoticeDraft)
class NoticeDraftAdmin(AsksToDelete):
    """Notices being written; whoever may publish makes them final."""

    deletes, deleted = "Delete selected drafts", "Notice drafts deleted"
    list_display = ("version", "language", "effective_at")
    actions = ("publish", "delete_selected")
    form = NoticeDraftForm
    change_form_template = "admin/provisioning/notice_form.html"

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra: Any = None
    ) -> HttpResponse:
        """Show the form, and beside it what visitors would read."""
        context = wording.shown(content=self.get_object(request, object_id)) if object_id else {}
        return super().changeform_view(request, object_id, form_url, context | (extra or {}))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.publish_view)
        address = path("<int:key>/publish/", view, name="provisioning_noticedraft_publish")
        return [address, *super().get_urls()]

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("provisioning.publish_notice")

    def publish_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Publish one draft, from its page."""
        if not self.has_publish_permission(request):
            raise PermissionDenied
        draft = get_object_or_404(NoticeDraft, pk=key)
        return self._ask_to_publish(request, [draft]) or HttpResponseRedirect(self.list_address())

    @admin.action(permissions=["publish"], description="Publish: it can never be changed again")
    def publish(self, request: HttpRequest, drafts: QuerySet[NoticeDraft]) -> HttpResponse | None:
        return self._ask_to_publish(request, list(drafts.order_by("version", "language")))

    def _ask_to_publish(
        self, request: HttpRequest, chosen: Sequence[NoticeDraft]
    ) -> HttpResponse | None:
        if page := ask(request=request, question=_question(chosen)):
            return page
        for draft in chosen:
            try:
                notice = notices.publish(draft=draft, actor=actor(request))
                self.message_user(request, f"Version {notice} is published.", messages.SUCCESS)
            except notices.AlreadyPublished:
                sentence = f"Version {draft.version} is published in {draft.language} already."
                self.message_user(request, sentence, messages.ERROR)
        return None

    def question(self, *, rows: Sequence[NoticeDraft]) -> Question:
        one = len(rows) == 1
        return Question(
            title="Delete a notice draft" if one else "Delete notice drafts",
            button="Delete the draft" if one else f"Delete {len(rows)} drafts",
            back=self.list_address(),
            loses=True,
            happens=["The text of the draft is gone: nobody has a copy of it here."],
            stays=["Every notice that was published."],
            concerns=[_named(row) for row in rows],
        )


def _question(drafts: Sequence[NoticeDraft]) -> Question:
    return Question(
        title="Publish a notice" if len(drafts) == 1 else "Publish notices",
        button=f"Publish {len(drafts)} notice{'s' * (len(drafts) != 1)}",
        back=reverse("admin:provisioning_noticedraft_changelist"),
        happens=[
            "Pages get the notice from the moment it is in effect, in the place of the one before.",
            "Nobody can change or delete it any more; a correction is another version.",
            "The draft is gone.",
        ],
        concerns=[
            f"{_named(draft)}, SHA-256 {sha256(draft.text.encode()).hexdigest()}"
            for draft in drafts
        ],
    )


def _named(draft: NoticeDraft) -> str:
    since = draft.effective_at.astimezone(UTC)
    return f"{draft.version} ({draft.language}), in effect from {since:%Y-%m-%d %H:%M} UTC"


@admin.register(Notice)
class NoticeAdmin(ClosedAdmin):
    """What visitors were told; the database keeps it as it is."""

    list_display = ("version", "language", "effective_at", "published_at", "published_by")
    fields = ("version", "language", "purposes_listed", "controller", "effective_at", "sha256",
              "published_at", "published_by")  # fmt: skip
    change_form_template = "admin/provisioning/notice_form.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """List the notices, and say so where none is in effect."""
        in_effect = Notice.objects.filter(effective_at__lte=timezone.now()).exists()
        return super().changelist_view(request, {"in_effect": in_effect} | (extra_context or {}))

    @admin.display(description="purposes")
    def purposes_listed(self, notice: Notice) -> str:
        return "\n".join(notice.purposes)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra: Any = None
    ) -> HttpResponse:
        """Show the notice as visitors read it, and what it changed."""
        context = wording.shown(content=self.get_object(request, object_id)) if object_id else {}
        return super().changeform_view(request, object_id, form_url, context | (extra or {}))

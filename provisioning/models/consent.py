"""What visitors were told, and who took consent back."""

from django.db import models
from django.db.models import Q

from provisioning.validators import validate_language, validate_purposes, validate_reference


class NoticeContent(models.Model):
    """What a privacy notice consists of, in one language; a draft and a notice have all of it."""

    version = models.CharField(max_length=64, help_text="As pages name it in noticeVersion")
    language = models.CharField(
        max_length=35,
        validators=[validate_language],
        help_text="A BCP 47 tag, such as en or de-AT",
    )
    text = models.TextField(help_text="What the visitor reads, whole")
    purposes = models.JSONField(
        validators=[validate_purposes], help_text='["customer support by chat", …]'
    )
    controller = models.TextField("controller", help_text="Name and contact of the controller")
    effective_at = models.DateTimeField(help_text="Before it, nobody can have seen the notice")

    class Meta:
        abstract = True


class NoticeDraft(NoticeContent):
    """A notice being written. Publishing turns it into a `Notice`."""

    class Meta:
        permissions = [("publish_notice", "Can publish a privacy notice")]

    def __str__(self) -> str:
        return f"draft of {self.version} ({self.language})"


class Notice(NoticeContent):
    """A published notice: the database refuses to change it (see `audit.triggers`)."""

    sha256 = models.CharField("SHA-256 of the text", max_length=64)
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=64)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["version", "language"], name="one_notice_a_version_and_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} ({self.language})"


class Channel(models.TextChoices):
    """How a visitor asked staff to withdraw. Values stand in the audit log for good."""

    TELEPHONE = "telephone", "Telephone"
    EMAIL = "e-mail", "E-mail"
    LETTER = "letter", "Letter"
    CHAT = "chat", "Chat"
    IN_PERSON = "in-person", "In person"


class Withdrawal(models.Model):
    """A session that withdrew its consent, until it states consent again.

    One that no creation is known of may be anybody's invention: until an init of it comes, nothing
    else is written, and `unmet_at` says when it was last asked for.
    """

    session_hash = models.CharField(max_length=64, primary_key=True)
    withdrawn_at = models.DateTimeField()
    unmet_at = models.DateTimeField(null=True, blank=True)
    # When the platform is to be told, or looked at again once it was; empty: nothing to do.
    platform_due_at = models.DateTimeField(null=True, blank=True)
    platform_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [("withdraw_consent", "Can withdraw consent on a person's behalf")]
        indexes = [
            models.Index(
                fields=["platform_due_at"],
                condition=Q(platform_due_at__isnull=False),
                name="withdrawal_to_tell",
            ),
            models.Index(
                fields=["unmet_at"], condition=Q(unmet_at__isnull=False), name="withdrawal_unmet"
            ),
        ]

    def __str__(self) -> str:
        return f"withdrawn {self.withdrawn_at:%Y-%m-%d}"


class WithdrawalCase(models.Model):
    """Under which case staff withdrew for a visitor: in no event, because an erasure deletes it.

    It outlives the withdrawal, which ends when consent is stated again, and goes with the session's
    last creation: until then somebody may have to show why the creations before are withdrawn.
    """

    session_hash = models.CharField(max_length=64)
    withdrawn_at = models.DateTimeField()
    case_number = models.CharField(max_length=64, validators=[validate_reference])

    class Meta:
        default_permissions = ()
        ordering = ["withdrawn_at"]
        indexes = [models.Index(fields=["session_hash"], name="withdrawal_case_by_session")]

    def __str__(self) -> str:
        return self.case_number

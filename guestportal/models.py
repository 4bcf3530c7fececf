"""What the service keeps of its own running: staff of the identity provider, findings, mails."""

from django.conf import settings
from django.db import models


class StaffIdentity(models.Model):
    """Ties an account to a person at the identity provider: by issuer and subject, nothing else.

    OpenID Connect Core 1.0, 5.7: only the two together are stable; an address or a name is not.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identity"
    )
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    bound_at = models.DateTimeField()
    # When the provider last said what groups the person is in, and when that was last asked.
    checked_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    # What lets us ask again; encrypted, see `guestportal.signin.kept_tokens`.
    tokens = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_account_per_person")
        ]

    def __str__(self) -> str:
        return f"identity of staff:{self.user_id}"


class DoctorResult(models.Model):
    """The findings of the last `doctor`: one row, written anew each time."""

    number = models.PositiveSmallIntegerField(primary_key=True, default=1)
    checked_at = models.DateTimeField()
    findings = models.JSONField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"findings of {self.checked_at}"


class DigestMail(models.Model):
    """A day whose mail to reviewers was taken up: whoever writes the row first sends it."""

    day = models.DateField(primary_key=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"mail of {self.day}"


class Unlocking(models.Model):
    """How many times sign-in was opened again under a name; see `guestportal.desk.unlocking`."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    times = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.times}"

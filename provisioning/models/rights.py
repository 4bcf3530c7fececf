"""What reviewers and data-protection officers decided about creations."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from provisioning.models.creations import GuestCreation
from provisioning.models.states import Verdict
from provisioning.validators import validate_reference


class LegalHold(models.Model):
    """While it stands, nothing of this session is erased. Lifting deletes the row; see the log.

    Its key is a number: the admin writes keys into addresses and into its own history.
    """

    session_hash = models.CharField(max_length=64)
    reference = models.CharField(
        max_length=64,
        validators=[validate_reference],
        help_text="Number of the case, no names: it goes into the audit log for good",
    )
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session_hash"],
                name="one_hold_a_session",
                violation_error_message="This session is on hold already.",
            )
        ]

    def __str__(self) -> str:
        return self.reference


class PlatformDeletion(models.Model):
    """A guest that is to be deleted on the platform too, after its person was erased here.

    What names the guest stands only here, and only until that is done. `guest_id` is empty where
    the outcome of the creation was unknown. On a platform without a call for it a person deletes
    the guest there (for one without an id: what was made at that time), and says so.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        REQUESTED = "asked", "Requested: the platform is at work"
        ERROR = "error", "For a person: it failed, or never ended"
        DONE = "done", "Done"

    creation = models.OneToOneField(GuestCreation, primary_key=True, on_delete=models.PROTECT)
    platform = models.CharField(max_length=16, db_default="guest-api")
    guest_id = models.CharField(max_length=128, blank=True)
    # `provisioning.genesys.platform.Deletion`, and when its next step is due; empty: for a person.
    subjects = models.JSONField(default=list, db_default=[], blank=True)
    request_id = models.CharField(max_length=64, blank=True, db_default="")
    errors = models.PositiveSmallIntegerField(db_default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    requested_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ("view", "change")
        indexes = [
            models.Index(
                fields=["requested_at"], condition=~Q(state="done"), name="deletion_not_done"
            ),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="deletion_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(~Q(state="done") & Q(done_at=None))
                | Q(
                    state="done",
                    done_at__isnull=False,
                    guest_id="",
                    subjects=[],
                    request_id="",
                    due_at=None,
                ),
                name="deletion_done_names_nobody",
            )
        ]

    def __str__(self) -> str:
        return f"platform deletion of {self.creation_id}"


class Review(models.Model):
    """What a reviewer found of a creation. The database refuses to change it (`audit.triggers`).

    But for the reviewer's own words, which an erasure of the person blanks.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    creation = models.ForeignKey(GuestCreation, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField()
    verdict = models.CharField(max_length=9, choices=Verdict)
    reason = models.CharField(max_length=500)

    class Meta:
        default_permissions = ("view", "add")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}, {self.reviewed_at:%Y-%m-%d}"

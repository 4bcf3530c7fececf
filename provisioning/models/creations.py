"""One row per guest creation, and the two kinds of key under which a page may ask for one again."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from provisioning.models.states import (
    TO_REVIEW,
    ConsentBasis,
    ConsentType,
    Reason,
    Status,
    Verdict,
    reasons_of,
    waits_for,
)


class GuestCreation(models.Model):
    """One init, written before the platform is called (contract, section 5).

    `provisioning.ledger` is its only writer. No personal data stands here in clear: the session as
    its hash, what was sent as field names and a salted digest.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)
    # The client's, as in our answer and log lines; empty once erased.
    request_id = models.CharField(max_length=64, blank=True)
    # Ours, under which its events stand: it is nowhere else, and they name the creation anyway, so
    # an erasure leaves it. None: from before there was one.
    event_request_id = models.UUIDField(null=True, blank=True)
    # Empty once erased.
    session_hash = models.CharField(max_length=64, blank=True)

    status = models.CharField(max_length=16, choices=Status)
    # Set while somebody works on the row: after this moment nobody does any more.
    overdue_at = models.DateTimeField(null=True, blank=True)
    # Which of the vendor's APIs it went to, as GENESYS_PLATFORM named it.
    platform = models.CharField(max_length=16, db_default="guest-api")
    guest_id = models.CharField(max_length=128, blank=True, db_index=True)
    # Rises with each withdrawal of the session, so that a token made before opens nothing after.
    token_generation = models.PositiveIntegerField(db_default=0)
    # When a guest that may exist was looked for on the platform and not found, if it was.
    looked_up_at = models.DateTimeField(null=True, blank=True)
    token_expires_at = models.CharField(max_length=40, blank=True)
    tokens_issued = models.PositiveIntegerField(default=0)

    consent_given = models.BooleanField()
    consent_type = models.CharField(max_length=8, choices=ConsentType)
    consent_basis = models.CharField(max_length=9, choices=ConsentBasis)
    # As the page named it; `notice` is empty where nobody published such a one.
    notice_version = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=35, blank=True)
    # No foreign key constraint: PostgreSQL would lock the one current notice's row at every init,
    # and a notice is never deleted anyway.
    notice = models.ForeignKey(
        "Notice",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
    )
    gpc = models.BooleanField("Global Privacy Control", default=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    # Why a reviewer is asked to look at it: words of `Reason`, written by the ledger when they
    # arise. The reviewers' lists and their indexes stand on it.
    review_reasons = models.CharField(max_length=64, blank=True, default="", db_default="")
    # Filter copies: the record is the latest `Review`, which nobody can change. The moment is empty
    # again when there is something new to look at (`ledger.transitions.move`); no evidence of the
    # creation.
    reviewed_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict, blank=True, default="", db_default="")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,  # the review protects them
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    # HMAC-SHA-256 under `salt`, which an erasure empties: then nobody can tell what they meant.
    salt = models.CharField(max_length=32, blank=True)
    profile_digest = models.CharField(max_length=64, blank=True)  # what the CRM knew
    payload_digest = models.CharField(max_length=64, blank=True)  # what was sent
    sent_fields = models.JSONField(default=list, blank=True)  # names only

    # What the platform said, for reviewers.
    error_code = models.CharField(max_length=32, blank=True)
    platform_status = models.PositiveSmallIntegerField(null=True, blank=True)
    platform_code = models.CharField(max_length=64, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    echo_consent_given = models.BooleanField(null=True, blank=True)
    echo_consent_type = models.CharField(max_length=16, blank=True)
    echo_created_date = models.CharField(max_length=40, blank=True)
    echo_mismatch = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["session_hash", "-id"], name="creation_by_session"),
            models.Index(fields=["status", "-id"], name="creation_by_status"),
            # For staff who have an id from a page or a log line: no event has it.
            models.Index(fields=["request_id"], name="creation_by_request"),
            # One for each list that reviewers work from.
            models.Index(fields=["consent_basis", "-id"], name="creation_by_basis"),
            models.Index(fields=["-id"], condition=TO_REVIEW, name="creation_waiting"),
            *(
                models.Index(
                    fields=["-id"],
                    condition=waits_for(reason),
                    name=f"creation_{reason.name}".lower(),
                )
                for reason in Reason
            ),
            models.Index(
                fields=["verdict", "-id"],
                condition=Q(verdict__gt=""),
                name="creation_by_verdict",
            ),
            models.Index(
                fields=["reviewer", "-id"],
                condition=Q(reviewer__isnull=False),
                name="creation_by_reviewer",
            ),
            models.Index(
                fields=["-id"], condition=Q(consent_given=False), name="creation_declined"
            ),
            models.Index(
                fields=["-id"], condition=Q(withdrawn_at__isnull=False), name="creation_withdrawn"
            ),
            # All that the dashboard counts, so that it reads the index and no rows.
            models.Index(
                fields=["created_at", "status", "consent_given", "consent_basis"],
                name="creation_tally",
            ),
            models.Index(
                fields=["overdue_at"],
                condition=Q(overdue_at__isnull=False),
                name="creation_in_work",
            ),
            # What retention looks through, without what it has erased already.
            models.Index(
                fields=["created_at"],
                condition=Q(erased_at__isnull=True),
                name="creation_to_expire",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="creation_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(consent_basis__in=ConsentBasis.values), name="creation_basis_is_known"
            ),
            # A guest that exists has an id, until the visitor is erased.
            models.CheckConstraint(
                condition=~Q(status__in=[Status.GUEST_CREATED, Status.READY])
                | ~Q(guest_id="")
                | Q(erased_at__isnull=False),
                name="creation_with_guest_has_guest_id",
            ),
            # Whoever writes an erased row, it names nobody.
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(
                    session_hash="",
                    request_id="",
                    guest_id="",
                    salt="",
                    profile_digest="",
                    payload_digest="",
                    correlation_id="",
                ),
                name="creation_erased_names_nobody",
            ),
            # Only a stated or an assumed consent can be a yes.
            models.CheckConstraint(
                condition=Q(consent_given=False)
                | Q(consent_basis__in=[ConsentBasis.STATED, ConsentBasis.ASSUMED]),
                name="creation_yes_has_a_basis",
            ),
        ]
        permissions = [
            ("export_subject", "Can export what is stored of a person"),
            ("erase_subject", "Can erase a person"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def request_in_events(self) -> str:
        """Return the request id of its events: 32 hex digits, or nothing."""
        return self.event_request_id.hex if self.event_request_id else ""

    @property
    def reasons(self) -> list[Reason]:
        """Return why it is or was to be reviewed."""
        return reasons_of(vars(self))


class InitCapability(models.Model):
    """The right to ask what became of one asynchronous init; kept hashed, for ten minutes."""

    key_hash = models.CharField(max_length=64, primary_key=True)
    creation = models.ForeignKey(GuestCreation, on_delete=models.CASCADE)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"capability for {self.creation_id}"


class IdempotencyKey(models.Model):
    """One ``Idempotency-Key`` of one session, kept for 24 hours.

    Both keys are stored hashed. `answer` is the CRM part of the first answer, encrypted under the
    client's raw key, which we do not keep: only the client that repeats it can have it read.
    """

    session_hash = models.CharField(max_length=64)
    key_hash = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=64)
    creation = models.ForeignKey(GuestCreation, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_index=True)
    answer = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session_hash", "key_hash"], name="one_idempotency_key_a_session"
            )
        ]

    def __str__(self) -> str:
        return f"idempotency key of {self.creation_id}"

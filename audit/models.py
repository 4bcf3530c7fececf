"""The tables of the log. All but `SubjectSalt` are insert-only: `audit.triggers` sees to it."""

from django.db import models


class AuditEvent(models.Model):
    """One thing that happened. `body` is the record; the other columns are copies to filter by."""

    id = models.UUIDField(primary_key=True, editable=False)
    time = models.DateTimeField()
    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=64, blank=True)
    actor = models.CharField(max_length=64)
    request_id = models.CharField(max_length=64, blank=True)
    # TEXT, not jsonb: the hash is over these very bytes, and jsonb would reorder them.
    body = models.TextField()

    class Meta:
        # Not `db_index`: on PostgreSQL that adds a second index, for LIKE, to every insert.
        indexes = [
            models.Index(fields=["kind", "id"], name="audit_event_by_kind"),
            models.Index(fields=["subject"], name="audit_event_by_subject"),
            models.Index(fields=["request_id"], name="audit_event_by_request"),
            # Of the staff's alone: an init writes nothing into it.
            models.Index(
                fields=["actor", "-id"],
                condition=~models.Q(actor="visitor") & ~models.Q(actor="system"),
                name="audit_event_by_staff",
            ),
        ]
        default_permissions = ("view",)
        permissions = [
            ("export_log", "Can export the audit log"),
            ("verify_log", "Can verify the audit log"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class AuditLog(models.Model):
    """Which log this is: a random id, made at the first seal; seals and anchors carry it."""

    number = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    log_id = models.UUIDField(editable=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(number=1), name="audit_one_log_per_database")
        ]

    def __str__(self) -> str:
        return str(self.log_id)


class AuditSeal(models.Model):
    """A signed statement about `count` events from `first_position` on; each names the one before.

    Hashes and signatures are lower-case hex. Numbers start at 1, positions at 0.
    """

    number = models.PositiveBigIntegerField(primary_key=True, editable=False)
    first_position = models.PositiveBigIntegerField(unique=True)
    count = models.PositiveIntegerField()
    root = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    time = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    hash = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"seal {self.number}"


class AuditLeaf(models.Model):
    """Where an event stands in the log, and the hash its seal was built from.

    Without foreign key constraints: PostgreSQL would lock, and so rewrite, every event's row when
    it is sealed. `verify_audit` finds a leaf without its event.
    """

    position = models.PositiveBigIntegerField(primary_key=True, editable=False)
    event = models.OneToOneField(
        AuditEvent, on_delete=models.DO_NOTHING, db_constraint=False, related_name="leaf"
    )
    seal = models.ForeignKey(
        AuditSeal,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="leaves",
    )
    hash = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"leaf {self.position}"


class SubjectSalt(models.Model):
    """What ties a pseudonym to a session hash. Erasing the row unties it, and the proof stands."""

    session_hash = models.CharField(max_length=64, primary_key=True, editable=False)
    salt = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "a subject's salt"

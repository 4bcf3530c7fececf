"""Who a visitor is, and what of it the platform is told.

The constraints hold whichever road a row comes by. They use only functions that SQLite and
PostgreSQL share, so that one migration says the same on both.
"""

import string
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Cast, Length, Replace, Substr
from django.db.models.lookups import Exact, StartsWith

from crm import validators
from crm.addresses import address_key
from crm.conversion import ValueType, convert

# The fields that every record has: columns of an import, sources of a mapping.
RECORD_FIELDS = ("email", "first_name", "tier", "previous_tickets")
# Longer than any key of an address that can be stored: NFC makes up to three characters of one.
MAX_ADDRESS_KEY = 1024
# Whose key was not made for the version that the record is at: see `crm.lookup`.
OUT_OF_DATE = models.Q(address_version=None) | ~models.Q(address_version=models.F("version"))
_LETTERS = string.ascii_letters + "_"
_EMAIL_WITHOUT_AT = Replace("email", models.Value("@"), models.Value(""))


def _made_of(expression: Any, characters: str) -> Exact:
    """Say in SQL that nothing is left of a text once `characters` are trimmed from its left."""
    rest = models.Func(
        expression, models.Value(characters), function="LTRIM", output_field=models.CharField()
    )
    return Exact(rest, "")


class CrmRecord(models.Model):
    """One visitor, keyed by what `crm.sessions.key_for_hash` makes of a session's hash."""

    session_hash = models.CharField(max_length=64, validators=[validators.validate_session_hash])
    email = models.CharField(
        "e-mail", max_length=validators.MAX_EMAIL, validators=[validators.validate_address]
    )
    first_name = models.CharField(
        max_length=validators.MAX_FIRST_NAME, blank=True, validators=[validators.validate_text]
    )
    tier = models.CharField(
        max_length=validators.MAX_TIER, blank=True, validators=[validators.validate_text]
    )
    previous_tickets = models.PositiveIntegerField(default=0)
    attributes = models.JSONField(
        "further attributes",
        default=dict,
        blank=True,
        validators=[validators.validate_attributes],
        help_text='A JSON object of text, numbers, true and false: {"segment": "retail"}',
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    # These may be missing or, where its version is not the row's, out of date: see `crm.lookup`.
    record_id = models.UUIDField(default=uuid4, null=True, editable=False)
    address_key = models.CharField(max_length=MAX_ADDRESS_KEY, null=True, editable=False)
    address_version = models.IntegerField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "CRM record"
        permissions = [("reveal_crmrecord", "Can see personal data unmasked, which is recorded")]
        indexes = [
            models.Index(fields=["address_key"], name="crm_record_by_address_key"),
            models.Index(fields=["id"], condition=OUT_OF_DATE, name="crm_record_to_fill"),
        ]
        constraints = [
            # Not `unique=True`, which on PostgreSQL adds a second index for LIKE.
            models.UniqueConstraint(
                fields=["session_hash"],
                name="crm_record_one_per_session",
                violation_error_message="This session already has a CRM record.",
            ),
            # Partial: SQLite gets an index and not, as for a whole one, the table made anew.
            models.UniqueConstraint(
                fields=["record_id"],
                condition=models.Q(record_id__isnull=False),
                name="crm_record_one_per_record_id",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    Exact(Length("session_hash"), 64),
                    _made_of("session_hash", "0123456789abcdef"),
                ),
                name="crm_record_session_hash_is_64_hex",
                violation_error_message="A session hash is 64 lower-case hexadecimal digits.",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    ~models.Q(email__startswith="@"),
                    ~models.Q(email__endswith="@"),
                    ~models.Q(email__contains=" "),
                    Exact(Length("email"), Length(_EMAIL_WITHOUT_AT) + 1),
                ),
                name="crm_record_email_can_be_one",
                violation_error_message="This is not an e-mail address.",
            ),
            models.CheckConstraint(
                condition=StartsWith(Cast("attributes", models.TextField()), "{"),
                name="crm_record_attributes_is_object",
                violation_error_message="Further attributes are an object of names and values.",
            ),
        ]

    def __str__(self) -> str:
        # Shown in Django's admin history, which outlives an erasure: nothing of the person.
        return f"CRM record {self.pk}"

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Write the record under its next version, so that an ETag never names two contents."""
        if self._state.adding:
            self.address_key, self.address_version = address_key(self.email), self.version
            super().save(update_fields=update_fields, **options)
            return
        self.version = models.F("version") + 1
        if update_fields is None or "email" in update_fields:
            self.address_key, self.address_version = address_key(self.email), self.version
        else:  # a key that is out of date stays so
            self.address_version = models.F("address_version") + 1
        if update_fields is not None:
            key = {"address_key"} if "email" in update_fields else set()
            update_fields = {*update_fields, *key, "version", "address_version", "updated_at"}
        super().save(update_fields=update_fields, **options)
        self.refresh_from_db(fields=["version", "address_version"])


class AttributeMapping(models.Model):
    """One attribute of the guest on the platform, and where its value comes from."""

    class SourceKind(models.TextChoices):
        FIELD = "field", "CRM field"
        ATTRIBUTE = "attribute", "further attribute"
        CONSTANT = "constant", "constant"

    target = models.CharField(
        max_length=64,
        validators=[validators.validate_target],
        help_text="Name of the attribute on the platform",
    )
    source_kind = models.CharField(max_length=16, choices=SourceKind.choices)
    source = models.CharField(
        max_length=255,
        validators=[validators.validate_text],
        help_text="email, first_name, tier or previous_tickets; the name of a further attribute;"
        " or the constant itself",
    )
    value_type = models.CharField(max_length=16, choices=ValueType.choices, default=ValueType.TEXT)
    default = models.CharField(
        max_length=255,
        blank=True,
        validators=[validators.validate_text],
        help_text="Sent when the source has no value of this type; empty: nothing is sent",
    )
    enabled = models.BooleanField(default=True)
    order = models.PositiveSmallIntegerField(default=0, help_text="Smaller numbers come first")

    class Meta:
        ordering = ["order", "target"]
        constraints = [
            models.UniqueConstraint(
                fields=["target"],
                name="crm_mapping_one_per_target",
                violation_error_message="Another mapping already fills this attribute.",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    _made_of(Substr("target", 1, 1), _LETTERS),
                    _made_of("target", _LETTERS + string.digits + ".-"),
                    ~models.Q(target=""),
                ),
                name="crm_mapping_target_is_a_name",
                violation_error_message="This is not a name of an attribute on the platform.",
            ),
            models.CheckConstraint(
                condition=models.Q(source_kind__in=["attribute", "constant"])
                | models.Q(source_kind="field", source__in=RECORD_FIELDS),
                name="crm_mapping_source_exists",
                violation_error_message="A CRM field is one of email, first_name, tier and"
                " previous_tickets.",
            ),
            models.CheckConstraint(
                condition=~models.Q(source=""),
                name="crm_mapping_source_is_given",
                violation_error_message="A mapping needs the name of its source, or its constant.",
            ),
            models.CheckConstraint(
                condition=models.Q(value_type__in=ValueType.values),
                name="crm_mapping_value_type_is_known",
                violation_error_message="A value is text, an integer, a number or a boolean.",
            ),
        ]

    def __str__(self) -> str:
        return self.target

    def clean(self) -> None:
        """Refuse a constant or default that its own value type does not take."""
        fixed = {"default": self.default}
        if self.source_kind == self.SourceKind.CONSTANT:
            fixed["source"] = self.source
        for field, value in fixed.items():
            if value and convert(value=value, to=self.value_type) is None:
                raise ValidationError({field: f"This is not of type {self.value_type}."})


class ImportUpload(models.Model):
    """A CSV file between its preview and its confirmation, encrypted; gone after an hour.

    The key is in the page that shows the preview and nowhere here, because the file may hold raw
    session ids.
    """

    uploaded_by = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(auto_now_add=True, db_index=True)
    content = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"upload {self.pk}"


class ApiToken(models.Model):
    """A token of the sync API, known by its hash: a stolen database opens nothing."""

    class Scope(models.TextChoices):
        READ = "read", "Read records"
        WRITE = "write", "Read and write records"

    token_hash = models.CharField(max_length=64, primary_key=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="crm_api_tokens"
    )
    name = models.CharField(
        max_length=64, blank=True, db_default="", help_text="What uses it, such as CRM sync"
    )
    # At most what the user's own permissions allow.
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.WRITE, db_default="write")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: until somebody ends it"
    )
    # To the minute: a call should not have to write.
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        default_permissions = ("view", "add", "delete")

    def __str__(self) -> str:
        return self.name or f"API token of {self.created_at:%Y-%m-%d}"


class SessionKeying(models.Model):
    """Which pepper the stored session keys were made with: one row, from the first write on."""

    number = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    fingerprint = models.CharField(max_length=16, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(number=1), name="crm_one_keying_per_database")
        ]

    def __str__(self) -> str:
        return self.fingerprint or "no pepper"

"""The sync API's records on the wire: JSON types taken at their word, one rule set with the import.

DRF's own fields would read 12 as "12" and "12" as 12, and trim what they store.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from backoffice.foreign import storable
from crm import validators
from crm.models import CrmRecord
from crm.upsert import NEW_RECORD

MAX_RECORDS = 10_000
_MOST_NAMED = 20  # unknown fields of one record in an answer
_OPTIONAL_TEXT: dict[str, Any] = {
    "required": False, "allow_blank": True, "validators": [validators.validate_text],
}  # fmt: skip


class Text(serializers.CharField):
    """A JSON string, kept as it is."""

    default_error_messages = {
        "invalid": "This must be a string.",
        "null": "This must be a string.",
        "required": "This is needed.",
        "blank": "This must not be empty.",
        "max_length": "This is longer than {max_length} characters.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class Whole(serializers.IntegerField):
    """A JSON number without a fraction."""

    default_error_messages = {
        "invalid": "This must be a whole number.",
        "null": "This must be a whole number.",
        "min_value": "This must be {min_value} or more.",
        "max_value": "This must be {max_value} or less.",
    }

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(data)


class Attributes(serializers.DictField):
    """Further attributes: an object of text, numbers, true and false; null removes a name."""

    default_error_messages = {
        "not_a_dict": "This is not an object of names and values.",
        "null": "This is not an object of names and values.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict")
        validators.validate_attributes({name: "" if v is None else v for name, v in data.items()})
        return data


class RecordFields(serializers.Serializer[Any]):
    """What may be said of a record. A name we do not know is refused: it is a misspelt one."""

    default_error_messages = {
        "invalid": "A record is a JSON object.",
        "null": "A record is a JSON object.",
    }

    email = Text(
        required=False, max_length=validators.MAX_EMAIL, validators=[validators.validate_address]
    )
    firstName = Text(  # noqa: N815
        source="first_name", max_length=validators.MAX_FIRST_NAME, **_OPTIONAL_TEXT
    )
    tier = Text(max_length=validators.MAX_TIER, **_OPTIONAL_TEXT)
    previousTickets = Whole(  # noqa: N815
        source="previous_tickets", required=False, min_value=0, max_value=validators.MAX_TICKETS
    )
    attributes = Attributes(required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            named = [storable(name, limit=64) for name in sorted(unknown)[:_MOST_NAMED]]
            raise ValidationError({name: ["There is no such field."] for name in named})
        return super().to_internal_value(data)


class WholeRecord(RecordFields):
    """The body of a PUT: all there is to say of a record; what is left out becomes empty."""

    email = Text(max_length=validators.MAX_EMAIL, validators=[validators.validate_address])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**NEW_RECORD, **attrs}


class RecordPatch(RecordFields):
    """One record of a bulk upsert: a merge patch (RFC 7396), what is left out stays as it is."""

    sessionHash = Text(help_text="SHA-256 of the session id, hexadecimal")  # noqa: N815
    version = Whole(
        required=False,
        min_value=0,
        help_text="Refuse unless the record is at this version; 0: unless there is none",
    )

    def validate_sessionHash(self, value: str) -> str:  # noqa: N802
        """Return the hash in lower case."""
        return validators.plain_hash(value)


class ShownRecord(WholeRecord):
    """A record as the API shows it. The key it is stored under is never shown."""

    sessionHash = serializers.SerializerMethodField(  # noqa: N815
        help_text="In a list null where a pepper is set: nobody can tell it"
    )
    version = Whole()
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    updatedAt = serializers.DateTimeField(source="updated_at")  # noqa: N815

    def get_sessionHash(self, record: CrmRecord) -> str | None:  # noqa: N802
        """Return the plain hash that the caller knows the record by."""
        plain: str | None = self.context["session_hash"]
        return plain


class RecordList(serializers.Serializer[Any]):
    """One page of a list; `next` is the address of the following one."""

    records = ShownRecord(many=True)
    next = Text(allow_null=True)


class BulkRequest(serializers.Serializer[Any]):
    """Up to 10,000 records to create or update."""

    records = RecordPatch(many=True)


class BulkResult(serializers.Serializer[Any]):
    """What became of one record, in the order they were sent."""

    index = Whole(help_text="Its place in the request, from 0")
    result = serializers.ChoiceField(choices=["created", "updated", "unchanged", "refused"])
    version = Whole(required=False)

    def get_fields(self) -> dict[str, Any]:
        """Add `fields`, a name that a Serializer keeps for itself."""
        sentences = serializers.ListField(child=serializers.CharField())
        return super().get_fields() | {
            "fields": serializers.DictField(child=sentences, required=False)
        }


class BulkAnswer(serializers.Serializer[Any]):
    """Counts, and a result for every record."""

    created = Whole()
    updated = Whole()
    unchanged = Whole()
    refused = Whole()
    results = BulkResult(many=True)


def shown(*, record: CrmRecord, session_hash: str | None) -> dict[str, Any]:
    """Return `record` as the API shows it, under the plain hash that the caller knows it by."""
    return dict(ShownRecord(record, context={"session_hash": session_hash}).data)

"""What may be stored about a visitor: one rule each for the admin, the import and the API.

Every refusal is a sentence that does not quote the value: values are personal data, and refusals
end up in terminals and logs.
"""

import math
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, RegexValidator

# RFC 5321, section 4.5.3.1.3: a path of 256, less its angle brackets.
MAX_EMAIL = 254
MAX_SESSION_ID = 256
MAX_FIRST_NAME = 100
MAX_TIER = 64
MAX_TICKETS = 2**31 - 1
MAX_ATTRIBUTE_NAME = 64
MAX_ATTRIBUTE_TEXT = 1000
# Beyond it a JSON number is not the same number everywhere (RFC 8259, section 6).
MAX_NUMBER = 2**53 - 1

# How every session hash looks: SHA-256 in lower-case hexadecimal digits.
SESSION_HASH = re.compile(r"\A[0-9a-f]{64}\Z")
NOT_A_HASH = "This is not a hash of 64 hexadecimal digits."

_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Unicode category Cc. PostgreSQL has no text with U+0000, and the others forge lines and cells.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_is_address = EmailValidator()

# The pattern as text: so it stands in the migrations.
validate_session_hash = RegexValidator(SESSION_HASH.pattern, NOT_A_HASH)
validate_target = RegexValidator(
    r"\A[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z",
    "A name is 1 to 64 of A-Z, a-z, 0-9, _, . and -, the first a letter or _.",
)


def plain_hash(value: str) -> str:
    """Return a session hash in lower case: some databases print it in capitals.

    Raises ValidationError for anything else.
    """
    lower = value.lower()
    validate_session_hash(lower)
    return lower


def validate_text(value: str) -> None:
    """Raise ValidationError for text that cannot be stored everywhere or shown safely."""
    # Bytes that are not UTF-8 arrive from a file as lone surrogates (PEP 383).
    if _SURROGATE.search(value):
        raise ValidationError("This is not valid UTF-8 text.")
    if _CONTROL.search(value):
        raise ValidationError(
            "Control characters, such as a tab or a line break, cannot be stored."
        )


def validate_session_id(value: str) -> None:
    """Raise ValidationError for what no page can have sent as its session id."""
    validate_text(value)
    if not 0 < len(value) <= MAX_SESSION_ID:
        raise ValidationError(f"A session id is 1 to {MAX_SESSION_ID} characters.")


def validate_address(value: str) -> None:
    """Raise ValidationError for what cannot be an e-mail address; its case is nobody's business."""
    validate_text(value)
    try:
        _is_address(value)
    except ValidationError as exc:
        raise ValidationError("This is not an e-mail address.") from exc
    # A quoted "a@b"@example.com is legal (RFC 5321) but refused by the table's own check.
    if value.count("@") != 1 or " " in value:
        raise ValidationError("This is not an e-mail address.")


def validate_attribute_name(value: str) -> None:
    """Raise ValidationError for a name no further attribute can have."""
    validate_text(value)
    if not 0 < len(value) <= MAX_ATTRIBUTE_NAME or value != value.strip():
        raise ValidationError(
            f"A name is 1 to {MAX_ATTRIBUTE_NAME} characters, without spaces around it."
        )


def validate_attributes(value: Any) -> None:
    """Raise ValidationError unless `value` is an object of text, numbers, true and false."""
    if not isinstance(value, dict):
        raise ValidationError("This is not an object of names and values.")
    for name, scalar in value.items():
        validate_attribute_name(name)
        validate_scalar(scalar)


def validate_scalar(value: Any) -> None:
    """Raise ValidationError unless `value` is text, a finite number, true or false."""
    if isinstance(value, str):
        validate_text(value)
        if len(value) > MAX_ATTRIBUTE_TEXT:
            raise ValidationError(f"This is longer than {MAX_ATTRIBUTE_TEXT:,} characters.")
    elif not isinstance(value, int | float):
        raise ValidationError("A value is text, a number, true or false.")
    elif abs(value) > MAX_NUMBER or math.isnan(value):
        raise ValidationError(f"A number is from -{MAX_NUMBER:,} to {MAX_NUMBER:,}.")

"""From what the CRM holds to the type that the platform is promised."""

import re

from django.db import models

from crm.validators import MAX_NUMBER

Scalar = str | int | float | bool

# Narrower than int() and float(), which also read "1_000", "٣" and "nan".
_INTEGER = re.compile(r"[+-]?[0-9]{1,16}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,16}(\.[0-9]{1,20})?")
# A number as JSON writes it: "01067" is none.
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ValueType(models.TextChoices):
    """The JSON types an attribute on the platform can have."""

    TEXT = "text", "text"
    INTEGER = "integer", "integer"
    NUMBER = "number", "number"
    BOOLEAN = "boolean", "boolean"


def convert(*, value: Scalar, to: str) -> Scalar | None:
    """Return `value` as the ValueType `to`, or None when it has no value of that type.

    Text is read as an import delivers it: spaces around a number or a word do not matter, empty
    text is no value. True and false are words, not numbers; 1.5 is no integer, 2.0 is.
    """
    if to == ValueType.TEXT:
        return as_text(value) or None
    if to == ValueType.BOOLEAN:
        return _WORDS.get(as_text(value).strip().lower())
    number = _number(value)
    # Written so that NaN, which compares as false with everything, is refused too.
    if number is None or not abs(number) <= MAX_NUMBER:
        return None
    if to == ValueType.NUMBER:
        return float(number)
    return int(number) if number == int(number) else None


def as_text(value: Scalar) -> str:
    """Return `value` as a file has it: true and false are written as in JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_like(*, text: str, stored: Scalar | None) -> Scalar:
    """Return the `text` of a file as the type that the `stored` value has; else as it is.

    So what `as_text` made of the stored value is that value again. A spreadsheet may write TRUE.
    """
    if isinstance(stored, bool):
        return {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(stored, int | float) and (found := _JSON_NUMBER.fullmatch(text)):
        number = float(text) if found[2] or found[3] else int(text)
        return number if abs(number) <= MAX_NUMBER else text
    return text


def _number(value: Scalar) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    text = value.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None

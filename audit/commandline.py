"""What commands take for words of the log: what is typed there stands in an event for good."""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime

from backoffice.foreign import is_storable

_KIND = re.compile(r"[a-z_]+(\.[a-z_]+)*")
_PSEUDONYM = re.compile(r"[0-9a-f]{64}")


def actor(text: str) -> str:
    """Return who acts, as an event can name them. Raises ArgumentTypeError."""
    if not text or not is_storable(text, limit=64):
        raise ArgumentTypeError("a name has 1 to 64 characters, and can be written")
    return text


def kind(text: str) -> str:
    """Return a kind of event, or nothing. Raises ArgumentTypeError."""
    return _shaped(text, _KIND, "a kind is a dotted name such as guest.created")


def subject(text: str) -> str:
    """Return a pseudonym, or nothing: an address would be sealed. Raises ArgumentTypeError."""
    return _shaped(text, _PSEUDONYM, "a subject is a pseudonym of 64 hexadecimal digits")


def moment(text: str) -> datetime:
    """Return a time in UTC, which is meant where no zone is named. Raises ArgumentTypeError."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise ArgumentTypeError(f"{text} is no ISO 8601 date or time") from exc


def _shaped(text: str, shape: re.Pattern[str], sentence: str) -> str:
    if text and not shape.fullmatch(text):
        raise ArgumentTypeError(sentence)
    return text

"""What a value may be: text, secrets, choices, flags, numbers, lists.

Each kind is at least as strict as the code that uses its values: what that would refuse later,
or never match, is refused here or brought into the one form that it takes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unicodedata import category
from zoneinfo import ZoneInfo

_FLAGS = {"true": True, "yes": True, "on": True, "1": True}
_FLAGS |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True)
class Kind:
    """What a value may be: in the words of the settings page and of a refusal, and as code.

    `parse` raises ValueError, KeyError, OSError or ImproperlyConfigured, never with the value in
    its text.
    """

    allowed: str
    refusal: str
    parse: Callable[[str], Any]


def text(*, pattern: str, allowed: str) -> Kind:
    """Take a string; one that is not empty must match `pattern` in full."""

    def parse(value: str) -> str:
        if value and not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError("no match")
        return value

    return parsed(parse, allowed=allowed)


def secret(*, least: int = 1) -> Kind:
    """Take a secret of `least` characters, as it stands: blanks at its ends are a slip."""
    length = f"{least} characters or more, " if least > 1 else ""
    allowed = f"{length}without line breaks and without blanks at its ends"
    return parsed(lambda value: value and _plain_secret(value, least), allowed=allowed)


def secrets(*, least: int) -> Kind:
    """Take a comma-separated list of secrets of `least` characters each."""

    def parse(value: str) -> list[str]:
        return [_plain_secret(each, least) for each in value.split(",")] if value else []

    return parsed(parse, allowed=f"secrets of {least} characters or more, parted by commas")


def hexadecimal() -> Kind:
    """Take 64 hex digits; capitals are made small, as keys are compared."""
    taken = text(pattern="[0-9a-fA-F]{64}", allowed="64 hex digits")
    return parsed(lambda value: taken.parse(value).lower(), allowed=taken.allowed)


def choice(*options: str) -> Kind:
    """Take one of `options`."""
    allowed = " | ".join(options)

    def parse(value: str) -> str:
        return options[options.index(value)]

    return Kind(allowed, f"must be one of: {allowed}", parse)


def flag() -> Kind:
    """Take true/false, yes/no, on/off or 1/0, in any case."""
    refusal = "must be on or off (also true/false, yes/no, 1/0)"
    return Kind("on | off", refusal, lambda value: _FLAGS[value.strip().lower()])


def whole(low: int, high: int) -> Kind:
    """Take a whole number from `low` to `high`; None where there is neither value nor default."""
    return _number(int, "[0-9]+", "whole number", low, high)


def seconds(low: float, high: float) -> Kind:
    """Take a duration in seconds from `low` to `high`."""
    return _number(float, r"[0-9]+(\.[0-9]+)?", "number", low, high)


def listing(each: Callable[[str], str], *, allowed: str) -> Kind:
    """Take a comma-separated list of what `each` takes."""

    def parse(value: str) -> list[str]:
        return [each(entry.strip()) for entry in value.split(",") if entry.strip()]

    return Kind(allowed, f"has an entry that is not {allowed}", parse)


def parsed(parse: Callable[[str], Any], *, allowed: str) -> Kind:
    """Take what `parse` takes."""
    return Kind(allowed, f"must be {allowed}", parse)


def time_zone(value: str) -> str:
    """Return the name of a time zone. Raises ValueError, KeyError or OSError where it is none."""
    return value if value == "UTC" else ZoneInfo(value).key


def header(value: str) -> tuple[str, str] | None:
    """Return Django's pair of META key and value from ``HTTP_NAME=value``, None from nothing.

    Raises ValueError. Django reads a header up to its first comma, so that one never matches.
    """
    if not value:
        return None
    if not re.fullmatch(r"HTTP_[A-Z0-9_]+=[!-+\--~]+", value):
        raise ValueError("not a header")
    name, _, sent = value.partition("=")
    return name, sent


def group_map(value: str) -> dict[str, tuple[str, ...]]:
    """Return which groups of ours each group of the identity provider stands for.

    ``THEIRS=OURS`` parted by commas; where there is a semicolon, by semicolons alone, and the last
    ``=`` counts: a provider's group may be a distinguished name. Raises ValueError.
    """
    found: dict[str, tuple[str, ...]] = {}
    for pair in filter(None, map(str.strip, value.split(";" if ";" in value else ","))):
        theirs, _, ours = (part.strip() for part in pair.rpartition("="))
        if not theirs or not ours or len(ours) > 150 or not pair.isprintable():
            raise ValueError("not a pair")
        found[theirs] = (*found.get(theirs, ()), ours)
    return found


def _plain_secret(value: str, least: int) -> str:
    # What nobody sees of a value that was copied from a page: U+200B, U+FEFF.
    unseen = any(category(character) in ("Cc", "Cf", "Zl", "Zp") for character in value)
    if value != value.strip() or len(value) < least or unseen:
        raise ValueError("not a secret as it should be")
    return value


def _number(
    number: type[int] | type[float], pattern: str, noun: str, low: float, high: float
) -> Kind:
    allowed = f"{_shown(low)} to {_shown(high)}"

    def parse(value: str) -> float | None:
        if not value:
            return None
        # int() and float() also take "1_000", " 7 " and "nan"; a settings file should not.
        if not re.fullmatch(pattern, value) or not low <= number(value) <= high:
            raise ValueError("no such number")
        return number(value)

    return Kind(allowed, f"must be a {noun} from {allowed}", parse)


def _shown(number: float) -> str:
    """Group the digits of a long number only: a port is written 8000."""
    return f"{number:,}" if number >= 10_000 else f"{number:g}"

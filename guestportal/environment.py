"""Read the settings that `guestportal.config` declares, and refuse what is wrong by name.

django-environ finds and parses ``.env``; the strictness is ours, because it turns ``ture`` into
``False`` in silence.
"""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_FLAGS = {"true": True, "yes": True, "on": True, "1": True}
_FLAGS |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True)
class Kind:
    """What a value may be: in the words of the settings page and of a refusal, and as code.

    `parse` raises ValueError, KeyError or ImproperlyConfigured, never with the value in its text.
    """

    allowed: str
    refusal: str
    parse: Callable[[str], Any]


@dataclass(frozen=True)
class Setting:
    """One setting of the environment.

    `default` is written as in ``.env``. Where it depends on other settings, `computed` makes it
    from those declared before, and `default` is what the settings page says of it.
    """

    name: str
    kind: Kind
    meaning: str
    default: str = ""
    computed: Callable[[SimpleNamespace], str] | None = None


def text(*, pattern: str = "", allowed: str = "text") -> Kind:
    """Take a string; with `pattern`, one that is not empty must match it in full."""

    def parse(value: str) -> str:
        if value and pattern and not re.fullmatch(pattern, value):
            raise ValueError("no match")
        return value

    return parsed(parse, allowed=allowed)


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
    return _number(int, r"\d+", "whole number", low, high)


def seconds(low: float, high: float) -> Kind:
    """Take a duration in seconds from `low` to `high`."""
    return _number(float, r"\d+(\.\d+)?", "number", low, high)


def listing(*, pattern: str, allowed: str) -> Kind:
    """Take a comma-separated list, each entry of which must match `pattern` in full."""

    def parse(value: str) -> list[str]:
        entries = [entry.strip() for entry in value.split(",") if entry.strip()]
        if not all(re.fullmatch(pattern, entry) for entry in entries):
            raise ValueError("an entry does not match")
        return entries

    return Kind(allowed, f"has an entry that is not {allowed}", parse)


def parsed(parse: Callable[[str], Any], *, allowed: str) -> Kind:
    """Take what `parse` takes."""
    return Kind(allowed, f"must be {allowed}", parse)


def read_dotenv(path: Path) -> None:
    """Load `path` if it exists; a variable already in the environment wins.

    A path that ENV_FILE names must exist: a typo would mean other settings, in silence.
    Raises ImproperlyConfigured where it does not.
    """
    if "ENV_FILE" in os.environ and not path.exists():
        raise ImproperlyConfigured("ENV_FILE names no file.")
    if path.is_file():
        environ.Env.read_env(str(path), overwrite=False)


def read(settings: Iterable[Setting]) -> SimpleNamespace:
    """Return the value of each setting under its name.

    Raises ImproperlyConfigured, which names the first that is wrong.
    """
    values = SimpleNamespace()
    for setting in settings:
        setattr(values, setting.name, _value(setting, values))
    return values


def _value(setting: Setting, earlier: SimpleNamespace) -> Any:
    # Read past django-environ, which takes a leading ``$``, in a secret say, for a reference. An
    # empty value counts as an absent one.
    value = os.environ.get(setting.name)
    if not value:
        value = setting.computed(earlier) if setting.computed else setting.default
    try:
        return setting.kind.parse(value)
    except (ValueError, KeyError, ImproperlyConfigured) as exc:
        raise ImproperlyConfigured(f"{setting.name} {setting.kind.refusal}.") from exc


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

"""Read settings from the environment, refuse what is wrong by name, and remember what was asked.

django-environ finds and parses ``.env``; the strictness is ours, because it turns ``ture`` into
``False`` in silence. Every variable read is kept in ``DOCUMENTED``, from which the README's table
is checked, so that the two cannot drift apart.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Variable:
    """One documented environment variable, as the README's table shows it."""

    name: str
    default: str
    allowed: str
    meaning: str


DOCUMENTED: dict[str, Variable] = {}
_env = environ.Env()


def read_dotenv(path: Path) -> None:
    """Load `path` if it exists; a variable already in the environment wins.

    A path that ENV_FILE names must exist: a typo would mean other settings, in silence.
    """
    if "ENV_FILE" in os.environ and not path.exists():
        raise ImproperlyConfigured("ENV_FILE names no file.")
    if path.is_file():
        _env.read_env(str(path), overwrite=False)


def text(
    name: str,
    *,
    default: str = "",
    meaning: str,
    pattern: str | None = None,
    allowed: str = "text",
    shown: str | None = None,
) -> str:
    """Return a string; with `pattern`, a non-empty value must match it in full."""
    value = _raw(name, default)
    _document(name, shown if shown is not None else default, allowed, meaning)
    if value and pattern and not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name} must be {allowed}.")
    return value


def choice(name: str, *, options: tuple[str, ...], default: str, meaning: str) -> str:
    """Return one of `options`."""
    allowed = " | ".join(options)
    value = _raw(name, default)
    _document(name, default, allowed, meaning)
    if value not in options:
        raise ImproperlyConfigured(f"{name} must be one of: {allowed}.")
    return value


def boolean(name: str, *, default: bool, meaning: str, shown: str | None = None) -> bool:
    """Return a flag written as true/false, yes/no, on/off or 1/0, in any case."""
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    value = _raw(name).strip().lower()
    _document(name, shown or ("on" if default else "off"), "on | off", meaning)
    if value == "":
        return default
    if value not in words:
        raise ImproperlyConfigured(f"{name} must be on or off (also true/false, yes/no, 1/0).")
    return words[value]


def integer(name: str, *, default: int, low: int, high: int, meaning: str) -> int:
    """Return a whole number from `low` to `high`."""
    return int(_number(name, int, default, low, high, meaning))


def optional_integer(name: str, *, low: int, high: int, meaning: str) -> int | None:
    """Return a whole number from `low` to `high`, or None where the variable is absent."""
    value = _number(name, int, None, low, high, meaning)
    return None if value is None else int(value)


def seconds(name: str, *, default: float, low: float, high: float, meaning: str) -> float:
    """Return a duration in seconds from `low` to `high`."""
    return float(_number(name, float, default, low, high, meaning))


def listing(
    name: str,
    *,
    default: str = "",
    meaning: str,
    pattern: str | None = None,
    allowed: str = "a,b,c",
) -> list[str]:
    """Return a comma-separated list; with `pattern`, each entry must match it in full."""
    value = _raw(name, default)
    _document(name, default, allowed, meaning)
    entries = [entry.strip() for entry in value.split(",") if entry.strip()]
    for entry in entries:
        if pattern and not re.fullmatch(pattern, entry):
            raise ImproperlyConfigured(f"{name} has an entry that is not {allowed}.")
    return entries


def parsed(
    name: str,
    *,
    parse: Callable[[str], Any],
    default: str,
    allowed: str,
    meaning: str,
    shown: str = "",
) -> Any:
    """Return what `parse` makes of the value; its ValueError or KeyError is named, never quoted."""
    _document(name, shown or default, allowed, meaning)
    try:
        return parse(_raw(name, default))
    except (ValueError, KeyError, ImproperlyConfigured) as exc:
        raise ImproperlyConfigured(f"{name} must be {allowed}.") from exc


def database(url: str) -> dict[str, Any]:
    """Return Django's DATABASES entry for `url`, tuned as docs/operators.md explains."""
    if url.partition("://")[0] not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError("not a database of ours")  # django-environ would warn, password and all
    config = dict(environ.Env.db_url_config(url))
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["ENGINE"] = "guestportal.stores.sqlite3"
        # A writer takes its lock at BEGIN: taken later, two readers turned writers dead-lock.
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            " PRAGMA secure_delete=ON; PRAGMA cache_size=-512;",
        }
        return config
    config["ENGINE"] = "guestportal.stores.postgresql"
    return config | {"CONN_HEALTH_CHECKS": True, "OPTIONS": _postgresql(config)}


def header(value: str) -> tuple[str, str] | None:
    """Return Django's pair of META key and value from ``HTTP_NAME=value``, None from nothing."""
    if not value:
        return None
    if not re.fullmatch(r"HTTP_[A-Z0-9_]+=\S+", value):
        raise ValueError(value)
    name, _, sent = value.partition("=")
    return name, sent


def _postgresql(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return psycopg's options; what the URL's query says wins.

    A connection is held for a transaction, never while the platform is awaited, so a few serve
    many visitors. Each is checked when it is taken: one that a restarted server left behind is
    replaced unseen. Five seconds are what the last of 500 visitors at once may wait for one, and
    what a visitor waits for an honest 503 with the server gone. The pool gives up on a connection
    sooner, so that the first visitor after the server's return opens it anew.
    """
    return {
        "pool": {"min_size": 1, "max_size": 20, "timeout": 5, "reconnect_timeout": 2},
        "connect_timeout": 3,
        # A server that vanished without a word (power, network) is noticed in seconds too.
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 2,
        "tcp_user_timeout": 5000,
        "options": "-c lock_timeout=5s -c statement_timeout=30s"
        " -c idle_in_transaction_session_timeout=60s",
        **config.get("OPTIONS", {}),
    }


def cache(url: str) -> dict[str, Any]:
    """Return Django's CACHES entry for `url`."""
    scheme = url.partition("://")[0]
    if scheme in {"locmem", "locmemcache"}:
        # Django's own limit of 300 entries would throw out limits that are in force.
        return {
            "BACKEND": "guestportal.stores.cache.LocalCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    if scheme in {"redis", "rediss"}:
        return {"BACKEND": "guestportal.stores.cache.DegradingRedisCache", "LOCATION": url}
    raise ValueError(url)


def _raw(name: str, default: str = "") -> str:
    """Return the variable as it stands, `default` where it is absent or empty.

    Read past django-environ, which takes a leading ``$``, in a secret say, for a reference.
    """
    return os.environ.get(name) or default


def _number(name: str, kind: type, default: Any, low: float, high: float, meaning: str) -> Any:
    allowed = f"{_shown(low)} to {_shown(high)}"
    value = _raw(name)
    _document(name, "none" if default is None else _shown(default), allowed, meaning)
    if value == "":
        return default
    # int() and float() also take "1_000", " 7 " and "nan"; a settings file should not.
    if (
        re.fullmatch(r"\d+" if kind is int else r"\d+(\.\d+)?", value)
        and low <= kind(value) <= high
    ):
        return kind(value)
    unit = "whole number" if kind is int else "number"
    raise ImproperlyConfigured(f"{name} must be a {unit} from {allowed}.")


def _shown(number: float) -> str:
    """Group the digits of a long number only: a port is written 8000."""
    return f"{number:,}" if number >= 10_000 else f"{number:g}"


def _document(name: str, default: str, allowed: str, meaning: str) -> None:
    DOCUMENTED[name] = Variable(name, default, allowed, meaning)

"""What `check --deploy` says, keys that are weak or used twice, static files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core import checks

from guestportal.doctor.findings import FAULT, OK, WARNING, Check, Finding

# Whoever finds one of these can read or forge something. `check --deploy` looks at SECRET_KEY.
_KEYS = {
    "AUDIT_SIGNING_KEY": "openssl rand -hex 32",
    "SESSION_HASH_PEPPER": "openssl rand -hex 32",
    "IDENTITY_SECRET": "openssl rand -hex 32",
    "MESSENGER_TOKEN_KEY": "openssl rand -hex 32",
    "METRICS_TOKEN": "openssl rand -hex 16",
}
_FEW_CHARACTERS = 8  # 16 random hex digits have fewer once in 200 times, 32 never


def _system_checks() -> Iterator[Finding]:
    found = checks.run_checks(include_deployment_checks=True)
    spoken = [each for each in found if each.level >= checks.WARNING and not each.is_silenced()]
    yield from map(_as_finding, spoken)
    if not spoken:
        yield Finding("settings", OK, "check --deploy has nothing to say")


def _as_finding(message: checks.CheckMessage) -> Finding:
    state = FAULT if message.is_serious() else WARNING
    name, parted, said = message.msg.partition(": ")
    if not parted or not (message.id or "").startswith("guestportal."):
        name, said = message.id or "settings", message.msg
    first_sentence = " ".join(said.split()).partition(". ")[0].rstrip(".")
    return Finding(name, state, first_sentence, message.hint or "See: manage.py check --deploy")


def _keys() -> Iterator[Finding]:
    values = {name: str(getattr(settings, name) or "") for name in (*_KEYS, "SECRET_KEY")}
    given = {name: value for name, value in values.items() if value}
    weak = [name for name in _KEYS if name in given and len(set(given[name])) < _FEW_CHARACTERS]
    for name in weak:
        remedy = f"Set it to the output of: {_KEYS[name]}"
        yield Finding(name, FAULT, "repeats a few characters and can be guessed", remedy)
    by_value: dict[str, list[str]] = {}
    for name, value in given.items():
        by_value.setdefault(value, []).append(name)
    for names in by_value.values():
        if len(names) > 1:
            said = f"{' and '.join(names)} have the same value"
            yield Finding("keys", FAULT, said, "Give each a value of its own.")
    if not weak and len(by_value) == len(given):
        yield Finding("keys", OK, "none is weak, and none is used twice")


def _static_files() -> Iterator[Finding]:
    root = Path(str(settings.STATIC_ROOT))
    sources = [path for finder in get_finders() for path, _ in finder.list([])]
    missing = [path for path in sources if not (root / _collected_name(path)).is_file()]
    if missing:
        said = f"{len(missing)} of {len(sources)} are not collected, such as {missing[0]}"
        yield Finding("static files", FAULT, said, "Run: make install")
        return
    yield Finding("static files", OK, f"{len(sources)} are collected")


def _collected_name(path: str) -> str:
    """Return the name under which pages ask for a static file."""
    storage: Any = staticfiles_storage
    if isinstance(storage, ManifestFilesMixin):
        return str(storage.hashed_files.get(path, "not-collected"))
    return path


CHECKS = (
    Check("settings", _system_checks),
    Check("keys", _keys),
    Check("static files", _static_files),
)

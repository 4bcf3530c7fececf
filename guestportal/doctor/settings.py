"""What `check --deploy` says, keys that are weak or used twice, static files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from guestportal.doctor.findings import FAULT, NOT_CHECKED, OK, WARNING, Check, Finding

# Whoever finds one of these can read or forge something. `check --deploy` looks at SECRET_KEY.
_KEYS = {
    "AUDIT_SIGNING_KEY": "openssl rand -hex 32",
    "SESSION_HASH_PEPPER": "openssl rand -hex 32",
    "IDENTITY_SECRET": "openssl rand -hex 32",
    "MESSENGER_TOKEN_KEY": "openssl rand -hex 32",
    "METRICS_TOKEN": "openssl rand -hex 16",
}
_ORIGINS = ("ALLOWED_HOSTS", "CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS")
# Names that are nobody's (RFC 2606, sections 2 and 3).
_RESERVED = [["example", "com"], ["example", "net"], ["example", "org"]]
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
    try:
        values = {name: str(getattr(settings, name) or "") for name in ("SECRET_KEY", *_KEYS)}
    except ImproperlyConfigured:  # Django's, of an empty one: a fault of the settings already
        yield Finding("keys", NOT_CHECKED, "waits until SECRET_KEY is in order")
        return
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


def _example_values() -> Iterator[Finding]:
    """Name what was left as deploy/production.env.example has it."""
    for name, values in _hosts_and_names().items():
        if left := [value for value in values if _is_of_the_example(value)]:
            said = f"is still an example's: {', '.join(dict.fromkeys(left))}"
            yield Finding(name, WARNING, said, f"Set {name} to your own (docs/settings.md).")


def _hosts_and_names() -> dict[str, list[str]]:
    """Return what each setting names: hosts, domains and ids, and no secret."""
    origins = {name: [_host(each) for each in getattr(settings, name)] for name in _ORIGINS}
    addresses = {
        "DATABASE_URL": str(settings.DATABASES["default"].get("HOST") or ""),
        "CACHE_URL": _host(str(settings.CACHES["default"].get("LOCATION") or "")),
        "CELERY_BROKER_URL": _host(settings.CELERY_BROKER_URL or ""),
        "GUEST_EMAIL_DOMAIN": settings.GUEST_EMAIL_DOMAIN,
        "GENESYS_CLIENT_ID": settings.GENESYS_CLIENT_ID or "",
        "OIDC_ISSUER": _host(settings.OIDC_ISSUER or ""),
    }
    return origins | {name: [value] for name, value in addresses.items()}


def _host(url: str) -> str:
    """Return the host of an address, or of a name without a scheme; empty where there is none."""
    try:
        return urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""


def _is_of_the_example(value: str) -> bool:
    parts = value.lower().rstrip(".").split(".")
    is_reserved = parts[-1] == "example" or parts[-2:] in _RESERVED
    return is_reserved or value.startswith("your-")


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
    Check("example values", _example_values),
    Check("static files", _static_files),
)

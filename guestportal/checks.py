"""System checks: unsafe or missing settings, by name.

Errors (E) keep `make serve` from starting; warnings (W) speak in `check --deploy` only. Values
outside their range never get here: they stop the start in `guestportal.environment`.
"""

import os
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

TAG = "guestportal"


def _serve(check: Callable[[], CheckMessage | None]) -> Callable[..., Sequence[CheckMessage]]:
    """Register `check` among the deployment checks."""

    def run(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
        message = check()
        return [message] if message else []

    run.__name__ = check.__name__
    run.__doc__ = check.__doc__
    return register(TAG, deploy=True)(run)


def _error(number: int, name: str, sentence: str, hint: str) -> Error:
    return Error(f"{name}: {sentence}", hint=hint, id=f"guestportal.E{number:03}")


def _warning(number: int, name: str, sentence: str, hint: str) -> Warning:
    return Warning(f"{name}: {sentence}", hint=hint, id=f"guestportal.W{number:03}")


@_serve
def debug_is_off() -> CheckMessage | None:
    if not settings.DEBUG:
        return None
    return _error(1, "DEBUG", "is on.", "Unset DEBUG: its error pages show settings and data.")


@_serve
def secret_key_is_strong() -> CheckMessage | None:
    key = os.environ.get("SECRET_KEY", "")  # an empty one raises where it is read as a setting
    if len(key) >= 50 and len(set(key)) >= 5 and not key.startswith("django-insecure-"):
        return None
    hint = "Set it to the output of: openssl rand -base64 48"
    return _error(2, "SECRET_KEY", "is missing or weak.", hint)


@_serve
def hosts_are_named() -> CheckMessage | None:
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return None
    return _error(3, "ALLOWED_HOSTS", "is empty or *.", "Name the hosts, such as chat.example.com.")


@_serve
def credentials_are_set() -> CheckMessage | None:
    names = ("GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET")
    missing = [name for name in names if not getattr(settings, name)]
    if not missing:
        return None
    hint = "Copy it from the OAuth client in the platform's admin console."
    return _error(4, " and ".join(missing), "not set.", hint)


@_serve
def signing_key_is_set() -> CheckMessage | None:
    if settings.AUDIT_SIGNING_KEY:
        return None
    hint = "Make one with: openssl rand -hex 32. Keep it outside the database and its backups."
    return _error(5, "AUDIT_SIGNING_KEY", "is not set.", hint)


@_serve
def platform_is_reached_over_tls() -> CheckMessage | None:
    for name in ("GENESYS_BASE_URL", "GENESYS_OAUTH_URL"):
        url = urlsplit(getattr(settings, name))
        if url.scheme != "https" and not _is_loopback(url.hostname or ""):
            hint = "Use https; plain http is for a sandbox on loopback."
            return _error(6, name, "is plain http.", hint)
    return None


@_serve
def processes_share_a_cache() -> CheckMessage | None:
    shared = "redis" in settings.CACHES["default"]["BACKEND"].lower()
    if settings.WEB_CONCURRENCY == 1 or shared:
        return None
    hint = "Set CACHE_URL to Redis, or WEB_CONCURRENCY to 1: limits and tokens must be shared."
    return _error(7, "WEB_CONCURRENCY", "is more than 1 without a shared CACHE_URL.", hint)


@_serve
def identity_secret_is_set() -> CheckMessage | None:
    if settings.IDENTITY_VERIFICATION == "off" or settings.IDENTITY_SECRET:
        return None
    hint = "Make one with: openssl rand -hex 32, and give it to your website's backend."
    return _error(8, "IDENTITY_SECRET", "is not set, and verification is required.", hint)


@_serve
def consent_is_not_assumed() -> CheckMessage | None:
    if settings.CONSENT_MODE != "compat":
        return None
    hint = "CONSENT_MODE=strict: silence is no consent (GDPR recital 32, CJEU C-673/17)."
    return _warning(1, "CONSENT_MODE", "compat assumes a consent that nobody stated.", hint)


@_serve
def guessed_sessions_show_nothing() -> CheckMessage | None:
    shows = set(settings.CRM_RESPONSE_FIELDS) & {"email", "firstName"}
    if settings.IDENTITY_VERIFICATION == "required" or not shows:
        return None
    hint = (
        "Set IDENTITY_VERIFICATION=required, or leave email and firstName out of "
        "CRM_RESPONSE_FIELDS."
    )
    sentence = "whoever guesses a session id is shown the visitor's name and address."
    return _warning(2, "IDENTITY_VERIFICATION", sentence, hint)


@_serve
def visitor_domain_is_ours() -> CheckMessage | None:
    if settings.GUEST_EMAIL_DOMAIN != "temp.com":
        return None
    hint = "Set a domain you own or one under .invalid: temp.com belongs to somebody else."
    return _warning(3, "GUEST_EMAIL_DOMAIN", "is the seed's temp.com.", hint)


@_serve
def hashes_are_keyed() -> CheckMessage | None:
    if settings.SESSION_HASH_PEPPER:
        return None
    hint = "Set it to the output of: openssl rand -hex 32, then run rekey_sessions."
    sentence = "is not set: a stolen database can be searched for guessed session ids."
    return _warning(4, "SESSION_HASH_PEPPER", sentence, hint)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""System checks: unsafe or missing settings, by name.

Errors (E) keep `make serve` from starting; warnings (W) speak in `check --deploy` only. Values
outside their range never get here: they stop the start in `guestportal.environment`, as do lines of
``.env`` that are not understood.
"""

import os
import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection

from guestportal.loopback import is_loopback
from guestportal.signin import checks as signin

TAG = "guestportal"
OLDEST_SQLITE = (3, 35)  # the ledger reads what an UPDATE returns


@register(TAG, deploy=True)
def settings_are_safe(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return what is unsafe, then what is unwise."""
    return [*_errors(), *signin.errors(), *_warnings(), *signin.warnings()]


def _errors() -> Iterator[Error]:
    if settings.DEBUG:
        hint = "Unset DEBUG: its error pages show settings and data."
        yield _error(1, "DEBUG", "is on.", hint)
    # An empty one raises where it is read as a setting.
    if not _is_strong(os.environ.get("SECRET_KEY", "")):
        hint = "Set it to the output of: openssl rand -base64 48"
        yield _error(2, "SECRET_KEY", "is missing or weak.", hint)
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        hint = "Name the hosts, such as chat.example.com."
        yield _error(3, "ALLOWED_HOSTS", "is empty or *.", hint)
    if missing := [name for name in _CREDENTIALS if not getattr(settings, name)]:
        hint = "Copy it from the OAuth client in the platform's admin console."
        yield _error(4, " and ".join(missing), "not set.", hint)
    if not settings.AUDIT_SIGNING_KEY:
        hint = "Make one with: openssl rand -hex 32. Keep it outside the database and its backups."
        yield _error(5, "AUDIT_SIGNING_KEY", "is not set.", hint)
    if plain := next((name for name in _ADDRESSES if _is_plain_http(getattr(settings, name))), ""):
        hint = "Use https; plain http is for a sandbox on loopback."
        yield _error(6, plain, "is plain http.", hint)
    if (
        settings.WEB_CONCURRENCY > 1
        and "redis" not in settings.CACHES["default"]["BACKEND"].lower()
    ):
        hint = "Set CACHE_URL to Redis, or WEB_CONCURRENCY to 1: limits and tokens must be shared."
        yield _error(7, "WEB_CONCURRENCY", "is more than 1 without a shared CACHE_URL.", hint)
    if settings.IDENTITY_VERIFICATION != "off" and not settings.IDENTITY_SECRET:
        hint = "Make one with: openssl rand -hex 32, and give it to your website's backend."
        yield _error(8, "IDENTITY_SECRET", "is not set, and verification is required.", hint)
    yield from _errors_of_messenger()
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        hint = "Use a Python that brings a newer one, or PostgreSQL."
        sentence = (
            f"is SQLite's, whose library is {sqlite3.sqlite_version}, before 3.35 (RETURNING)."
        )
        yield _error(9, "DATABASE_URL", sentence, hint)


def _errors_of_messenger() -> Iterator[Error]:
    if settings.GENESYS_PLATFORM != "messenger":
        return
    missing = [name for name in _OF_MESSENGER if not getattr(settings, name)]
    if missing:
        hint = "GENESYS_PLATFORM=messenger needs them: see docs/platforms.md."
        yield _error(10, ", ".join(missing), "not set.", hint)
    if settings.GENESYS_OAUTH_AUTH != "basic":
        hint = "Unset it: the vendor's login host takes HTTP Basic."
        yield _error(11, "GENESYS_OAUTH_AUTH", "is not basic, and the platform messenger.", hint)


def _warnings() -> Iterator[Warning]:
    if settings.CONSENT_MODE == "compat":
        hint = "CONSENT_MODE=strict: silence is no consent (GDPR recital 32, CJEU C-673/17)."
        sentence = "compat assumes a consent that nobody stated."
        yield _warning(1, "CONSENT_MODE", sentence, hint)
    shown = {"email", "firstName"} & set(settings.CRM_RESPONSE_FIELDS)
    if shown and settings.IDENTITY_VERIFICATION != "required":
        hint = "Set it to required, or leave email and firstName out of CRM_RESPONSE_FIELDS."
        sentence = "a guessed session id shows the visitor's name and address."
        yield _warning(2, "IDENTITY_VERIFICATION", sentence, hint)
    if settings.GUEST_EMAIL_DOMAIN == "temp.com":
        hint = "Set a domain you own or one under .invalid: temp.com belongs to somebody else."
        yield _warning(3, "GUEST_EMAIL_DOMAIN", "is the seed's temp.com.", hint)
    if not settings.SESSION_HASH_PEPPER:
        hint = "Set it to the output of: openssl rand -hex 32, then run rekey_sessions."
        sentence = "is not set: a stolen database can be searched for guessed session ids."
        yield _warning(4, "SESSION_HASH_PEPPER", sentence, hint)
    if settings.DOTENV_UNKNOWN:
        hint = "Correct or remove them, where they are not another program's."
        sentence = f"holds names that are no settings: {', '.join(settings.DOTENV_UNKNOWN)}."
        yield _warning(5, ".env", sentence, hint)
    yield from _warnings_of_mail()
    for number, (name, theirs) in enumerate(NOT_READ.items(), 6):
        found = [each for each in theirs if os.environ.get(each)]
        if found and not getattr(settings, name):
            hint = f"Set {name}, if the platform is to be reached by it; else unset them."
            yield _warning(number, ", ".join(found), f"is not read; {name} is not set.", hint)


def _warnings_of_mail() -> Iterator[Warning]:
    missing = [name for name in ("EMAIL_URL", "EMAIL_FROM") if not getattr(settings, name)]
    if settings.DIGEST_TO and missing:
        hint = "Set it, or unset DIGEST_TO: without it the daily mail to reviewers is not sent."
        yield _warning(30, " and ".join(missing), "not set, and DIGEST_TO is.", hint)
    mail = settings.EMAIL_URL or {}
    plain = not (mail.get("EMAIL_USE_TLS") or mail.get("EMAIL_USE_SSL"))
    if mail.get("EMAIL_HOST_PASSWORD") and plain and not is_loopback(host=mail["EMAIL_HOST"]):
        hint = "Use smtp+tls:// or smtp+ssl://."
        yield _warning(31, "EMAIL_URL", "sends its password over plain SMTP.", hint)


_OF_MESSENGER = (
    *("MESSENGER_DOMAIN", "MESSENGER_ENVIRONMENT", "MESSENGER_DEPLOYMENT_ID"),
    *("MESSENGER_EXTERNAL_SOURCE_ID", "MESSENGER_SCHEMA_ID", "MESSENGER_TOKEN_KEY"),
)
_CREDENTIALS = ("GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET")
# What other programs read, and which setting does it here.
NOT_READ = {
    "GENESYS_CA_BUNDLE": ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    "GENESYS_PROXY": ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"),
}
_ADDRESSES = ("GENESYS_BASE_URL", "GENESYS_OAUTH_URL")


def _is_strong(key: str) -> bool:
    return len(key) >= 50 and len(set(key)) >= 5 and not key.startswith("django-insecure-")


def _is_plain_http(address: str) -> bool:
    url = urlsplit(address)
    return url.scheme != "https" and not is_loopback(host=url.hostname or "")


def _error(number: int, name: str, sentence: str, hint: str) -> Error:
    return Error(f"{name}: {sentence}", hint=hint, id=f"guestportal.E{number:03}")


def _warning(number: int, name: str, sentence: str, hint: str) -> Warning:
    return Warning(f"{name}: {sentence}", hint=hint, id=f"guestportal.W{number:03}")

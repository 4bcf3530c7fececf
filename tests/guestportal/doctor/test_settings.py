"""Doctor names each setting, key and file that is not as it should be, with its remedy."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from guestportal.doctor.examination import CHECKS, examine
from tests.guestportal.doctor.conftest import Doctor
from tests.support.service import ROOT

NO_REDIS = {
    "BACKEND": "guestportal.stores.cache.DegradingRedisCache",
    "LOCATION": "redis://:pass-word@127.0.0.1:1/0",
}
MEMORY = {"BACKEND": "guestportal.stores.cache.LocalCache"}
NO_BROKER = "amqp://guest:pass-word@127.0.0.1:1//"
# What is set, the finding, its state, a part of what is said, a part of the remedy.
FAULTS: list[tuple[dict[str, Any], str, str, str, str]] = [
    ({"DEBUG": True}, "DEBUG", "fault", "is on", "Unset DEBUG"),
    ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS", "fault", "is empty or *", "Name the hosts"),
    ({"CONSENT_MODE": "compat"}, "CONSENT_MODE", "warning", "nobody stated", "strict"),
    ({"SECURE_HSTS_SECONDS": 0}, "security.W004", "warning", "SECURE_HSTS_SECONDS", "--deploy"),
    ({"AUDIT_SIGNING_KEY": ""}, "AUDIT_SIGNING_KEY", "fault", "is not set", "openssl rand -hex 32"),
    ({"METRICS_TOKEN": "ab" * 16}, "METRICS_TOKEN", "fault", "guessed", "openssl rand -hex 16"),
    (
        {"METRICS_TOKEN": "fedcba9876543210" * 4},
        "keys",
        "fault",
        "IDENTITY_SECRET and METRICS_TOKEN have the same value",
        "a value of its own",
    ),
    (
        {"ALLOWED_HOSTS": ["chat.own.test", "chat.example.com"]},
        "ALLOWED_HOSTS",
        "warning",
        "still an example's: chat.example.com",
        "Set ALLOWED_HOSTS",
    ),
    (
        {"CORS_ALLOWED_ORIGINS": ["https://www.example.com"]},
        "CORS_ALLOWED_ORIGINS",
        "warning",
        "www.example.com",
        "your own",
    ),
    (
        {"CSRF_TRUSTED_ORIGINS": ["https://*.example.org:8443"]},
        "CSRF_TRUSTED_ORIGINS",
        "warning",
        "*.example.org",
        "your own",
    ),
    (
        {"GUEST_EMAIL_DOMAIN": "visitors.example"},
        "GUEST_EMAIL_DOMAIN",
        "warning",
        "visitors.example",
        "your own",
    ),
    (
        {"GENESYS_CLIENT_ID": "your-oauth-client-id"},
        "GENESYS_CLIENT_ID",
        "warning",
        "your-oauth-client-id",
        "your own",
    ),
    ({"STATIC_ROOT": "/nowhere"}, "static files", "fault", "not collected", "make install"),
    ({"CACHES": {"default": NO_REDIS}}, "cache", "fault", "cannot be used", "CACHE_URL"),
    ({"CELERY_BROKER_URL": NO_BROKER}, "broker", "fault", "cannot be reached", "RabbitMQ's log"),
    (
        {"CELERY_BROKER_URL": NO_BROKER, "CACHES": {"default": MEMORY}},
        "cache",
        "warning",
        "share neither",
        "Set CACHE_URL",
    ),
    ({"DIGEST_TO": ["a@example.com"]}, "mail", "fault", "EMAIL_URL and EMAIL_FROM", "unset DIGEST"),
    (
        {
            "DIGEST_TO": ["a@example.com"],
            "EMAIL_URL": {"EMAIL_HOST": "127.0.0.1"},
            "EMAIL_FROM": "b@example.com",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": 1,
        },
        "mail",
        "fault",
        "ConnectionRefusedError",
        "EMAIL_URL",
    ),
    ({"BACKUP_MARKER": Path("/nowhere/backup")}, "backup", "fault", "cannot be", "backup job"),
    ({"RESTORE_LIST": Path("/nowhere/list")}, "restore list", "fault", "is gone", "RESTORE_LIST"),
    ({"AUDIT_ANCHORS": Path("/nowhere/anchors")}, "anchors", "fault", "is gone", "AUDIT_ANCHORS"),
    ({"GENESYS_CLIENT_SECRET": ""}, "platform", "fault", "without credentials", "Set GENESYS"),
    (
        {"SESSION_HASH_PEPPER": "0a1b2c3d4e5f6789" * 4},
        "SESSION_HASH_PEPPER",
        "fault",
        "not the one of this database",
        "rekey_sessions",
    ),
]


@pytest.mark.parametrize(
    ("values", "name", "state", "said", "remedy"),
    FAULTS,
    ids=[f"{fault[1]} {number}" for number, fault in enumerate(FAULTS)],
)
def test_names_what_is_set_wrong(
    values: dict[str, Any],
    name: str,
    state: str,
    said: str,
    remedy: str,
    doctor: Doctor,
    settings: Any,
) -> None:
    for setting, value in values.items():
        setattr(settings, setting, value)

    found = doctor()

    assert found[name]["state"] == state
    assert said in found[name]["said"]
    assert remedy in found[name]["remedy"]


def test_says_that_what_is_not_set_was_not_checked(doctor: Doctor, settings: Any) -> None:
    settings.BACKUP_MARKER = None

    found = doctor()

    assert [found[name]["state"] for name in ("backup", "broker", "mail")] == ["not checked"] * 3


def test_names_everything_that_was_left_as_the_example_has_it(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (ROOT / "deploy" / "production.env.example").read_text().splitlines()
    filled = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    left = {name for name, value in filled.items() if "example.com" in value or "your-" in value}
    settings.ALLOWED_HOSTS = [filled["ALLOWED_HOSTS"]]
    settings.GUEST_EMAIL_DOMAIN = filled["GUEST_EMAIL_DOMAIN"]
    settings.GENESYS_CLIENT_ID = filled["GENESYS_CLIENT_ID"]
    settings.CORS_ALLOWED_ORIGINS = [filled["CORS_ALLOWED_ORIGINS"]]
    settings.CSRF_TRUSTED_ORIGINS = [filled["CSRF_TRUSTED_ORIGINS"]]
    settings.CELERY_BROKER_URL = filled["CELERY_BROKER_URL"]
    settings.CACHES = {"default": MEMORY | {"LOCATION": filled["CACHE_URL"]}}
    stored = settings.DATABASES["default"] | {"HOST": urlsplit(filled["DATABASE_URL"]).hostname}
    monkeypatch.setitem(settings.DATABASES, "default", stored)

    found = examine(checks=[check for check in CHECKS if check.name == "example values"])
    warned = {each.name for each in found}

    assert warned == left


def test_leaves_the_keys_until_there_is_a_secret_key(doctor: Doctor, settings: Any) -> None:
    settings.SECRET_KEY = ""

    keys = doctor()["keys"]

    assert (keys["state"], keys["said"]) == ("not checked", "waits until SECRET_KEY is in order")


def test_holds_no_secret(doctor: Doctor, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "5ecre7" * 8
    monkeypatch.setenv("SECRET_KEY", secret)
    settings.METRICS_TOKEN = settings.IDENTITY_SECRET = settings.GENESYS_CLIENT_SECRET = secret
    settings.CACHES = {"default": NO_REDIS}
    settings.CELERY_BROKER_URL = NO_BROKER
    settings.GENESYS_OAUTH_URL = "http://127.0.0.1:1/oauth/token"

    said = str(doctor())

    assert secret not in said
    assert "pass-word" not in said

"""What `make serve` refuses to start with, and what `check --deploy` warns of: each by name."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connection

from guestportal.checks import NOT_READ, TAG
from guestportal.stores.urls import mail
from tests.support.service import ROOT, environment, free_port

PRODUCTION = {
    "CONSENT_MODE": "strict",
    "GUEST_EMAIL_DOMAIN": "guests.example.com",
    "IDENTITY_VERIFICATION": "required",
    "IDENTITY_SECRET": "i" * 32,
    "SESSION_HASH_PEPPER": "p" * 32,
}
MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("DEBUG", {"DEBUG": True}),
    ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": []}),
    ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": ["chat.example.com", "*"]}),
    ("GENESYS_CLIENT_ID", {"GENESYS_CLIENT_ID": ""}),
    ("GENESYS_CLIENT_SECRET", {"GENESYS_CLIENT_SECRET": ""}),
    ("AUDIT_SIGNING_KEY", {"AUDIT_SIGNING_KEY": ""}),
    ("GENESYS_BASE_URL", {"GENESYS_BASE_URL": "http://api.example.com"}),
    ("GENESYS_OAUTH_URL", {"GENESYS_OAUTH_URL": "http://localhost.example.com/oauth/token"}),
    ("WEB_CONCURRENCY", {"WEB_CONCURRENCY": 2, "CACHES": MEMORY}),
    ("IDENTITY_SECRET", {"IDENTITY_SECRET": ""}),
]
WARNED: list[tuple[str, dict[str, Any]]] = [
    ("CONSENT_MODE", {"CONSENT_MODE": "compat"}),
    ("IDENTITY_VERIFICATION", {"IDENTITY_VERIFICATION": "off"}),
    ("GUEST_EMAIL_DOMAIN", {"GUEST_EMAIL_DOMAIN": "temp.com"}),
    ("SESSION_HASH_PEPPER", {"SESSION_HASH_PEPPER": ""}),
    (".env", {"DOTENV_UNKNOWN": ("SHARED_WITH_ANOTHER",)}),
    ("EMAIL_URL and EMAIL_FROM", {"DIGEST_TO": ["ann@example.com"]}),
    ("EMAIL_URL", {"DIGEST_TO": ["ann@example.com"], "EMAIL_FROM": "guestportal@example.com"}),
    ("EMAIL_URL", {"EMAIL_URL": mail("smtp://ann:secret@mail.example.com:25")}),
]


@pytest.fixture(autouse=True)
def production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from settings that nobody has anything against."""
    for name, value in PRODUCTION.items():
        setattr(settings, name, value)
    for name in chain.from_iterable(NOT_READ.values()):
        monkeypatch.delenv(name, raising=False)


def messages() -> list[CheckMessage]:
    return list(run_checks(tags=[TAG], include_deployment_checks=True))


def test_says_nothing_to_production_settings() -> None:
    assert messages() == []


@pytest.mark.parametrize(("name", "values"), REFUSED)
def test_refuses_by_name(name: str, values: dict[str, Any], settings: Any) -> None:
    for changed, value in values.items():
        setattr(settings, changed, value)

    (found,) = messages()

    assert found.is_serious()
    assert found.msg.startswith(f"{name}: ")
    assert found.hint


@pytest.mark.parametrize("key", ["", "short", "a" * 60, "django-insecure-" + "0123456789" * 5])
def test_refuses_a_weak_secret_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", key)

    (found,) = messages()

    assert found.is_serious()
    assert found.msg.startswith("SECRET_KEY: ")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no such library")
def test_refuses_a_sqlite_that_does_not_say_what_it_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

    (found,) = messages()

    assert found.is_serious()
    assert found.msg.startswith("DATABASE_URL: ")


@pytest.mark.parametrize(("name", "values"), WARNED)
def test_warns_by_name(name: str, values: dict[str, Any], settings: Any) -> None:
    for changed, value in values.items():
        setattr(settings, changed, value)

    (found,) = messages()

    assert not found.is_serious()
    assert found.msg.startswith(f"{name}: ")
    assert found.hint


@pytest.mark.parametrize(
    ("name", "ours"), [(name, ours) for ours, names in NOT_READ.items() for name in names]
)
def test_names_the_setting_for_what_other_programs_read_from_the_environment(
    name: str, ours: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setenv(name, "http://user:pass-word@proxy.example:3128")

    (found,) = messages()
    setattr(settings, ours, "anything")

    assert found.msg == f"{name}: is not read; {ours} is not set."
    assert ours in str(found.hint)
    assert "pass-word" not in f"{found.msg}{found.hint}"
    assert messages() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_lets_plain_http_go_to_a_sandbox_on_loopback(host: str, settings: Any) -> None:
    settings.GENESYS_BASE_URL = f"http://{host}:9000"

    assert messages() == []


@pytest.mark.parametrize("url", ["smtp+tls://a:secret@mail.example.com", "smtp://mail.example.com"])
def test_lets_mail_go_through_tls_or_without_a_password(url: str, settings: Any) -> None:
    settings.EMAIL_URL, settings.EMAIL_FROM = mail(url), "guestportal@example.com"
    settings.DIGEST_TO = ["ann@example.com"]

    assert messages() == []


def test_lets_processes_share_redis(settings: Any) -> None:
    settings.WEB_CONCURRENCY = 4
    settings.CACHES = {"default": {"BACKEND": "guestportal.stores.cache.DegradingRedisCache"}}

    assert messages() == []


# --- The command itself, as a process -----------------------------------------------------------


def test_serve_names_all_that_it_refuses_and_ends(tmp_path: Path) -> None:
    env = environment(
        tmp_path,
        "http://platform.example",
        DEBUG="on",
        SECRET_KEY="weak",
        ALLOWED_HOSTS="*",
        GENESYS_CLIENT_SECRET="",
        AUDIT_SIGNING_KEY="",
        WEB_CONCURRENCY="2",
        PORT=str(free_port()),
    )

    ended = serve(env).communicate(timeout=60)

    told = ended[1]
    for name in ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "GENESYS_CLIENT_SECRET"):
        assert f"{name}: " in told
    for name in ("AUDIT_SIGNING_KEY", "GENESYS_BASE_URL", "WEB_CONCURRENCY"):
        assert f"{name}: " in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_serve_is_alive_before_anybody_migrated_and_ends_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    process = serve(environment(tmp_path, "http://127.0.0.1:9", PORT=str(port)))

    alive = wait_for(f"http://127.0.0.1:{port}/livez", process)
    ready = status(f"http://127.0.0.1:{port}/readyz")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)

    assert (alive, ready) == (200, 503)
    assert process.returncode == 0
    assert status(f"http://127.0.0.1:{port}/livez") is None


def serve(env: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=env | {"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def status(url: str) -> int | None:
    """Return the status of a GET, None where nobody listens."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        return exc.code
    except OSError:
        return None


def wait_for(url: str, process: "subprocess.Popen[str]") -> int | None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        if found := status(url):
            return found
        time.sleep(0.05)
    return None

"""Every wrong value stops the start, with one line that names it and does not repeat it."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from guestportal.config import SETTINGS
from tests.support.service import ROOT

WRONG = [
    ("DEBUG", "ture"),
    ("DEBUG", "2"),
    ("ALLOWED_HOSTS", "https://chat.example.com"),
    ("ALLOWED_HOSTS", "chat.example.com:8000"),
    ("CSRF_TRUSTED_ORIGINS", "chat.example.com"),
    ("CORS_ALLOWED_ORIGINS", "*"),
    ("CORS_ALLOWED_ORIGINS", "https://shop.example/"),
    ("LOG_LEVEL", "chatty"),
    ("BIND", "127.0.0.1 evil"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "8e3"),
    ("PORT", "8_000"),
    ("WEB_CONCURRENCY", "65"),
    ("SECURE_SSL_REDIRECT", "maybe"),
    ("SECURE_PROXY_SSL_HEADER", "X-Forwarded-Proto=https"),
    ("SECURE_PROXY_SSL_HEADER", "HTTP_X_FORWARDED_PROTO"),
    ("SECURE_HSTS_SECONDS", "-1"),
    ("NUM_PROXIES", "all"),
    ("METRICS_TOKEN", "short"),
    ("DATABASE_URL", "mysql://root@localhost/guests"),
    ("DATABASE_URL", "guests.sqlite3"),
    ("DATABASE_URL", "postgress://user:password@db/guests"),
    ("DATABASE_URL", "postgres://user:password@db:port/guests"),
    ("CACHE_URL", "memcached://localhost"),
    ("CELERY_BROKER_URL", "redis://localhost"),
    ("GENESYS_BASE_URL", "api.mypurecloud.com"),
    ("GENESYS_BASE_URL", "https://api.mypurecloud.com/v2"),
    ("GENESYS_OAUTH_URL", "ftp://login.example"),
    ("GENESYS_OAUTH_AUTH", "header"),
    ("GENESYS_SCOPES", "a  b"),
    ("GENESYS_GUESTS_PATH", "guests"),
    ("GENESYS_CONNECT_TIMEOUT", "nan"),
    ("GENESYS_READ_TIMEOUT", "0"),
    ("GENESYS_DEADLINE", "0.5"),
    ("GENESYS_DEADLINE", "121"),
    ("GENESYS_MAX_ATTEMPTS", "0"),
    ("GENESYS_RATE_PER_MINUTE", "many"),
    ("CONSENT_MODE", "Strict"),
    ("GUEST_REUSE_SECONDS", "86401"),
    ("GUEST_EMAIL_DOMAIN", "not a domain"),
    ("GUEST_EMAIL_DOMAIN", "localhost"),
    ("SESSION_HASH_PEPPER", "too-short"),
    ("IDENTITY_SECRET", "too-short"),
    ("IDENTITY_VERIFICATION", "on"),
    ("CRM_RESPONSE_FIELDS", "email,password"),
    ("INIT_RATE", "60"),
    ("INIT_RATE", "0/min"),
    ("INIT_RATE", "60/fortnight"),
    ("MAX_IN_FLIGHT", "0"),
    ("RETENTION_DAYS", "0"),
    ("ADMIN_MFA", "yes"),
    ("AUDIT_SIGNING_KEY", "0" * 63),
    ("AUDIT_SIGNING_KEY", "z" * 64),
    ("AUDIT_VERIFY_KEYS", "00,11"),
]


def read(monkeypatch: pytest.MonkeyPatch, **env: str) -> dict[str, Any]:
    """Run the settings file under `env`, as every start does; return what it sets."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ENV_FILE", env.get("ENV_FILE", os.devnull))
    return runpy.run_path(str(ROOT / "guestportal" / "settings.py"))


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_names_a_wrong_value_and_does_not_repeat_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read(monkeypatch, **{name: value})

    sentence = str(refused.value)
    assert sentence.startswith(f"{name} ")
    assert value not in sentence.removeprefix(name).split()


def test_stops_every_command_with_one_line_and_no_traceback() -> None:
    env = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "SECRET_KEY": "x", "DEBUG": "ture"}
    command = [sys.executable, "manage.py", "check"]

    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr == (
        "guestportal: DEBUG must be on or off (also true/false, yes/no, 1/0).\n"
    )


@pytest.mark.parametrize("word", ["on", "True", "YES", "1"])
def test_takes_the_usual_words_for_a_flag(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, DEBUG=word)["DEBUG"] is True


def test_takes_an_empty_value_for_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = read(monkeypatch)

    empty = read(monkeypatch, **dict.fromkeys(SETTINGS, ""))

    settings = [name for name in absent if name.isupper()]
    assert {name: empty[name] for name in settings} == {name: absent[name] for name in settings}


def test_takes_a_secret_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "$PATH ${x} #no 'comment' \\n é"

    assert read(monkeypatch, GENESYS_CLIENT_SECRET=secret)["GENESYS_CLIENT_SECRET"] == secret


def test_is_safe_when_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch)

    assert (found["DEBUG"], found["SECRET_KEY"], found["ALLOWED_HOSTS"]) == (False, "", [])
    assert found["SECURE_SSL_REDIRECT"] is found["SESSION_COOKIE_SECURE"] is True
    assert (found["BIND"], found["NUM_PROXIES"]) == ("127.0.0.1", 0)
    assert found["CORS_ALLOWED_ORIGINS"] == []


def test_keeps_the_seed_s_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch)

    assert found["GENESYS_BASE_URL"] == "https://api.mypurecloud.com"
    assert found["GENESYS_OAUTH_URL"] == "https://api.mypurecloud.com/oauth/token"
    assert (found["GENESYS_OAUTH_AUTH"], found["GUEST_EMAIL_DOMAIN"]) == ("body", "temp.com")
    assert (found["CONSENT_MODE"], found["GUEST_REUSE_SECONDS"]) == ("compat", 0)


def test_looks_for_tokens_where_the_platform_is(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, GENESYS_BASE_URL="https://api.mypurecloud.de")

    assert found["GENESYS_OAUTH_URL"] == "https://api.mypurecloud.de/oauth/token"


def test_shows_no_crm_field_for_a_lone_comma(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, CRM_RESPONSE_FIELDS=",")["CRM_RESPONSE_FIELDS"] == []


def test_puts_the_anchors_beside_the_sqlite_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3")

    assert found["AUDIT_ANCHORS"] == tmp_path / "audit-anchors.jsonl"


def test_lets_the_environment_win_over_the_dotenv_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=8001\nBIND=0.0.0.0\n")

    found = read(monkeypatch, PORT="8002", ENV_FILE=str(dotenv))

    assert (found["PORT"], found["BIND"]) == (8002, "0.0.0.0")

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
from tests.support.rawserver import certificate
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
    ("ADMIN_LOGIN", "sso"),
    ("OIDC_ISSUER", "login.example.com"),
    ("OIDC_ISSUER", "https://login.example.com/?tenant=1"),
    ("OIDC_ISSUER", "https://login.example.com/" + "a" * 255),
    ("OIDC_SCOPES", "profile groups"),
    ("OIDC_SCOPES", "openid  groups"),
    ("OIDC_GROUP_MAP", "reviewers"),
    ("OIDC_GROUP_MAP", "reviewers="),
    ("OIDC_GROUP_MAP", "reviewers=Auditor,=Auditor"),
    ("OIDC_RECHECK_MINUTES", "0"),
    ("OIDC_PROXY", "proxy.example"),
    ("AUDIT_SIGNING_KEY", "0" * 63),
    ("AUDIT_SIGNING_KEY", "z" * 64),
    ("AUDIT_VERIFY_KEYS", "00,11"),
    # What its user would refuse later, or never match.
    *[
        ("MESSENGER_DOMAIN", domain)
        for domain in (
            "https://mypurecloud.de",
            "mypurecloud",
            "-my.pure.cloud",
            "my-.pure.cloud",
            "pure.123",
            "api.mypurecloud.de",
            "login.mypurecloud.de",
            "my.pure.cloud.",
            "mypurecloud.de/x",
            ".".join(["a" * 60] * 4),
        )
    ],
    ("MESSENGER_SCHEMA_ID", "../oauth"),
    ("MESSENGER_SCHEMA_VERSION", "0"),
    ("MESSENGER_TOKEN_KEY", "k" * 31),
    ("MESSENGER_TOKEN_KEY", "k" * 32 + "\n"),
    ("MESSENGER_TOKEN_SECONDS", "1e3"),
    ("GENESYS_PLATFORM", "Messenger"),
    ("NOTICE_GRACE_HOURS", "-1"),
    ("RECEIPT_COLLECTION_METHOD", "by\nhand"),
    ("RECEIPT_STORAGE_LOCATIONS", "here," + "x" * 101),
    ("SECRET_KEY", "k" * 60 + "\n"),
    ("SECRET_KEY", " " + "k" * 60),
    ("SECRET_KEY_FALLBACKS", "k" * 49),
    ("SECRET_KEY_FALLBACKS", "k" * 60 + "," + "j" * 60 + " "),
    ("ALLOWED_HOSTS", "chat.example.com."),
    ("ALLOWED_HOSTS", "b\u00fccher.example"),
    ("ALLOWED_HOSTS", "[:::1]"),
    ("ALLOWED_HOSTS", "999.1.1.1"),
    *[
        (name, origin)
        for name in ("CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS")
        for origin in (
            "https://shop.example/path",
            "https://shop.example?x",
            "https://user@shop.example",
            "https://shop.example:",
            "https://shop.example:0",
            "https://shop.example:65536",
            "https://shop.example:port",
            "https://b\u00fccher.example",
            "https://shop_example",
            "ftp://shop.example",
            "null",
        )
    ],
    ("CORS_ALLOWED_ORIGINS", "https://*.shop.example"),
    ("TIME_ZONE", "Europe/Nowhere"),
    ("TIME_ZONE", "../etc"),
    ("BIND", "127.0.0.1:8000"),
    ("BIND", "999.0.0.1"),
    ("BIND", ":::1"),
    ("BIND", "*"),
    ("PORT", "1e3"),
    ("PORT", "\u0668\u0660"),
    ("PORT", "8000 "),
    ("SECURE_PROXY_SSL_HEADER", "HTTP_X_FORWARDED_PROTO=https,http"),
    ("METRICS_TOKEN", "sixteen letters and blanks"),
    ("METRICS_TOKEN", "\u00fc" * 16),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:pw@collector:4318"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/?a=b"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "sqlite://:memory:"),
    ("DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3"),
    ("DATABASE_URL", "sqlite:////tmp"),
    ("DATABASE_URL", "sqlite://var/guests.sqlite3"),
    ("DATABASE_URL", "postgres://user:password@db"),
    ("DATABASE_URL", "postgres://user:password@db:0/guests"),
    ("DATABASE_URL", "postgres://user:pass#word@db/guests"),
    ("DATABASE_URL", "postgres://user:password@db/" + "g" * 64),
    ("DATABASE_URL", "postgres://user:password@db/guests?sslmode=on"),
    ("DATABASE_URL", "postgres://user:password@db/guests?ssl_mode=require"),
    ("DATABASE_URL", "postgres://user:password@db/guests?conn_max_age=60"),
    ("DATABASE_URL", "postgres://user:password@db/guests?connect_timeout=abc"),
    ("DATABASE_URL", "postgres://user:password@db/guests?isolation_level=9"),
    ("DATABASE_URL", "postgres://user:password@db/guests?target_session_attrs=bogus"),
    ("DATABASE_URL", "sqlite:////tmp/guests%00.sqlite3"),
    ("CACHE_URL", "redis://"),
    ("CACHE_URL", "redis://cache:port/0"),
    ("CACHE_URL", "redis://cache:0/0"),
    ("CACHE_URL", "redis://cache:6379/first"),
    ("CACHE_URL", "redis://cache:6379/0?time_out=3"),
    ("CACHE_URL", "redis://:pass#word@cache:6379/0"),
    ("CACHE_URL", "redis://cache:6379/0?decode_responses=true"),
    ("CACHE_URL", "redis://cache:6379/0?retry_on_error=x"),
    ("CACHE_URL", "redis://cache:6379/0?socket_timeout=60"),  # ours is half a second
    ("CELERY_BROKER_URL", "amqp://queue//?heartbeat=abc"),
    ("CELERY_BROKER_URL", "amqp://queue//?ssl_verify=x&foo=bar"),
    ("CELERY_BROKER_URL", "amqp://"),
    ("CELERY_BROKER_URL", "amqp://user:password@queue:port//"),
    ("CELERY_BROKER_URL", "amqp://user:pass#word@queue//"),
    ("CELERY_BROKER_URL", "amqp://one//;redis://two"),
    *[
        (name, url)
        for name in ("GENESYS_BASE_URL", "GENESYS_OAUTH_URL")
        for url in (
            "https://user:password@login.example/oauth/token",
            "https://login.example:0/oauth/token",
            "https://login.example:99999/oauth/token",
            "https:///oauth/token",
            "https://login.example/oauth/token#x",
            "https://login.example/oauth token",
            "https://b\u00fccher.example/oauth/token",
        )
    ],
    ("GENESYS_BASE_URL", "https://api.example?x=y"),
    ("GENESYS_OAUTH_URL", "https://login.example"),
    ("GENESYS_OAUTH_URL", "https://login.example/"),
    ("GENESYS_CLIENT_ID", "client id"),
    ("GENESYS_CLIENT_ID", "client:id"),
    ("GENESYS_CLIENT_SECRET", "secret\n"),
    ("GENESYS_CLIENT_SECRET", "\tsecret"),
    ("GENESYS_CLIENT_SECRET", "sec\r\nret"),
    ("GENESYS_CLIENT_SECRET", "\u200bsecret"),
    ("GENESYS_CLIENT_SECRET", "secret\ufeff"),
    ("GENESYS_CLIENT_SECRET", "sec\u0085ret"),
    ("GENESYS_CLIENT_SECRET", "\udcff-not-utf-8"),
    ("GENESYS_GUESTS_PATH", "/api//guests"),
    ("GENESYS_GUESTS_PATH", "/api/../guests"),
    ("GENESYS_CA_BUNDLE", "/nowhere.pem"),
    ("GENESYS_CA_BUNDLE", "/tmp"),
    ("GENESYS_CA_BUNDLE", __file__),
    ("GENESYS_PROXY", "proxy.example:3128"),
    ("GENESYS_PROXY", "http://proxy.example"),
    ("GENESYS_PROXY", "socks5://proxy.example:1080"),
    ("GENESYS_PROXY", "http://user:pass word@proxy.example:3128"),
    ("GENESYS_PROXY", "http://user:%D0%96@proxy.example:3128"),
    ("GENESYS_PROXY", "http://proxy.example:3128/path"),
    ("GENESYS_DEADLINE", "1e1"),
    ("GENESYS_DEADLINE", "inf"),
    ("GUEST_EMAIL_DOMAIN", "example.123"),
    ("GUEST_EMAIL_DOMAIN", "b\u00fccher.example"),
    ("GUEST_EMAIL_DOMAIN", ".".join(["a" * 60] * 4)),
    ("SESSION_HASH_PEPPER", "p" * 32 + "\n"),
    ("IDENTITY_SECRET", "i" * 32 + " "),
    ("INIT_RATE", "60/minx"),
    ("INIT_RATE", "1e3/min"),
    ("INIT_RATE", "\u0666\u0660/min"),
    ("AUDIT_SIGNING_KEY", "0" * 64 + "\n"),
    ("AUDIT_ANCHORS", "/tmp"),
    ("AUDIT_ANCHORS", os.devnull),
    ("AUDIT_ANCHORS", "/nowhere/at/all.jsonl"),
    ("AUDIT_ANCHORS", "/tmp/anchors.jsonl "),
]
# As it may be written, and the one form that its user knows.
NORMAL: list[tuple[str, str, Any]] = [
    ("ALLOWED_HOSTS", "Chat.Example.com,[::0001]", ["chat.example.com", "[::1]"]),
    ("CORS_ALLOWED_ORIGINS", "HTTPS://Shop.Example:443", ["https://shop.example"]),
    ("CORS_ALLOWED_ORIGINS", "http://shop.example:80", ["http://shop.example"]),
    ("CORS_ALLOWED_ORIGINS", "https://shop.example:80", ["https://shop.example:80"]),
    ("CORS_ALLOWED_ORIGINS", "http://[::0001]:8000", ["http://[::1]:8000"]),
    ("CSRF_TRUSTED_ORIGINS", "HTTPS://*.Example.com:443", ["https://*.example.com"]),
    ("BIND", "[::0]", "::"),
    ("BIND", "LocalHost", "localhost"),
    ("GENESYS_BASE_URL", "HTTPS://API.Example:443/", "https://api.example"),
    (
        "GENESYS_OAUTH_URL",
        "https://Login.Example:443/oauth/Token/?a=B",
        "https://login.example/oauth/Token/?a=B",
    ),
    ("MESSENGER_DOMAIN", "MyPureCloud.DE", "mypurecloud.de"),
    ("GENESYS_PROXY", "HTTP://User:p%40ss@Proxy:3128/", "http://User:p%40ss@proxy:3128"),
    # Compared letter by letter with what the provider calls itself.
    ("OIDC_ISSUER", "https://Login.Example:443/realms/x/", "https://Login.Example:443/realms/x/"),
    ("OIDC_ISSUER", "https://login.example", "https://login.example"),
    (
        "OIDC_GROUP_MAP",
        "/portal/reviewers = Compliance reviewer, staff=Auditor,staff=CRM administrator",
        {
            "/portal/reviewers": ("Compliance reviewer",),
            "staff": ("Auditor", "CRM administrator"),
        },
    ),
    (
        "OIDC_GROUP_MAP",
        "CN=reviewers,OU=groups,DC=corp=Compliance reviewer;",
        {"CN=reviewers,OU=groups,DC=corp": ("Compliance reviewer",)},
    ),
    ("GUEST_EMAIL_DOMAIN", "example.xn--p1ai", "example.xn--p1ai"),
    ("GUEST_EMAIL_DOMAIN", "Visitors.Example", "visitors.example"),
    ("AUDIT_SIGNING_KEY", "AB" * 32, "ab" * 32),
    ("AUDIT_VERIFY_KEYS", "AB" * 32, ["ab" * 32]),
    ("SECRET_KEY_FALLBACKS", "k" * 60 + "," + "j" * 60, ["k" * 60, "j" * 60]),
    ("CACHE_URL", "locmem://", None),
    ("CELERY_BROKER_URL", "amqp://one//;amqps://two_b:5671/v", "amqp://one//;amqps://two_b:5671/v"),
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


def test_names_everything_that_is_wrong_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read(monkeypatch, PORT="none", DATABASE_URL="mysql://x", GENESYS_DEADLINE="ten")

    names = [line.partition(" ")[0] for line in str(refused.value).splitlines()]
    assert names == ["PORT", "DATABASE_URL", "GENESYS_DEADLINE"]


@pytest.mark.parametrize(("name", "value", "normal"), NORMAL)
def test_brings_a_value_into_the_form_that_its_user_knows(
    name: str, value: str, normal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read(monkeypatch, **{name: value})

    assert found[name] == normal or normal is None


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:p%23w@db:5432/guests?sslmode=require&connect_timeout=2",
        "postgresql:///guests",
        "postgres://user@db_1:5432,db_2:5433/guests?target_session_attrs=read-write",
        "postgres://user@[::1]/guests?application_name=x&options=-c%20statement_timeout%3D0",
        "postgres:////var/run/postgresql/guests",
    ],
)
def test_takes_the_addresses_that_postgresql_takes(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(monkeypatch, DATABASE_URL=url)["DATABASES"]["default"]["NAME"] == "guests"


def test_takes_a_bundle_of_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, bundle = certificate(tmp_path)

    assert read(monkeypatch, GENESYS_CA_BUNDLE=bundle)["GENESYS_CA_BUNDLE"] == bundle


def test_asks_no_browser_to_preload_hsts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, SECURE_HSTS_SECONDS="31536000")

    assert found["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert "SECURE_HSTS_PRELOAD" not in found


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

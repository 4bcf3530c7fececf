"""A set-up in which nothing is wrong, and what doctor says of it."""

import json
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit import verify
from audit.sealing import seals
from crm import sessions
from guestportal.checks import NOT_READ
from provisioning import health
from tests.audit.factories import event
from tests.guestportal.test_checks import PRODUCTION
from tests.provisioning.consent.test_notices import published
from tests.support.factories import staff
from tests.support.sandbox import Sandbox

Doctor = Callable[[], dict[str, dict[str, str]]]


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static files as `make install` collects them, but without digests in their names."""
    folder = tmp_path_factory.mktemp("static")
    for finder in get_finders():
        for path, _ in finder.list([]):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch()
    return folder


@pytest.fixture
def in_order(
    db: None,
    settings: Any,
    tmp_path: Path,
    collected: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Set everything up, as docs/operators.md says."""
    for name in chain.from_iterable(NOT_READ.values()):
        monkeypatch.delenv(name, raising=False)
    for name, value in PRODUCTION.items():
        setattr(settings, name, value)
    settings.GUEST_EMAIL_DOMAIN = "visitors.invalid"
    settings.CORS_ALLOWED_ORIGINS = ["https://www.test"]
    settings.SESSION_HASH_PEPPER = "0123456789abcdef" * 4
    settings.IDENTITY_SECRET = "fedcba9876543210" * 4
    settings.AUDIT_SIGNING_KEY = "0246813579abcdef" * 4
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 3600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    settings.STATIC_ROOT = collected
    settings.AUDIT_ANCHORS = tmp_path / "anchors.jsonl"
    settings.BACKUP_MARKER = tmp_path / "backup"
    settings.BACKUP_MARKER.touch()
    settings.GENESYS_BASE_URL = sandbox.url
    settings.GENESYS_OAUTH_URL = f"{sandbox.url}/oauth/token"
    settings.GENESYS_DEADLINE, settings.GENESYS_MAX_ATTEMPTS = 2.0, 1
    staff("Compliance reviewer")
    TOTPDevice.objects.create(user=staff(), confirmed=True)  # type: ignore[misc]
    published()
    sessions.adopt_pepper()
    event()
    seals.seal()
    verify.remember(report=verify.verify(), actor="system")
    seals.seal()
    health.note_housekeeping()


@pytest.fixture
def doctor(in_order: None) -> Doctor:
    """Run doctor; answer what it found, by name: of several under one name the worst."""

    def examine() -> dict[str, dict[str, str]]:
        return {
            each["name"]: each for each in sorted(found(), key=lambda each: RANK[each["state"]])
        }

    return examine


RANK = {"not checked": 0, "ok": 1, "warning": 2, "fault": 3}


def found() -> list[dict[str, str]]:
    out = StringIO()
    with suppress(CommandError):
        call_command("doctor", "--json", stdout=out, stderr=StringIO())
    return list(json.loads(out.getvalue())["findings"])

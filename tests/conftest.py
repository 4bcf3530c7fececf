"""Fixtures that tests of more than one app use."""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import responses
from axes.handlers.proxy import AxesProxyHandler
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from audit import triggers
from crm import profiles
from provisioning.genesys.platform import get_platform
from tests.support.clock import Clock
from tests.support.platform import Platform
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.webchat import Webchat

_numbers = count(1)
# How long an example takes is the machine's business: it may be busy.
hypothesis_settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any machine")


@pytest.fixture(scope="session")
def _anchor_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anchors")


@pytest.fixture(autouse=True)
def anchors(_anchor_folder: Path, settings: Any) -> Path:
    """Give each test an anchor file of its own, as it has an audit log of its own."""
    settings.AUDIT_ANCHORS = _anchor_folder / f"{next(_numbers)}.jsonl"
    return settings.AUDIT_ANCHORS


@pytest.fixture(autouse=True)
def _no_mappings_of_earlier_tests() -> None:
    profiles.forget_mappings()


def drop_audit_triggers() -> None:
    """Do what only the database's owner can, and the product never does."""
    with connection.cursor() as cursor:
        for trigger in triggers.wanted(using="default"):
            on_table = f" ON {trigger.table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}{on_table}")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let `transaction=True` tests empty the tables, then restore what migrations put there."""
    with django_db_blocker.unblock():
        migrated = connection.creation.serialize_db_to_string()

    def teardown(case: TransactionTestCase) -> None:
        drop_audit_triggers()
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
        connection.creation.deserialize_db_from_string(migrated)
        triggers.install()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield


@pytest.fixture(scope="session")
def _sandbox_process() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox_process: Sandbox) -> Sandbox:
    """The platform's stand-in, as a process of its own, with nothing left of earlier tests."""
    _sandbox_process.reset()
    _sandbox_process.revoke()
    return _sandbox_process


@pytest.fixture
def local_cache(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache in this process's memory: there it goes by the clock that a test sets."""
    settings.CACHES = {"default": {"BACKEND": "guestportal.stores.cache.LocalCache"}}
    monkeypatch.setattr(AxesProxyHandler, "implementation", None)  # it holds on to a cache
    cache.clear()


@pytest.fixture
def clock(local_cache: None, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock, also for the cache."""
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """Start each test as a process starts: no token, no gate, no limit used up."""
    cache.clear()
    get_platform.cache_clear()
    yield
    cache.clear()
    get_platform.cache_clear()


@pytest.fixture
def platform() -> Iterator[Platform]:
    """The platform, stubbed; see `tests.support.platform`."""
    stub = Platform()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stub.install(mock)
        yield stub


@pytest.fixture
def webchat(db: None, platform: Platform) -> Webchat:
    """A page that calls the webchat API, with the platform stubbed behind it."""
    return Webchat()

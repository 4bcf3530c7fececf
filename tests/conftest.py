"""Fixtures that more than one room's tests use."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from audit import triggers
from tests.sandbox import Sandbox, running_sandbox

_numbers = count(1)


@pytest.fixture(scope="session")
def _anchor_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anchors")


@pytest.fixture(autouse=True)
def anchors(_anchor_folder: Path, settings: Any) -> Path:
    """Give each test an anchor file of its own, as it has an audit log of its own."""
    settings.AUDIT_ANCHORS = _anchor_folder / f"{next(_numbers)}.jsonl"
    return settings.AUDIT_ANCHORS


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

"""SQLite's write lock: waited for with turns for others, and no longer than the visitor waits."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from guestportal.stores.urls import database
from provisioning.time_left import answer_within
from tests.support.clock import Clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "guests.sqlite3"


@pytest.fixture
def ours(file: Path, django_db_blocker: Any) -> Iterator[Any]:
    """A connection of the service."""
    with django_db_blocker.unblock():
        wrapper = ConnectionHandler({"default": database(f"sqlite:///{file}")})["default"]
        wrapper.connect()
        yield wrapper
        wrapper.connection.close()


def test_makes_its_files_for_their_owner_alone_whatever_the_umask(
    file: Path, django_db_blocker: Any
) -> None:
    before = os.umask(0)
    try:
        with django_db_blocker.unblock():
            wrapper = ConnectionHandler({"default": database(f"sqlite:///{file}")})["default"]
            with wrapper.cursor() as cursor:
                cursor.execute("CREATE TABLE people (name text)")
            modes = {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
            wrapper.connection.close()
    finally:
        os.umask(before)

    assert modes == {0o600}


@pytest.fixture
def theirs(ours: Any, file: Path) -> Iterator[sqlite3.Connection]:
    """Another process, which holds the lock."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def test_begins_once_the_lock_is_free(
    ours: Any, theirs: sqlite3.Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def let_go_at_the_third(seconds: float) -> None:
        clock.slept.append(seconds)
        if len(clock.slept) == 3:
            theirs.execute("COMMIT")

    monkeypatch.setattr("time.sleep", let_go_at_the_third)

    ours.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    assert ours.connection.in_transaction
    assert len(clock.slept) == 3
    assert not ours.errors_occurred
    ours.connection.rollback()


def test_waits_no_longer_than_the_visitor(
    ours: Any, theirs: sqlite3.Connection, clock: Clock
) -> None:
    started = clock.now

    with answer_within(4), pytest.raises(OperationalError, match="locked"):
        ours.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    assert 3.9 < clock.now - started <= 4


def test_leaves_a_single_statement_to_sqlite_s_own_patience(ours: Any) -> None:
    ours.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    ours.connection.rollback()

    (patience,) = ours.connection.execute("PRAGMA busy_timeout").fetchone()

    assert patience == 20_000

"""The database backend for SQLite: `ENGINE` is this package.

Django opens a connection for each request and closes it after: opening costs forty functions and
six pragmas, 0.7 ms of CPU. Kept open instead, there would be one for every visitor who waits for
the platform, each with a cache of its own. So a closed connection rests here until somebody opens
one: as Django does for PostgreSQL, through psycopg's pool.

And SQLite waits for its one write lock inside itself, where no other visitor of this process gets
a turn. Here a transaction tries to begin again and again, others having their turns between, until
the time that the visitor's answer has left is up (`provisioning.time_left`). In a web process those
who write share transactions (`writer.py`).
"""

import os
import sqlite3
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import OperationalError, transaction
from django.db.backends.sqlite3 import base
from gevent.monkey import is_module_patched

from backoffice.private import private
from guestportal.stores.sqlite3.writer import NotCommitted, Writer
from provisioning.time_left import time_left

_MOST_AT_REST = 8
_LONGEST_PAUSE_SECONDS = 0.05
# By process too: SQLite forbids to carry a connection across a fork.
_at_rest: defaultdict[tuple[int, str], deque[sqlite3.Connection]] = defaultdict(deque)
_writers: defaultdict[tuple[int, str], Writer] = defaultdict(Writer)


class DatabaseWrapper(base.DatabaseWrapper):
    """Take a connection that rests, give back one that is fit for the next; begin without haste."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a resting connection, or a new one."""
        try:
            return self._rest().pop()
        except IndexError:
            _make_private(str(conn_params["database"]))
            return super().get_new_connection(conn_params)

    def run_unit(self, unit: Callable[[], Any], *, retry: bool) -> Any:
        """Run `unit` in a transaction, the caller's where it has one; return what it returns.

        Under gevent units that wait at the same time share a transaction. `retry`: where that was
        not committed the unit is tried once more, alone. Raises what it raises, OperationalError.
        """
        if not self.in_atomic_block and is_module_patched("threading"):
            try:
                writer = _writers[self._database()]
                return writer.run(unit, connection=self, seconds=self._patience())
            except NotCommitted:
                if not retry:
                    raise
        with transaction.atomic(using=self.alias):
            return unit()

    def _close(self) -> None:
        fit = not self.errors_occurred and not self.connection.in_transaction
        if fit and len(self._rest()) < _MOST_AT_REST:
            self._rest().append(self.connection)
        else:
            super()._close()  # type: ignore[misc]

    def _rest(self) -> deque[sqlite3.Connection]:
        return _at_rest[self._database()]

    def _database(self) -> tuple[int, str]:
        return os.getpid(), str(self.settings_dict["NAME"])

    def _most_patience(self) -> float:
        return float(self.settings_dict["OPTIONS"].get("timeout", 5))

    def _patience(self) -> float:
        """Return how many seconds a lock is worth."""
        left, most = time_left(), self._most_patience()
        return most if left is None else min(left, most)

    def _start_transaction_under_autocommit(self) -> None:
        ends_at = time.monotonic() + self._patience()
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            self._begin(ends_at)
        finally:
            most = int(self._most_patience() * 1000)
            self.connection.execute(f"PRAGMA busy_timeout = {most}")

    def _begin(self, ends_at: float) -> None:
        pause = 0.001
        while True:
            try:
                super()._start_transaction_under_autocommit()  # type: ignore[misc]
                return
            except OperationalError as exc:
                if not _is_busy(exc) or time.monotonic() + pause > ends_at:
                    raise
                self.errors_occurred = False  # the connection is as good as before
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def _make_private(database: str) -> None:
    """Make a new file for its owner alone; SQLite gives what it keeps beside it the same mode."""
    if database != ":memory:" and not database.startswith("file:"):
        with suppress(OSError):  # SQLite's own words for it are better
            os.close(private(database, os.O_CREAT | os.O_RDWR))


def _is_busy(exc: OperationalError) -> bool:
    return getattr(exc.__cause__, "sqlite_errorname", "").startswith("SQLITE_BUSY")

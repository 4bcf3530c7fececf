"""Group commit: what waits to be written is committed together, with one fsync (decision 0017).

An init commits three times, and a COMMIT stops the whole process until the disk has answered. So a
*unit* (a callable that reads, decides and writes, with no wait inside) stands in line. Whoever is
first begins a transaction on its own connection, runs in it the units of all that stand there by
then, and commits once. Only then the others go on, and the first of those who came later begins.
Nobody waits for company: a unit that is alone is written alone.

The line is no longer than MAX_IN_FLIGHT inits.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

MOST_TOGETHER = 64


class NotCommitted(OperationalError):
    """The transaction that the unit was part of was not committed: nothing of it is kept."""


class Writer:
    """The line before one database; each process has its own."""

    def __init__(self) -> None:
        self._line: deque[_Waiting] = deque()
        self._turn = threading.Lock()

    def run(
        self, unit: Callable[[], Any], *, connection: BaseDatabaseWrapper, seconds: float
    ) -> Any:
        """Return what `unit` returns once that is committed, or raise what it raises.

        It runs on `connection`, the caller's, or in another greenlet on that one's; either way it
        sees the caller's context variables. Raises OperationalError where its turn does not come
        within `seconds`, or the database's lock is not free in time; NotCommitted.
        """
        mine = _Waiting(unit)
        self._line.append(mine)
        try:
            if self._take_turn(connection, seconds):
                try:
                    while not mine.done:
                        time.sleep(0)  # whoever is ready to write comes along
                        self._write(connection)
                finally:
                    self._turn.release()
        finally:
            if not mine.done:
                with suppress(ValueError):  # it has begun
                    self._line.remove(mine)
        return mine.outcome()

    def _take_turn(self, connection: BaseDatabaseWrapper, seconds: float) -> bool:
        if self._turn.acquire(blocking=False):
            return True
        connection.close()  # somebody else may have it meanwhile
        return self._turn.acquire(timeout=seconds)

    def _write(self, connection: BaseDatabaseWrapper) -> None:
        together: list[_Waiting] = []
        failure: BaseException | None = None
        try:
            with transaction.atomic(using=connection.alias):
                # Not earlier: who gives up while the lock is waited for takes its unit away.
                while self._line and len(together) < MOST_TOGETHER:
                    together.append(self._line.popleft())
                for each in together:
                    each.run(connection, savepoint=len(together) > 1)
        except BaseException as exc:
            failure = exc
            if not together or not isinstance(exc, Exception):
                raise
        finally:
            for each in together:
                each.settle(failure)


class _Waiting:
    """One unit in the line, and what came of it."""

    def __init__(self, unit: Callable[[], Any]) -> None:
        self.done = False
        self._unit, self._context = unit, copy_context()
        self._value: Any = None
        self._error: Exception | None = None

    def run(self, connection: BaseDatabaseWrapper, *, savepoint: bool) -> None:
        """Run the unit; raise only where the whole transaction is over with it."""
        try:
            with transaction.atomic(using=connection.alias, savepoint=savepoint):
                self._value = self._context.run(self._unit)
        except Exception as exc:
            self._error = exc
            if connection.get_rollback():  # without a savepoint, or SQLite has rolled all back
                raise

    def settle(self, failure: BaseException | None) -> None:
        """End it: with `failure` the transaction was not committed."""
        if failure not in (None, self._error):
            # Also where it raised: it may have seen what is not there now.
            self._error = NotCommitted("the transaction was not committed")
            self._error.__cause__ = failure
        self.done = True

    def outcome(self) -> Any:
        """Return or raise what the unit did."""
        if not self.done:
            raise OperationalError("the turn to write did not come in time")
        if self._error is not None:
            raise self._error
        return self._value

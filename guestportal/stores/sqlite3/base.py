"""The database backend for SQLite: `ENGINE` is this package.

Django opens a connection for each request and closes it after: opening costs forty functions and
six pragmas, 0.7 ms of CPU. Kept open instead, there would be one for every visitor who waits for
the platform, each with a cache of its own. So a closed connection rests here until somebody opens
one: as Django does for PostgreSQL, through psycopg's pool.
"""

import os
import sqlite3
from collections import defaultdict, deque
from typing import Any

from django.db.backends.sqlite3 import base

_MOST_AT_REST = 8
# By process too: SQLite forbids to carry a connection across a fork.
_at_rest: defaultdict[tuple[int, str], deque[sqlite3.Connection]] = defaultdict(deque)


class DatabaseWrapper(base.DatabaseWrapper):
    """Take a connection that rests, give back one that is fit for the next."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a resting connection, or a new one."""
        try:
            return self._rest().pop()
        except IndexError:
            return super().get_new_connection(conn_params)

    def _close(self) -> None:
        fit = not self.errors_occurred and not self.connection.in_transaction
        if fit and len(self._rest()) < _MOST_AT_REST:
            self._rest().append(self.connection)
        else:
            super()._close()  # type: ignore[misc]

    def _rest(self) -> deque[sqlite3.Connection]:
        return _at_rest[os.getpid(), str(self.settings_dict["NAME"])]

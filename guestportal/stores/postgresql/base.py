"""The database backend for PostgreSQL: `ENGINE` is this package.

A server that hangs (stopped, partitioned away, its disk gone) answers nothing, and every wait for
it ends with the time that the visitor's answer has left (`provisioning.time_left`). What became of
the statement then nobody knows, so the connection is closed: a COMMIT without an answer counts as
not done, no further call goes to the platform, and recovery looks at the row.
"""

import select
import time
from contextvars import Context
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from gevent.monkey import get_original
from psycopg.pq import TransactionStatus

from guestportal.stores.postgresql import waiting
from provisioning.time_left import time_left

_poll = get_original("select", "poll")  # for a look: gevent's own would give others a turn


class Connection(psycopg.Connection[Any]):
    """A connection whose waits end in time."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server. Raises psycopg.OperationalError when the time is up."""
        left = time_left()
        try:
            if timeout is None and waiting.is_cooperative():
                return waiting.wait(gen, self.pgconn.socket, left)
            return super().wait(gen, interval, timeout if left is None else left)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


class _Driver:
    """psycopg, whose connections end their waits in time without a pool too."""

    connect = Connection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class _Pool:
    """psycopg's pool, from which a connection comes in time or not at all."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def open(self) -> None:
        """Open it outside of any visitor's time: its workers live on."""
        Context().run(self._pool.open)

    def getconn(self) -> Any:
        """Return a connection that nobody has hung up. Raises psycopg_pool.PoolTimeout."""
        patience: float = self._pool.timeout
        ends_at = time.monotonic() + min(patience, time_left() or patience)
        while True:
            connection = self._pool.getconn(ends_at - time.monotonic())
            if not _has_ended(connection):
                return connection
            connection.close()
            self._pool.putconn(connection)  # which opens another


def _has_ended(connection: Connection) -> bool:
    """Tell whether the server spoke unasked on a resting connection: it says that it goes."""
    look = _poll()
    look.register(connection.pgconn.socket)
    return any(event & ~select.POLLOUT for _, event in look.poll(0))


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with the connections and the pool above."""

    Database = _Driver()  # type: ignore[assignment]

    @property
    def pool(self) -> Any:
        """The pool; None where none is asked for."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if not isinstance(options, dict):
            return super().pool
        options["connection_class"] = Connection
        pool = super().pool
        return pool and _Pool(pool)

    def _start_transaction_under_autocommit(self) -> None:
        """Leave it to psycopg to begin, unless a statement of ours has (`provisioning.ledger`)."""
        if self.connection.info.transaction_status == TransactionStatus.IDLE:
            self._set_autocommit(False)  # type: ignore[attr-defined]

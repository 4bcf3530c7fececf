"""A visitor's wait for PostgreSQL, and the parts of psycopg and gevent that it stands on."""

import inspect
from collections.abc import Iterator
from threading import Timer
from typing import Any

import psycopg
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from gevent.core import READ, WRITE
from gevent.hub import Hub
from psycopg.waiting import Ready, Wait

from guestportal.stores import urls
from guestportal.stores.postgresql import waiting
from tests.support.machine import postgres_database


class Waiting(psycopg.Connection[Any]):
    """A connection that waits as under gevent."""

    seconds: float | None = None
    waits = 0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        self.waits += 1
        return waiting.wait(gen, self.pgconn.socket, self.seconds)


@pytest.fixture
def database() -> Iterator[str]:
    with postgres_database() as url:
        yield url


def test_psycopg_s_bits_are_those_of_gevent_s_loop() -> None:
    assert (Wait.R, Wait.W, Wait.RW) == (READ, WRITE, READ | WRITE), "psycopg.waiting.Wait"
    assert (Ready.R, Ready.W, Ready.RW) == (READ, WRITE, READ | WRITE), "psycopg.waiting.Ready"
    assert "watcher" in inspect.signature(Hub.wait).parameters, "gevent.hub.Hub.wait"


def test_django_begins_a_transaction_on_postgresql_by_a_method_that_is_ours() -> None:
    name = "DatabaseWrapper._start_transaction_under_autocommit"
    asked = BaseDatabaseWrapper.set_autocommit.__code__.co_names
    assert "_start_transaction_under_autocommit" in asked, f"{name}: set_autocommit() skips it"


@pytest.mark.services
def test_psycopg_waits_by_connection_wait_and_takes_what_it_is_told(database: str) -> None:
    with Waiting.connect(database) as connection:
        before = connection.waits
        row = connection.execute("SELECT length(%s)", ["x" * 9_000_000]).fetchone()

        assert connection.waits > before, "psycopg.Connection.wait: execute() skips it"
        assert row == (9_000_000,)


@pytest.mark.services
def test_a_dying_connection_ends_the_wait(database: str) -> None:
    with Waiting.connect(database) as connection, psycopg.connect(database) as other:
        killing = "SELECT pg_terminate_backend(%s)"
        killer = Timer(0.2, lambda: other.execute(killing, [connection.info.backend_pid]))
        killer.start()

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(30)")

        killer.join()
        assert connection.closed


@pytest.mark.services
def test_a_wait_ends_when_the_time_is_up(database: str) -> None:
    with Waiting.connect(database, autocommit=True) as connection:
        connection.seconds = 0.05

        with pytest.raises(psycopg.OperationalError, match="in time"):
            connection.execute("SELECT pg_sleep(30)")

        connection.close()


@pytest.mark.services
def test_a_connection_that_the_server_has_ended_is_replaced_unseen(
    database: str, django_db_blocker: Any
) -> None:
    wrapper = ConnectionHandler({"default": urls.database(database)})["default"]
    with django_db_blocker.unblock():
        wrapper.connect()
        ended = wrapper.connection.info.backend_pid
        wrapper.close()
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])

        with wrapper.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            taken = cursor.fetchone()[0]

        wrapper.close()
        wrapper.close_pool()
    assert taken != ended

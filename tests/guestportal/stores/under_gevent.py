"""Units written under gevent, as in a web process: `python -m … FILE` prints JSON.

Greenlets take turns only where they wait, so what stands in line together is the same each time.
"""
# ruff: noqa: E402  (the patch comes first, as in gunicorn's worker)

from gevent import monkey

monkey.patch_all()

import json
import sqlite3
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import django
import gevent
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.signals import connection_created

from guestportal.stores.sqlite3.writer import MOST_TOGETHER
from guestportal.stores.urls import database
from provisioning.time_left import answer_within

_TABLES = """
CREATE TABLE sessions (name text PRIMARY KEY);
CREATE TABLE rows (
    name text PRIMARY KEY,
    session text REFERENCES sessions DEFERRABLE INITIALLY DEFERRED
);
"""
statements: list[str] = []
visitor: ContextVar[str] = ContextVar("visitor", default="nobody")


def apart() -> Any:
    """Three at once, of which the second fails."""
    return told(write("first"), write("second", then=refuse), write("third"))


def alone() -> Any:
    return told(write("one")), told(write("two", then=refuse))


def woken() -> Any:
    """What everybody else can read when a caller goes on."""

    def seen(name: str) -> Callable[[], list[str]]:
        return lambda: [run(write(name)), *kept()][1:]

    return wait_for(seen("first"), seen("second"), seen("third"))


def many() -> Any:
    told(*(write(f"{number:03}") for number in range(MOST_TOGETHER + 6)))
    return [statements.count("COMMIT"), len(kept())]


def whose() -> Any:
    """Who a unit writes for, and on how many connections of which greenlet."""

    def unit() -> Any:
        connection.validate_thread_sharing()
        return visitor.get(), id(connection.connection), connection.in_atomic_block

    def come(name: str) -> Callable[[], Any]:
        def call() -> Any:
            visitor.set(name)
            return run(unit)

        return call

    names, connections, inside = zip(*wait_for(come("first"), come("second")), strict=True)
    return names, len(set(connections)), inside


def not_committed() -> Any:
    """One whose row cannot be committed, between an opening and a transition."""
    return told(write("opening"), write("bad", session="none"), write("transition"))


def not_committed_again() -> Any:
    return told(write("opening"), write("transition", session="none"))


def rolled_back() -> Any:
    """One with which SQLite gives up the whole transaction, as where the disk is full."""
    told(write("there"))
    roll_back = "INSERT OR ROLLBACK INTO rows (name) VALUES ('there')"
    return told(write("opening"), named("bad", lambda: execute(roll_back)), write("transition"))


def given_up() -> Any:
    """A database that is locked: the second's time is up before it is free."""
    with locked() as other:
        leader = gevent.spawn(attempt, write("first"))
        gevent.sleep(0)
        with answer_within(0):
            second = attempt(write("second"))
        other.execute("COMMIT")
    return leader.get(), second


def locked() -> Any:
    """A database that is locked for longer than anybody waits."""
    with locked(), answer_within(0):
        during = told(write("first"), write("second"))
    return during, told(write("third"))


def killed() -> Any:
    """The one who leads is ended while it waits for the lock."""
    with locked() as other:
        leader = gevent.spawn(attempt, write("first"))
        second = gevent.spawn(attempt, write("second"))
        while not statements:
            gevent.sleep(0)
        leader.kill()
        other.execute("COMMIT")
    return second.get()


SCENARIOS = {
    each.__name__: each
    for each in (
        apart,
        alone,
        woken,
        many,
        whose,
        not_committed,
        not_committed_again,
        rolled_back,
        given_up,
        locked,
        killed,
    )
}


def named(name: str, unit: Callable[[], Any]) -> Callable[[], Any]:
    unit.__name__ = name
    return unit


def write(
    name: str, *, session: str | None = None, then: Callable[[], Any] = list
) -> Callable[[], Any]:
    """Return a unit that adds a row and answers its name."""

    def unit() -> str:
        execute("INSERT INTO rows (name, session) VALUES (%s, %s)", name, session)
        then()
        return name

    return named(name, unit)


def refuse() -> None:
    raise LookupError("refused")


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def run(unit: Callable[[], Any], *, retry: bool = False) -> Any:
    return connection.run_unit(unit, retry=retry)  # type: ignore[attr-defined]


def attempt(unit: Callable[[], Any]) -> str:
    """Return what came of a unit: its value, or the name of what was raised."""
    try:
        return str(run(unit, retry=unit.__name__ == "transition"))
    except (LookupError, DatabaseError) as exc:
        return type(exc).__name__


def told(*units: Callable[[], Any]) -> list[str]:
    """Return what came of units that are to be written at once."""
    return wait_for(*(lambda unit=unit: attempt(unit) for unit in units))  # type: ignore[misc]


def wait_for(*calls: Callable[[], Any]) -> list[Any]:
    return [each.get() for each in [gevent.spawn(call) for call in calls]]


def kept() -> list[str]:
    """Return the rows that are committed, in the order of their names."""
    with sqlite3.connect(settings.DATABASES["default"]["NAME"]) as other:
        return [name for (name,) in other.execute("SELECT name FROM rows ORDER BY name")]


def locked() -> sqlite3.Connection:
    """Return another process's connection that holds the write lock."""
    other = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def main(file: str) -> None:
    settings.configure(DATABASES={"default": database(f"sqlite:///{file}")})
    django.setup()
    connection_created.connect(listen)
    with connection.cursor() as cursor:
        cursor.executescript(_TABLES)
    connection.close()
    told_of = {}
    for name, scenario in SCENARIOS.items():
        statements.clear()
        came = scenario()
        begun = [words.split()[0] for words in statements if "PRAGMA" not in words]
        told_of[name] = {"came": came, "kept": kept(), "begun": begun}
        run(lambda: execute("DELETE FROM rows"))
    print(json.dumps(told_of))


def listen(connection: Any, **_: Any) -> None:
    connection.connection.set_trace_callback(statements.append)


if __name__ == "__main__":
    main(sys.argv[1])

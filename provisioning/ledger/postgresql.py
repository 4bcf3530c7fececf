"""How the ledger writes on PostgreSQL: in as few messages as it can, for each is a wait.

A transition is one statement, and so a transaction of its own. What a session's lock protects is
two messages: BEGIN goes out with the first and COMMIT with the last.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from django.db import connection, transaction

from audit import log
from provisioning.ledger import sql
from provisioning.ledger.sql import History, Statement

_Value = TypeVar("_Value")
_LOCK = "SELECT pg_advisory_xact_lock(%s)"


def run(unit: Callable[[], _Value]) -> _Value:
    """Run `unit`, which writes with one statement."""
    return unit()


def run_in_session(session_hash: str, unit: Callable[[History], _Value]) -> _Value:
    """Run `unit` in a transaction in which nobody else decides about this session."""
    known = look(session_hash, "" if connection.in_atomic_block else "BEGIN; ")
    with transaction.atomic():  # joins what has begun
        return unit(known)


def look(session_hash: str, begin: str = "") -> History:
    """Lock the session until the transaction ends; return what is known of it.

    The lock is a statement of its own: one that waited for it would see what was there before.
    """
    history, parameters = sql.history(session_hash)
    key = int(session_hash[:15], 16)
    with _several() as cursor:
        cursor.execute(f"{begin}{_LOCK}; {history}", [key, *parameters])
        cursor.set_result(-1)
        return sql.known(cursor.fetchone() or ())


def write(statements: Sequence[Statement]) -> None:
    """Run these statements, the last ones of the caller's unit, and commit where it has begun."""
    texts = [text for text, _ in statements]
    if connection.connection.autocommit:  # BEGIN was ours
        texts.append("COMMIT")
    with _several() as cursor:
        cursor.execute("; ".join(texts), [each for _, values in statements for each in values])


def change(update: Statement, event: Sequence[Any]) -> tuple[Any] | None:
    """Change a row and record the event; return its `withdrawn_at`, None where nothing changed."""
    changes, parameters = update
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH changed AS ({changes} RETURNING withdrawn_at),"  # noqa: S608
            f" event AS ({log.INSERT} SELECT {log.MARKS} FROM changed)"
            " SELECT withdrawn_at FROM changed",
            [*parameters, *event],
        )
        changed: tuple[Any] | None = cursor.fetchone()
    return changed


@contextmanager
def _several() -> Iterator[psycopg.ClientCursor[Any]]:
    """Open a cursor that takes several statements at once, whatever Django's own binds where."""
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        psycopg.ClientCursor(connection.connection) as cursor,
    ):
        yield cursor

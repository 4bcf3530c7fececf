"""How the ledger writes on SQLite: statement by statement, in one transaction.

Our back end may let several units share it (`guestportal/stores/sqlite3/writer.py`).
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import connection

from audit import log
from provisioning.ledger import sql
from provisioning.ledger.sql import History, Statement

_Value = TypeVar("_Value")


def run(unit: Callable[[], _Value]) -> _Value:
    """Run `unit` in a transaction; once more alone, where that is not committed with others."""
    return _run(unit, retry=True)


def run_in_session(session_hash: str, unit: Callable[[History], _Value]) -> _Value:
    """Run `unit` in a transaction in which nobody else decides about this session."""
    # Not again: before the platform is called an honest 503 costs nothing.
    return _run(lambda: unit(look(session_hash)), retry=False)


def _run(unit: Callable[[], _Value], *, retry: bool) -> _Value:
    value: _Value = connection.run_unit(unit, retry=retry)  # type: ignore[attr-defined]
    return value


def look(session_hash: str) -> History:
    """Return what is known of a session. BEGIN has taken the one write lock there is."""
    with connection.cursor() as cursor:
        cursor.execute(*sql.history(session_hash))
        return sql.known(cursor.fetchone())


def write(statements: Sequence[Statement]) -> None:
    """Run these statements, the last ones of the caller's unit."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(*statement)


def change(update: Statement, event: Sequence[Any]) -> tuple[Any] | None:
    """Change a row and record the event; return its `withdrawn_at`, None where nothing changed."""
    changes, parameters = update
    with connection.cursor() as cursor:
        # The column: SQLite 3.40 answers `withdrawn_at IS NULL` wrongly here.
        cursor.execute(f"{changes} RETURNING withdrawn_at", parameters)
        changed: tuple[Any] | None = cursor.fetchone()
        if changed:
            cursor.execute(f"{log.INSERT} VALUES ({log.MARKS})", event)
    return changed

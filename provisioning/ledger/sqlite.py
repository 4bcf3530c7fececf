"""How the ledger writes on SQLite: statement by statement, in one transaction.

Our back end may let several units share it (`guestportal/stores/sqlite3/writer.py`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from audit import log
from provisioning.ledger import sql


def run(unit: Callable[[], Any]) -> Any:
    """Run `unit` in a transaction; once more alone, where that is not committed with others."""
    return connection.run_unit(unit, retry=True)  # type: ignore[attr-defined]


def run_in_session(session_hash: str, unit: Callable[[sql.History], Any]) -> Any:
    """Run `unit` in a transaction in which nobody else decides about this session."""
    # Not again: before the platform is called an honest 503 costs nothing.
    return connection.run_unit(lambda: unit(look(session_hash)), retry=False)  # type: ignore[attr-defined]


def look(session_hash: str) -> sql.History:
    """Return what is known of a session. BEGIN has taken the one write lock there is."""
    with connection.cursor() as cursor:
        cursor.execute(*sql.history(session_hash))
        return sql.known(cursor.fetchone())


def write(statements: Sequence[sql.Statement]) -> None:
    """Run these statements, the last ones of the caller's unit."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(*statement)


def change(update: sql.Statement, event: Sequence[Any]) -> Any:
    """Change a row and record the event; return its `withdrawn_at`, None where nothing changed."""
    changes, parameters = update
    with connection.cursor() as cursor:
        # The column: SQLite 3.40 answers `withdrawn_at IS NULL` wrongly here.
        cursor.execute(f"{changes} RETURNING withdrawn_at", parameters)
        changed = cursor.fetchone()
        if changed:
            cursor.execute(f"{log.INSERT} VALUES ({log.MARKS})", event)
    return changed

"""Whether the database takes a write: ``/readyz`` tries it, as an init would write its row.

However many callers and web processes ask, the machine tries once in five seconds, and all are told
what came of it. Who waits for a lock is no trouble until it has lasted ten seconds: an import or a
migration holds locks for a while, and visitors wait for it too. No answer at all is.
"""

import functools
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from django.db import DatabaseError, InterfaceError, connection

from guestportal.stores.machine import TakenInTurns, Tried
from provisioning.health import write_once
from provisioning.time_left import answer_within

EVERY_SECONDS = 5.0
LOCK_SECONDS = 1.0
BUSY_IS_TROUBLE_SECONDS = 10.0
# A try that is under way leaves what the one before came to in force for so long.
STANDS_SECONDS = 15.0
_LONGEST_TRY_SECONDS = 4.0
UNREACHABLE = "the database cannot be reached"


def trouble() -> str:
    """Return what keeps the database from taking a write, in words; empty where nothing does."""
    turns = _turns(_database())
    known, mine = turns.claim(every=EVERY_SECONDS)
    if mine:
        known = _try(known)
        turns.keep(known)
    ends_at = time.monotonic() + _LONGEST_TRY_SECONDS
    while known.ended < known.began and not _stands(known):
        if time.monotonic() > ends_at:
            return UNREACHABLE
        time.sleep(0.05)
        known, _ = turns.claim(every=2 * EVERY_SECONDS)
    return known.trouble


def only_waits(exc: DatabaseError | InterfaceError) -> bool:
    """Tell whether a database that answers kept us waiting: locked, or every connection in use."""
    cause: Any = exc.__cause__
    if connection.vendor == "sqlite":
        return str(getattr(cause, "sqlite_errorname", "")).startswith("SQLITE_BUSY")
    if getattr(cause, "sqlstate", None):
        return cause.sqlstate in ("55P03", "57014")  # lock_not_available, query_canceled
    return _answers()


def _try(known: Tried) -> Tried:
    """Try to write; `known` is the try before, with the moment at which this one began."""
    began, trouble, busy_since = known.began, "", 0.0
    try:
        with answer_within(LOCK_SECONDS + 0.5):
            write_once(patience=LOCK_SECONDS)
    except (DatabaseError, InterfaceError) as exc:
        connection.close_if_unusable_or_obsolete()
        if only_waits(exc):
            busy_since = (known.busy_since if _stands(known) else 0.0) or began
            lasts = began - busy_since
            if lasts >= BUSY_IS_TROUBLE_SECONDS:
                trouble = f"the database has been locked for {lasts:.0f} seconds"
        else:
            trouble = _in_words(exc)
    return Tried(began, time.monotonic(), trouble, busy_since)


def _stands(known: Tried) -> bool:
    return time.monotonic() - known.ended < STANDS_SECONDS


def _in_words(exc: DatabaseError | InterfaceError) -> str:
    """Say what the database said, by the name of the error: its text may quote anything."""
    cause: Any = exc.__cause__
    name = getattr(cause, "sqlite_errorname", "")
    if not name and getattr(cause, "sqlstate", None):
        name = type(cause).__name__
    return f"the database takes no write ({name})" if name else UNREACHABLE


def _answers() -> bool:
    """Tell whether PostgreSQL takes a new connection and answers on it: our own may all wait."""
    import psycopg

    from guestportal.stores.postgresql.base import Connection

    parameters = connection.get_connection_params() | {"connect_timeout": 2, "autocommit": True}
    try:
        with answer_within(LOCK_SECONDS), Connection.connect(**parameters) as fresh:
            fresh.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _database() -> str:
    """Return what names the database on this machine; nothing where only this process has it."""
    found = connection.settings_dict
    name = str(found["NAME"])
    if connection.vendor == "sqlite":
        is_file = ":memory:" not in name and "mode=memory" not in name
        return os.path.abspath(name) if is_file else ""
    return f"{found['HOST']}:{found['PORT']}/{name}"


@functools.cache
def _turns(database: str) -> TakenInTurns:
    if not database:
        return TakenInTurns(path=None)
    digest = hashlib.sha256(f"{os.geteuid()} {database}".encode()).hexdigest()[:16]
    return TakenInTurns(path=Path(tempfile.gettempdir()) / f"guestportal-{digest}.json")

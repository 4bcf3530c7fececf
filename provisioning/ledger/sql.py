"""The statements that every init runs, written out.

Through the ORM, which builds a statement anew each time, they took half of an init's CPU
(docs/decisions/0009). Tables, columns and defaults are still the model's, and so is every query
that a person waits for instead of a visitor.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Field
from django.utils import timezone

from provisioning.models import GuestCreation, Withdrawal

_CREATIONS, _WITHDRAWALS = GuestCreation._meta.db_table, Withdrawal._meta.db_table
_HISTORY = (
    f"SELECT (SELECT id FROM {_CREATIONS} WHERE session_hash = %s ORDER BY id DESC LIMIT 1),"  # noqa: S608
    f" EXISTS (SELECT 1 FROM {_WITHDRAWALS} WHERE session_hash = %s)"
)
# What machines share is measured by the clock of the database that they share; on SQLite all of
# them are one machine.
_NOW = {"postgresql": "clock_timestamp()"}
_CONSENT = (
    f"SELECT consent_given, consent_type, withdrawn_at IS NULL, salt FROM {_CREATIONS}"  # noqa: S608
    " WHERE id = %s"
)


class History(NamedTuple):
    """What is known of a session: its latest creation, if consent was taken back; and the time."""

    latest: Any
    withdrawn: bool
    now: datetime


class StoredConsent(NamedTuple):
    """The consent a creation rests on; `stands` until the visitor takes it back."""

    given: bool
    type: str
    stands: bool
    salt: str


def history(*, session_hash: str) -> History:
    """Return what is known of a session: nothing, for most of them."""
    clock = _NOW.get(connection.vendor, "NULL")
    latest, withdrawn, now = _fetch(f"{_HISTORY}, {clock}", [session_hash, session_hash])
    return History(latest, bool(withdrawn), now or timezone.now())


def stored_consent(*, creation_id: UUID) -> StoredConsent:
    """Return the consent that a creation rests on. A creation is never deleted."""
    given, kind, stands, salt = _fetch(_CONSENT, [creation_id.hex])
    return StoredConsent(bool(given), kind, bool(stands), salt)


def insert(*, columns: Mapping[str, Any]) -> None:
    """Add a creation of these columns, a timedelta being from now on; others get their defaults."""
    row = {**_defaults(), **{name: _plain(value) for name, value in columns.items()}}
    _run(_insert(tuple(row), _moments(row)), list(row.values()))


def update(
    *, creation_id: UUID, leaving: Sequence[Enum], columns: Mapping[str, Any], counted: str = ""
) -> bool:
    """Change these columns of a creation if it is in a state of `leaving` and not erased.

    A timedelta is a moment from now on; `counted` names a column to which one is added. Returns
    whether the row was changed.
    """
    changed = {name: _plain(value) for name, value in columns.items()}
    statement = _update(tuple(changed), _moments(changed), counted, len(leaving))
    return _run(statement, [*changed.values(), *map(_plain, (creation_id, *leaving))]) == 1


@functools.cache
def _insert(names: tuple[str, ...], moments: tuple[str, ...]) -> str:
    marks = ", ".join(_mark(name, moments) for name in names)
    return f"INSERT INTO {_CREATIONS} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608


@functools.cache
def _update(names: tuple[str, ...], moments: tuple[str, ...], counted: str, states: int) -> str:
    changes = [f"{name} = {_mark(name, moments)}" for name in names]
    changes += [f"{counted} = {counted} + 1"] if counted else []
    return (
        f"UPDATE {_CREATIONS} SET {', '.join(changes)}"  # noqa: S608
        f" WHERE id = %s AND status IN ({', '.join(['%s'] * states)}) AND erased_at IS NULL"
    )


@functools.cache
def _defaults() -> dict[str, Any]:
    fields: Sequence[Field[Any, Any]] = GuestCreation._meta.local_concrete_fields
    # One with a default of the database's own gets that.
    return {str(f.column): _plain(f.get_default()) for f in fields if not f.has_db_default()}


def _plain(value: Any) -> Any:
    """Return `value` as the database's driver takes it for its column."""
    if isinstance(value, timedelta) and connection.vendor not in _NOW:
        value = timezone.now() + value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, Enum):
        return value.value
    return json.dumps(value) if isinstance(value, list) else value


def _moments(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns whose value is a time from now on, by the database's clock."""
    return tuple(name for name, value in row.items() if type(value) is timedelta)


def _mark(name: str, moments: tuple[str, ...]) -> str:
    return f"{_NOW[connection.vendor]} + %s" if name in moments else "%s"


def _fetch(sql: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _run(sql: str, parameters: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)

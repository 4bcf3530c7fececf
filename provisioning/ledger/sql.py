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

from audit import log
from provisioning.models import GuestCreation, Withdrawal

Statement = tuple[str, Sequence[Any]]  # its text and its parameters

_CREATIONS, _WITHDRAWALS = GuestCreation._meta.db_table, Withdrawal._meta.db_table
_HISTORY = (
    f"SELECT (SELECT id FROM {_CREATIONS} WHERE session_hash = %s ORDER BY id DESC LIMIT 1),"  # noqa: S608
    f" EXISTS (SELECT 1 FROM {_WITHDRAWALS} WHERE session_hash = %s), ({log.FIND_SALT})"
)
# What machines share is measured by the clock of the database that they share; on SQLite all of
# them are one machine.
_NOW = {"postgresql": "clock_timestamp()"}


class History(NamedTuple):
    """What is known of a session: its latest creation, if consent was taken back, and the time.

    `salt` is what names it in the log, None where it has no name there yet.
    """

    latest: Any
    withdrawn: bool
    salt: bytes | None
    now: datetime


def history(session_hash: str) -> Statement:
    """Return the question what is known of a session: nothing, for most of them."""
    return f"{_HISTORY}, {_NOW.get(connection.vendor, 'NULL')}", [session_hash] * 3


def known(row: Sequence[Any]) -> History:
    """Return the answer to `history`."""
    latest, withdrawn, salt, now = row
    return History(latest, bool(withdrawn), salt and bytes(salt), now or timezone.now())


def insert(*, columns: Mapping[str, Any]) -> Statement:
    """Add a creation of these columns, a timedelta being from now on; others get their defaults."""
    row = {**_defaults(), **{name: _plain(value) for name, value in columns.items()}}
    return _insert(tuple(row), _moments(row)), list(row.values())


def update(
    *, creation_id: UUID, leaving: Sequence[Enum], columns: Mapping[str, Any], counted: str = ""
) -> Statement:
    """Change these columns of a creation if it is in a state of `leaving` and not erased.

    A timedelta is a moment from now on; `counted` names a column to which one is added.
    """
    changed = {name: _plain(value) for name, value in columns.items()}
    text = _update(tuple(changed), _moments(changed), counted, len(leaving))
    return text, [*changed.values(), *map(_plain, (creation_id, *leaving))]


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

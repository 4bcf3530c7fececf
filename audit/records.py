"""Read the log for checking: events beside their leaves, and whether one is what it was.

This is the hot loop of `verify_audit`, which must do tens of thousands of events a second: rows
stay tuples, the database shapes ids and times as bodies have them, and JSON is parsed only for a
row whose columns do not match its body's ends literally.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection

CHUNK = 5_000

_COLUMNS = ("id", "time", "kind", "subject", "actor", "request_id")
_ID = {
    "sqlite": "substr({0},1,8)||'-'||substr({0},9,4)||'-'||substr({0},13,4)||'-'"
    "||substr({0},17,4)||'-'||substr({0},21)",
    "postgresql": "{0}::text",
}
_TIME = {
    # Django leaves out a fraction of zero.
    "sqlite": "replace(substr(e.time||'.000000',1,26),' ','T')||'Z'",
    "postgresql": """to_char(e.time AT TIME ZONE 'UTC','YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
}

# An event: id, time, kind, subject, actor, request id, body; all text, all None where it is gone.
Event = tuple[str, str, str, str, str, str, str]


def sealed(*, first_position: int) -> Iterator[tuple[Any, ...]]:
    """Yield (position, seal, leaf hash, event id of the leaf, *event) by position."""
    sql = (
        f"SELECT l.position, l.seal_id, l.hash, {_id('l.event_id')}, {_event()}"  # noqa: S608
        " FROM audit_auditleaf l LEFT JOIN audit_auditevent e ON e.id = l.event_id"
        f" WHERE l.position >= %s ORDER BY l.position LIMIT {CHUNK}"
    )
    rows = _fetch(sql, first_position)
    yield from rows
    while len(rows) == CHUNK:
        rows = _fetch(sql, rows[-1][0] + 1)
        yield from rows


def unsealed(*, after: UUID) -> Iterator[Event]:
    """Yield the events without a leaf whose id is above `after`, oldest first."""
    sql = (
        f"SELECT {_event()} FROM audit_auditevent e"  # noqa: S608
        " WHERE NOT EXISTS (SELECT 1 FROM audit_auditleaf l"
        " WHERE l.event_id = e.id AND l.event_id > %s)"
        f" AND e.id > %s ORDER BY e.id LIMIT {CHUNK}"
    )
    rows = _fetch(sql, after.hex, after.hex)
    yield from rows
    while len(rows) == CHUNK:
        last = rows[-1][0].replace("-", "")
        rows = _fetch(sql, last, last)
        yield from rows


def leaf_hash(body: str) -> str:
    """Return the hex of the leaf hash that a body has (see `audit.sealing.merkle.leaf_hash`)."""
    # str(): SQLite would also hold bytes in a text column.
    return sha256(b"\x00" + str(body).encode()).hexdigest()


def differing_column(event: Event) -> str | None:
    """Return which column of `event` does not say what its body says, or None."""
    event_id, time, kind, subject, actor, request_id, body = event
    # A body's keys are sorted: actor and data come first, the other columns last.
    if body.startswith(f'{{"actor":"{actor}","data":{{') and body.endswith(
        f'}},"id":"{event_id}","kind":"{kind}","request_id":"{request_id}"'
        f',"subject":"{subject}","time":"{time}"}}'
    ):
        return None
    try:
        values = json.loads(body)
        differing = (
            name
            for name, column in zip(_COLUMNS, event, strict=False)
            if values.get(name) != column
        )
        return next(differing, None)
    except (ValueError, AttributeError):
        return "body"


def _event() -> str:
    names = ", ".join(f"e.{name}" for name in _COLUMNS[2:])
    return f"{_id('e.id')}, {_TIME[connection.vendor]}, {names}, e.body"


def _id(column: str) -> str:
    return _ID[connection.vendor].format(column)


def _fetch(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())

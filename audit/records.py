"""Read the log for checking: events beside their leaves, and whether one is what it was.

This is the hot loop of `verify_audit`, which must do tens of thousands of events a second: rows
stay tuples, the database shapes ids and times as bodies have them, and JSON is parsed only for a
row whose columns do not match its body's ends literally.
"""

import json
from collections.abc import Callable, Iterator
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
    return _chunks(sql, [first_position], lambda last: [last[0] + 1])


def unsealed(*, after: UUID) -> Iterator[Event]:
    """Yield the events without a leaf whose id is above `after`, oldest first."""
    sql = (
        f"SELECT {_event()} FROM audit_auditevent e"  # noqa: S608
        " WHERE NOT EXISTS (SELECT 1 FROM audit_auditleaf l"
        " WHERE l.event_id = e.id AND l.event_id > %s)"
        f" AND e.id > %s ORDER BY e.id LIMIT {CHUNK}"
    )
    return _chunks(sql, [after.hex] * 2, lambda last: [last[0].replace("-", "")] * 2)


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
        columns = zip(_COLUMNS, event, strict=False)
        return next((name for name, column in columns if values.get(name) != column), None)
    except (ValueError, AttributeError):
        return "body"


def _event() -> str:
    names = ", ".join(f"e.{name}" for name in _COLUMNS[2:])
    return f"{_id('e.id')}, {_TIME[connection.vendor]}, {names}, e.body"


def _id(column: str) -> str:
    return _ID[connection.vendor].format(column)


def _chunks(
    sql: str, parameters: list[Any], following: Callable[[Any], list[Any]]
) -> Iterator[Any]:
    """Yield the rows of `sql` in chunks; `following` gives the parameters after a chunk's last."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < CHUNK:
            return
        parameters = following(rows[-1])

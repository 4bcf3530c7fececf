"""Many CRM records at once: what a change comes to, and the statement that writes it.

The CSV import and the sync API both plan before their transaction opens, since on SQLite it keeps
every visitor's init waiting, and write inside it. After Overtaken they plan anew, TRIES times.

`bulk_create` does the same, but spends 85 µs of Python on each row inside the transaction: on
SQLite 100,000 rows kept the write lock, and so every visitor's init, for 11.4 s; now 1.3 s.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, TypeVar

from django.db import connection
from django.utils import timezone
from uuid_utils import uuid4

from crm import sessions
from crm.addresses import address_key
from crm.conversion import read_like
from crm.models import RECORD_FIELDS, CrmRecord

TRIES = 5
_BATCH = 500
_T = TypeVar("_T")

# What a new record is before anything is said of it; its address must be said.
NEW_RECORD: Mapping[str, Any] = {
    "email": None, "first_name": "", "tier": "", "previous_tickets": 0, "attributes": {},
}  # fmt: skip

# A record as it shall be, in the order of _COLUMNS: attributes as JSON text, its next version. Then
# the key of its address.
PlannedRow = tuple[str, str, str, str, int, str, int, str]
_COLUMNS = ("session_hash", *RECORD_FIELDS, "attributes", "version")
_WRITTEN = (
    *_COLUMNS, "address_key", "address_version", "record_id", "created_at", "updated_at",
)  # fmt: skip
_CELLS = f"({', '.join(['%s'] * len(_WRITTEN))})"
_STATEMENT = f"""
    INSERT INTO crm_crmrecord ({", ".join(_WRITTEN)})
    VALUES {{rows}}
    ON CONFLICT (session_hash) DO UPDATE SET
        email = excluded.email,
        first_name = excluded.first_name,
        tier = excluded.tier,
        previous_tickets = excluded.previous_tickets,
        attributes = excluded.attributes,
        version = excluded.version,
        address_key = excluded.address_key,
        address_version = excluded.address_version,
        record_id = COALESCE(crm_crmrecord.record_id, excluded.record_id),
        updated_at = excluded.updated_at
    WHERE crm_crmrecord.version = excluded.version - 1
"""  # noqa: S608  (names of columns only)

# The columns that a record may be looked up by.
Key = Literal["session_hash", "record_id"]


class Overtaken(Exception):
    """Others changed the same records after they were compared; nothing may be stored."""


@dataclass(frozen=True)
class Change:
    """What to change about the record `key`; a field that `values` does not name stays.

    The value of `attributes` is merged into the stored ones. `version` is the one that the record
    must be at: 0, there must be none; None, any. `as_text`: the attributes come from a file, which
    knows only text; each is read as the type that it has in the record.
    """

    key: str
    values: Mapping[str, Any] = field(repr=False)
    version: int | None = None
    as_text: bool = False


@dataclass(frozen=True)
class Plan:
    """What a change comes to, and the `row` to write for it; `version` is the one it ends at."""

    outcome: Literal["created", "updated", "unchanged", "refused"]
    version: int | None = None
    row: PlannedRow | None = field(default=None, repr=False)
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)


_UNKNOWN_ID = Plan("refused", errors={"record_id": ["There is no record with this id."]})


def plan_all(*, changes: Iterable[Change], by: Key = "session_hash") -> Iterator[list[Plan]]:
    """Compare `changes`, each of another record, with what is stored; yield plans in batches.

    Their keys are found in the column `by`. A record id that no record has is refused: an id is
    ours to give, and the record may have been erased since it was named.
    """
    for batch in _batches(changes):
        keys = [change.key for change in batch]
        found = CrmRecord.objects.filter(**{f"{by}__in": keys}).values(*{by, *_COLUMNS})
        stored = {str(record[by]): record for record in found}
        yield [
            _UNKNOWN_ID
            if by == "record_id" and change.key not in stored
            else plan(change=change, stored=stored.get(change.key))
            for change in batch
        ]


def plan(*, change: Change, stored: Mapping[str, Any] | None) -> Plan:
    """Compare `change` with the columns of the record, None where there is no record."""
    version = stored["version"] if stored else 0
    if change.version not in (None, version):
        sentence = f"The record is at version {version}." if stored else "There is no record."
        return Plan("refused", version or None, errors={"version": [sentence]})
    before = stored or NEW_RECORD
    fields = [change.values.get(name, before[name]) for name in RECORD_FIELDS]
    if fields[0] is None:
        return Plan("refused", errors={"email": ["A new record needs an address."]})
    given = change.values.get("attributes", {})
    if change.as_text and (types := before["attributes"]):
        given = {name: read_like(text=text, stored=types.get(name)) for name, text in given.items()}
    attributes = merged_attributes(stored=before["attributes"], given=given)
    same = same_attributes(attributes, merged_attributes(stored=before["attributes"], given={}))
    if stored and same and fields == [before[name] for name in RECORD_FIELDS]:
        return Plan("unchanged", version)
    key = stored["session_hash"] if stored else change.key
    row = (key, *fields, json.dumps(attributes), version + 1, address_key(fields[0]))
    return Plan("updated" if stored else "created", version + 1, row)


def merged_attributes(*, stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `stored` as the merge patch `given` leaves it: null and empty text remove a name."""
    return {name: value for name, value in {**stored, **given}.items() if value not in ("", None)}


def same_attributes(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether both are the same JSON: in Python 1 is true as well."""
    typed = [
        {name: (isinstance(value, bool), value) for name, value in attributes.items()}
        for attributes in (one, other)
    ]
    return typed[0] == typed[1]


def write(*, rows: Iterable[PlannedRow]) -> Iterator[int]:
    """Write planned `rows` inside the caller's transaction; yield how many are written so far.

    They come in the order of their keys, so that two writers on PostgreSQL cannot dead-lock.
    Raises Overtaken, after which the caller rolls back, and sessions.WrongPepper.
    """
    sessions.require_pepper()
    done = 0
    for batch in _batches(rows):
        if _upserted(batch) != len(batch):
            raise Overtaken
        done += len(batch)
        yield done


def _upserted(rows: Sequence[PlannedRow]) -> int:
    """Write those whose record is still at the version before; return how many they are."""
    _require_still_there(rows)
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    statement = _STATEMENT.format(rows=", ".join([_CELLS] * len(rows)))
    cells: list[Any] = [
        cell for *row, version, key in rows
        for cell in (*row, version, key, version, uuid4().hex, now, now)
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, cells)
        return int(cursor.rowcount)


def _require_still_there(rows: Sequence[PlannedRow]) -> None:
    """Raise Overtaken where a record to change is gone: the statement would make it anew."""
    changed = [key for key, *_, version, _ in rows if version > 1]
    if changed:
        found = CrmRecord.objects.select_for_update().filter(session_hash__in=changed)
        if len(found.order_by("session_hash").values_list("pk")) != len(changed):
            raise Overtaken


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch

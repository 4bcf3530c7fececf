"""Import a CSV file of CRM records: all of it or nothing."""

import json
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, TypeVar, cast

from django.db import transaction

from audit import log
from crm.imports.csvfile import FIXED_COLUMNS, SESSION_COLUMNS, CrmFile, Row, RowError, Unreadable
from crm.imports.staging import Staged, Staging
from crm.models import CrmRecord
from crm.upsert import COLUMNS, PreparedRow, upsert

MAX_ERRORS = 100
_BATCH = 500
_BREATH = 100  # rows checked, some 5 ms of work, between two steps
_TRIES = 5
_T = TypeVar("_T")


@dataclass(frozen=True)
class Step:
    """`done` of `total` rows are through a phase: checking, comparing or writing.

    `total` is None where nobody knows yet. `locked`: a transaction is open; whoever lets others
    have the process now, under gevent, has them wait for a lock that it holds itself.
    """

    phase: str
    done: int
    total: int | None
    locked: bool = False


@dataclass(frozen=True)
class ImportResult:
    """How many records an import created, updated, and found to be as the file says."""

    created: int
    updated: int
    unchanged: int

    @property
    def written(self) -> int:
        """Return how many records differ from the file."""
        return self.created + self.updated


class ImportRefused(Exception):
    """A file was refused and nothing of it stored: the first `errors` of `total`."""

    def __init__(self, *, errors: list[RowError], total: int) -> None:
        super().__init__(f"{total} errors in the file; nothing was imported")
        self.errors = errors
        self.total = total

    def __str__(self) -> str:
        lines = [str(error) for error in self.errors]
        if self.total > len(self.errors):
            lines.append(f"and {self.total - len(self.errors):,} more")
        return "\n".join(lines)


class ImportOvertaken(Exception):
    """Others changed the same records at the same time, again and again; nothing was stored."""


class _Overtaken(Exception):
    """A record was changed after it had been compared with its row."""


def import_records(
    *, lines: Iterable[str], actor: str, expected: int | None = None
) -> Iterator[Step | ImportResult]:
    """Create or update a CRM record for every row of a CSV file, in one transaction.

    Yields how far it got; what comes last is the ImportResult, and by then all is stored. Left
    before that, nothing is. `lines` is described at `CrmFile`. A further attribute whose cell is
    empty is removed from its record; attributes without a column stay. `expected` is how many rows
    there may be, for the steps alone.

    Raises:
        ImportRefused: something in the file is wrong; nothing was stored.
        ImportOvertaken: the records kept being changed by others; nothing was stored.
    """
    with Staging() as staging:
        file = yield from _stage(lines, staging, expected)
        for _ in range(_TRIES):
            # Everything that can be done before the transaction opens is: on SQLite it keeps
            # every visitor's init waiting.
            result = yield from _prepare(staging)
            yield Step("writing", 0, result.written)
            try:
                yield from _write(staging, result, file, actor)
            except _Overtaken:
                staging.discard_prepared()
            else:
                yield result
                return
    raise ImportOvertaken


def preview_records(
    *, lines: Iterable[str], expected: int | None = None
) -> Iterator[Step | ImportResult]:
    """Find out what `import_records` would do with the same file now; nothing is stored.

    Yields as it does. Raises ImportRefused.
    """
    with Staging() as staging:
        yield from _stage(lines, staging, expected)
        yield (yield from _prepare(staging))


def _stage(
    lines: Iterable[str], staging: Staging, expected: int | None
) -> Generator[Step, None, CrmFile]:
    errors: list[RowError] = []
    total = 0
    try:
        file = CrmFile(lines=lines)
        for done, row in enumerate(file.rows(), start=1):
            for error in _row_errors(row, staging):
                total += 1
                errors += [error] if total <= MAX_ERRORS else []
            if done % _BREATH == 0:
                yield Step("checking", done, expected)
    except Unreadable as exc:
        total += len(exc.errors)
        errors += exc.errors
    if total:
        raise ImportRefused(errors=errors[:MAX_ERRORS], total=total)
    return file


def _row_errors(row: Row, staging: Staging) -> Iterator[RowError]:
    yield from row.errors
    if row.key and (earlier := staging.add(key=row.key, number=row.number, values=row.values)):
        yield RowError(row.number, "", f"The same session is in row {earlier}.")


def _prepare(staging: Staging) -> Generator[Step, None, ImportResult]:
    """Compare the staged rows with the stored records and prepare those that differ."""
    done = created = updated = 0
    for batch in _batches(staging.rows()):
        stored = _stored([row.key for row in batch])
        rows = [_prepared(row, stored.get(row.key)) for row in batch]
        staging.prepare(rows=[row for row in rows if row])
        created += sum(1 for row in batch if row.key not in stored)
        updated += sum(1 for row in rows if row and row[0] in stored)
        done += len(batch)
        yield Step("comparing", done, staging.count)
    return ImportResult(created, updated, staging.count - created - updated)


def _stored(keys: list[str]) -> dict[str, tuple[Any, ...]]:
    found = CrmRecord.objects.filter(session_hash__in=keys).values_list(*COLUMNS)
    return {row[0]: row for row in found}


def _prepared(row: Staged, stored: tuple[Any, ...] | None) -> PreparedRow | None:
    """Return what is to be written for `row`, or None when it is `stored` already."""
    *before, attributes, version = stored or (row.key, {}, 0)
    after = [row.key, *(row.values[column] for column in FIXED_COLUMNS)]
    further = {name: cell for name, cell in row.values.items() if name not in FIXED_COLUMNS}
    merged = {name: value for name, value in {**attributes, **further}.items() if value != ""}
    if (before, attributes) == (after, merged):
        return None
    return cast(PreparedRow, (*after, json.dumps(merged), version + 1))


def _write(staging: Staging, result: ImportResult, file: CrmFile, actor: str) -> Iterator[Step]:
    """Write what was prepared, with its event. Raises _Overtaken, with nothing written."""
    done = 0
    columns = [column for column in file.columns if column not in SESSION_COLUMNS]
    with transaction.atomic():
        for batch in _batches(staging.prepared()):
            done += upsert(rows=batch)
            yield Step("writing", done, result.written, locked=True)
        if done != result.written:
            raise _Overtaken
        data = {**asdict(result), "columns": columns, "sha256": file.sha256}
        log.record(kind="crm.imported", actor=actor, data=data)


def _batches(rows: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        yield batch

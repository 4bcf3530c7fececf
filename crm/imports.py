"""Import a CSV file of CRM records: all of it or nothing."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar, cast

from django.db import transaction

from audit import log
from crm.csvfile import FIXED_COLUMNS, SESSION_COLUMNS, CrmFile, Row, RowError, Unreadable
from crm.models import CrmRecord
from crm.staging import Staged, Staging
from crm.upsert import COLUMNS, PreparedRow, upsert

MAX_ERRORS = 100
_BATCH = 500
_TRIES = 5
_T = TypeVar("_T")


class Progress(Protocol):
    """Watches an iteration over rows, as tqdm does."""

    def __call__(
        self, rows: Iterable[_T], /, *, desc: str, total: int | None = None
    ) -> Iterable[_T]: ...


@dataclass(frozen=True)
class ImportResult:
    """How many records an import created, updated, and found to be as the file says."""

    created: int
    updated: int
    unchanged: int


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
    *, lines: Iterable[str], actor: str, progress: Progress | None = None
) -> ImportResult:
    """Create or update a CRM record for every row of a CSV file, in one transaction.

    `lines` is described at `crm.csvfile.CrmFile`. A further attribute whose cell is empty is
    removed from its record; attributes for which the file has no column stay.

    Raises:
        ImportRefused: something in the file is wrong; nothing was stored.
        ImportOvertaken: the records kept being changed by others; nothing was stored.
    """
    progress = progress or _unwatched
    with Staging() as staging:
        file = _stage(lines, staging, progress)
        for _ in range(_TRIES):
            # Everything that can be done before the transaction opens is: on SQLite it keeps
            # every visitor's init waiting.
            result = _prepare(staging, progress)
            expected = result.created + result.updated
            rows = progress(staging.prepared(), desc="writing", total=expected)
            with suppress(_Overtaken), transaction.atomic():
                _write(rows, expected)
                columns = [column for column in file.columns if column not in SESSION_COLUMNS]
                data = {**asdict(result), "columns": columns, "sha256": file.sha256}
                log.record(kind="crm.imported", actor=actor, data=data)
                return result
            staging.discard_prepared()
    raise ImportOvertaken


def preview_records(*, lines: Iterable[str]) -> ImportResult:
    """Return what `import_records` would do with the same file now; nothing is stored.

    Raises:
        ImportRefused: something in the file is wrong.
    """
    with Staging() as staging:
        _stage(lines, staging, _unwatched)
        return _prepare(staging, _unwatched)


def _unwatched(rows: Iterable[_T], /, *, desc: str, total: int | None = None) -> Iterable[_T]:
    return rows


def _stage(lines: Iterable[str], staging: Staging, progress: Progress) -> CrmFile:
    errors: list[RowError] = []
    total = 0
    try:
        file = CrmFile(lines=lines)
        for row in progress(file.rows(), desc="checking"):
            for error in _row_errors(row, staging):
                total += 1
                errors += [error] if total <= MAX_ERRORS else []
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


def _prepare(staging: Staging, progress: Progress) -> ImportResult:
    """Compare the staged rows with the stored records and prepare those that differ."""
    created = updated = 0
    for batch in _batches(progress(staging.rows(), desc="comparing", total=staging.count)):
        stored = _stored([row.key for row in batch])
        rows = [_prepared(row, stored.get(row.key)) for row in batch]
        staging.prepare(rows=[row for row in rows if row])
        created += sum(1 for row in batch if row.key not in stored)
        updated += sum(1 for row in rows if row and row[0] in stored)
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


def _write(rows: Iterable[PreparedRow], expected: int) -> None:
    if sum(upsert(rows=batch) for batch in _batches(rows)) != expected:
        raise _Overtaken


def _batches(rows: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        yield batch

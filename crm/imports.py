"""Import a CSV file of CRM records: all of it or nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

from django.db import connection, transaction

from audit import log
from crm.csvfile import FIXED_COLUMNS, SESSION_COLUMNS, CrmFile, Row, RowError, Unreadable
from crm.models import CrmRecord
from crm.staging import Staged, Staging

MAX_ERRORS = 100
_BATCH = 500
_WRITTEN = (*FIXED_COLUMNS, "attributes", "version", "updated_at")
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


def import_records(
    *, lines: Iterable[str], actor: str, progress: Progress | None = None
) -> ImportResult:
    """Create or update a CRM record for every row of a CSV file, in one transaction.

    `lines` is described at `crm.csvfile.CrmFile`. A further attribute whose cell is empty is
    removed from its record; attributes for which the file has no column stay.

    Raises:
        ImportRefused: something in the file is wrong; nothing was stored.
    """
    progress = progress or _unwatched
    with Staging() as staging:
        file = _stage(lines, staging, progress)
        # The file is read and checked before the transaction opens: on SQLite it keeps every
        # visitor's init waiting.
        with transaction.atomic():
            result = _write(staging, progress)
            columns = [column for column in file.columns if column not in SESSION_COLUMNS]
            counts = {**vars(result), "columns": columns, "sha256": file.sha256}
            log.record(kind="crm.imported", actor=actor, data=counts)
    return result


def preview_records(*, lines: Iterable[str]) -> ImportResult:
    """Return what `import_records` would do with the same file now; nothing is stored.

    Raises:
        ImportRefused: something in the file is wrong.
    """
    created = updated = 0
    with Staging() as staging:
        _stage(lines, staging, _unwatched)
        rows = staging.rows()
        while batch := list(islice(rows, _BATCH)):
            new, changed = _sorted_out(batch)
            created += len(new)
            updated += len(changed)
        return ImportResult(created, updated, staging.count - created - updated)


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


def _write(staging: Staging, progress: Progress) -> ImportResult:
    if connection.vendor == "postgresql":
        # Visitors go on reading; edits and other imports wait, as they do on SQLite anyway. So
        # versions and counts are exact, and two imports cannot dead-lock.
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {CrmRecord._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
    created = updated = 0
    rows = iter(progress(staging.rows(), desc="writing", total=staging.count))
    while batch := list(islice(rows, _BATCH)):
        new, changed = _sorted_out(batch)
        CrmRecord.objects.bulk_create(
            [*new, *changed],
            update_conflicts=True,
            unique_fields=["session_hash"],
            update_fields=_WRITTEN,
        )
        created += len(new)
        updated += len(changed)
    return ImportResult(created, updated, staging.count - created - updated)


def _sorted_out(batch: list[Staged]) -> tuple[list[CrmRecord], list[CrmRecord]]:
    """Return the records that `batch` makes new and those it changes, ready to be written."""
    stored = CrmRecord.objects.in_bulk([row.key for row in batch], field_name="session_hash")
    new, changed = [], []
    for row in batch:
        record = stored.get(row.key)
        if record is None:
            record = CrmRecord(session_hash=row.key)
            _apply(row.values, record)
            new.append(record)
        elif _apply(row.values, record):
            record.version += 1
            changed.append(record)
    return new, changed


def _apply(values: dict[str, Any], record: CrmRecord) -> bool:
    """Give `record` the values of a row; tell whether that changed it."""
    further = {name: cell for name, cell in values.items() if name not in FIXED_COLUMNS}
    merged = {
        name: value for name, value in {**record.attributes, **further}.items() if value != ""
    }
    wanted = {**{name: values[name] for name in FIXED_COLUMNS}, "attributes": merged}
    changed = [name for name, value in wanted.items() if getattr(record, name) != value]
    for name in changed:
        setattr(record, name, wanted[name])
    return bool(changed)

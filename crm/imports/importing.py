"""Import a CSV file of CRM records: all of it or nothing.

The checked rows wait outside of memory and of the database until all of the file is known to be
good; then they are compared with the stored records, and written in one transaction.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass

from django.db import transaction

from audit import log
from crm.imports.csvfile import KEY_COLUMNS, CrmFile, Row, RowFault, Unreadable
from crm.upsert import TRIES, Change, Key, Overtaken, Plan, PlannedRow, plan_all, write

MAX_FAULTS = 100
_ROWS_A_STEP = 100  # checked, some 5 ms of work
_CACHE_KIB = 4096


@dataclass(frozen=True)
class Step:
    """`done` of `total` rows are through a phase: checking, comparing or writing.

    `total` is None where nobody knows yet. `locked`: a transaction is open; under gevent, others
    who get the process now wait for a lock that the import itself holds.
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
    """A file was refused and nothing of it stored: the first `faults` of `total`."""

    def __init__(self, *, faults: list[RowFault], total: int) -> None:
        super().__init__(f"{total} faults in the file; nothing was imported")
        self.faults = faults
        self.total = total

    def __str__(self) -> str:
        lines = [str(fault) for fault in self.faults]
        if self.total > len(self.faults):
            lines.append(f"and {self.total - len(self.faults):,} more")
        return "\n".join(lines)


def import_records(
    *, lines: Iterable[str], actor: str, expected: int | None = None
) -> Iterator[Step | ImportResult]:
    """Create or update a CRM record for every row of a CSV file, in one transaction.

    Yields how far it got; what comes last is the ImportResult, and by then all is stored. Left
    before that, nothing is. `lines` are those of `csvfile.lines_of`, `expected` how many rows there
    may be, for the steps alone. A further attribute whose cell is empty is removed from its record;
    attributes without a column stay. Raises ImportRefused, or Overtaken where others kept changing
    the records; then nothing was stored.
    """
    with closing(_Staging()) as staging:
        file = yield from _stage(lines, staging, expected)
        for _ in range(TRIES):
            # Everything that can be done before the transaction opens is.
            result = yield from _compare(staging, file)
            yield Step("writing", 0, result.written)
            try:
                yield from _write(staging, result, file, actor)
            except Overtaken:
                continue
            yield result
            return
    raise Overtaken


def preview_records(
    *, lines: Iterable[str], expected: int | None = None
) -> Iterator[Step | ImportResult]:
    """Find out what `import_records` would do with the same file now; nothing is stored.

    Yields as it does. Raises ImportRefused.
    """
    with closing(_Staging()) as staging:
        file = yield from _stage(lines, staging, expected)
        yield (yield from _compare(staging, file))


def _stage(
    lines: Iterable[str], staging: "_Staging", expected: int | None
) -> Generator[Step, None, CrmFile]:
    faults: list[RowFault] = []
    total = 0
    file = CrmFile(lines=lines)
    try:
        for done, row in enumerate(file.rows(), start=1):
            found = [*row.faults, *staging.add(row)]
            total += len(found)
            faults += found[: MAX_FAULTS - len(faults)]
            if done % _ROWS_A_STEP == 0:
                yield Step("checking", done, expected)
    except Unreadable as exc:
        total += len(exc.faults)
        faults += exc.faults
    if total:
        raise ImportRefused(faults=faults[:MAX_FAULTS], total=total)
    return file


def _compare(staging: "_Staging", file: CrmFile) -> Generator[Step, None, ImportResult]:
    """Compare the staged rows with the stored records; keep plans for those that differ.

    Raises ImportRefused where a row names a record that is not there.
    """
    counts: Counter[str] = Counter()
    faults: list[RowFault] = []
    numbers = staging.numbers()
    staging.forget_plans()
    for plans in plan_all(changes=staging.changes(), by=_column(file)):
        staging.keep_plans(plan.row for plan in plans if plan.row)
        counts.update(plan.outcome for plan in plans)
        found = [*faults, *_refusals(plans, numbers)]
        faults = sorted(found, key=lambda fault: fault.row)[:MAX_FAULTS]
        yield Step("comparing", counts.total(), staging.count)
    if faults:
        raise ImportRefused(faults=faults, total=counts["refused"])
    return ImportResult(counts["created"], counts["updated"], counts["unchanged"])


def _column(file: CrmFile) -> Key:
    """Return the column that the keys of the file's rows are looked up in."""
    return "record_id" if file.key_column == "record_id" else "session_hash"


def _refusals(plans: Iterable[Plan], numbers: Iterator[int]) -> Iterator[RowFault]:
    for plan, number in zip(plans, numbers):  # noqa: B905  (a batch of them all)
        for column, sentences in plan.errors.items():
            yield RowFault(number, column, sentences[0])


def _write(staging: "_Staging", result: ImportResult, file: CrmFile, actor: str) -> Iterator[Step]:
    """Write what was planned, with its event. Raises Overtaken, with nothing written."""
    columns = [column for column in file.columns if column not in KEY_COLUMNS]
    with transaction.atomic():
        for done in write(rows=staging.plans()):
            yield Step("writing", done, result.written, locked=True)
        data = {**asdict(result), "columns": columns, "sha256": file.sha256}
        log.record(kind="crm.imported", actor=actor, data=data)


class _Staging:
    """Checked rows in a private SQLite file without a name, which the system removes at its end.

    It finds sessions named twice, lets standard input be read only once, and hands the rows back
    in the order of the key that the real table is indexed by.
    """

    def __init__(self) -> None:
        self.count = 0
        self._database = sqlite3.connect("")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Nothing here is worth a rollback: a failed import throws the whole file away.
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.executescript(
            "CREATE TABLE staged (key TEXT PRIMARY KEY, number INTEGER, data TEXT) WITHOUT ROWID;"
            "CREATE TABLE planned"
            " (key TEXT, email TEXT, first_name TEXT, tier TEXT, previous_tickets INTEGER,"
            " attributes TEXT, version INTEGER, address_key TEXT)"
        )

    def close(self) -> None:
        self._database.close()

    def add(self, row: Row) -> list[RowFault]:
        """Keep `row`, if it has a key; return a fault where an earlier row has the same."""
        if not row.key:
            return []
        values = (row.key, row.number, json.dumps(row.values))
        if self._database.execute("INSERT OR IGNORE INTO staged VALUES (?, ?, ?)", values).rowcount:
            self.count += 1
            return []
        found = self._database.execute("SELECT number FROM staged WHERE key = ?", (row.key,))
        return [RowFault(row.number, "", f"The same session is in row {found.fetchone()[0]}.")]

    def changes(self) -> Iterator[Change]:
        for key, data in self._database.execute("SELECT key, data FROM staged ORDER BY key"):
            yield Change(key, json.loads(data), as_text=True)

    def numbers(self) -> Iterator[int]:
        """Yield the number of the row that each of `changes` is of."""
        for (number,) in self._database.execute("SELECT number FROM staged ORDER BY key"):
            yield number

    def forget_plans(self) -> None:
        self._database.execute("DELETE FROM planned")

    def keep_plans(self, rows: Iterable[PlannedRow]) -> None:
        self._database.executemany("INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def plans(self) -> Iterator[PlannedRow]:
        yield from self._database.execute("SELECT * FROM planned ORDER BY key")

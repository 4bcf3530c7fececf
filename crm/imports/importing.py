"""Import a CSV file of CRM records: all of it or nothing.

The checked rows wait outside of memory and of the database until all of the file is known to be
good; then they are compared with the stored records, and written in one transaction.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

from django.db import transaction

from audit import log
from crm.imports.columns import KEY_COLUMNS
from crm.imports.csvfile import CrmFile
from crm.imports.faults import RowFault, Unreadable
from crm.imports.samples import ChangedRow, changed_rows
from crm.imports.staging import Staging
from crm.upsert import TRIES, Key, Overtaken, Plan, plan_all, write

MAX_FAULTS = 10_000
SHOWN_FAULTS = 100
_SHOWN_CHANGES = 10
_ROWS_A_STEP = 100  # checked, some 5 ms of work


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


@dataclass(frozen=True)
class Preview:
    """What an import would come to, and what it would do to the first records of the file."""

    result: ImportResult
    changes: Sequence[ChangedRow]


class ImportRefused(Exception):
    """A file was refused and nothing of it stored: the first `faults` of `total`."""

    def __init__(self, *, faults: list[RowFault], total: int) -> None:
        super().__init__(f"{total} faults in the file; nothing was imported")
        self.faults = faults
        self.total = total

    def __str__(self) -> str:
        lines = [str(fault) for fault in self.faults[:SHOWN_FAULTS]]
        if self.total > len(lines):
            lines.append(f"and {self.total - len(lines):,} more")
        return "\n".join(lines)


def import_records(
    *, file: CrmFile, actor: str, expected: int | None = None
) -> Iterator[Step | ImportResult]:
    """Create or update a CRM record for every row of a CSV file, in one transaction.

    Yields how far it got; what comes last is the ImportResult, and by then all is stored. Left
    before that, nothing is. `expected` is how many rows there may be, for the steps alone. A
    further attribute whose cell is empty is removed from its record; attributes without a column
    stay. Raises ImportRefused, or Overtaken where others kept changing
    the records; then nothing was stored.
    """
    with closing(Staging()) as staging:
        yield from _stage(file, staging, expected)
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


def preview_records(*, file: CrmFile, expected: int | None = None) -> Iterator[Step | Preview]:
    """Find out what `import_records` would do with the same file now; nothing is stored.

    Yields as it does, the Preview last. Raises ImportRefused.
    """
    with closing(Staging()) as staging:
        yield from _stage(file, staging, expected)
        result = yield from _compare(staging, file)
        planned = staging.first_plans(most=_SHOWN_CHANGES)
        yield Preview(result, changed_rows(planned=planned))


def _stage(file: CrmFile, staging: Staging, expected: int | None) -> Iterator[Step]:
    faults: list[RowFault] = []
    total = 0
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


def _compare(staging: Staging, file: CrmFile) -> Generator[Step, None, ImportResult]:
    """Compare the staged rows with the stored records; keep plans for those that differ.

    Raises ImportRefused where a row names a record that is not there.
    """
    counts: Counter[str] = Counter()
    faults: list[RowFault] = []
    numbers = staging.numbers()
    staging.forget_plans()
    for plans in plan_all(changes=staging.changes(), by=_column(file)):
        numbered = [(number, plan) for plan, number in zip(plans, numbers)]  # noqa: B905  (a batch)
        staging.keep_plans((number, plan.row) for number, plan in numbered if plan.row)
        counts.update(plan.outcome for plan in plans)
        found = [*faults, *_refusals(numbered)]
        faults = sorted(found, key=lambda fault: fault.row)[:MAX_FAULTS]
        yield Step("comparing", counts.total(), staging.count)
    if faults:
        raise ImportRefused(faults=faults, total=counts["refused"])
    return ImportResult(counts["created"], counts["updated"], counts["unchanged"])


def _column(file: CrmFile) -> Key:
    """Return the column that the keys of the file's rows are looked up in."""
    return "record_id" if file.key_column == "record_id" else "session_hash"


def _refusals(numbered: Iterable[tuple[int, Plan]]) -> Iterator[RowFault]:
    for number, plan in numbered:
        for column, sentences in plan.errors.items():
            yield RowFault(number, column, sentences[0])


def _write(staging: Staging, result: ImportResult, file: CrmFile, actor: str) -> Iterator[Step]:
    """Write what was planned, with its event. Raises Overtaken, with nothing written."""
    columns = [column for column in file.columns if column and column not in KEY_COLUMNS]
    with transaction.atomic():
        for done in write(rows=staging.plans()):
            yield Step("writing", done, result.written, locked=True)
        data = {**asdict(result), "columns": columns, "sha256": file.sha256}
        log.record(kind="crm.imported", actor=actor, data=data)

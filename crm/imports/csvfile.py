"""A CSV file of CRM records, read once from front to back, each cell checked on the way.

What is wrong is told by row and column, never by value: values are personal data. Rows are
numbered as a spreadsheet shows them, the header being row 1.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, TextIO

from django.core.exceptions import ValidationError

from crm import validators
from crm.models import RECORD_FIELDS
from crm.sessions import hash_session, key_for_hash

SESSION_COLUMNS = ("session_id", "session_hash")
MAX_SESSION_ID = 256
MAX_COLUMNS = 100


@dataclass(frozen=True)
class RowFault:
    """One fault in a file: `row` counts from 1, the header; `column` is empty for a whole row."""

    row: int
    column: str
    sentence: str

    def __str__(self) -> str:
        place = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{place}: {self.sentence}"


class Unreadable(Exception):
    """The file cannot be read any further; `faults` says why."""

    def __init__(self, *faults: RowFault) -> None:
        super().__init__(*faults)
        self.faults = faults


@dataclass(frozen=True)
class Row:
    """One row: the session's key, the record's values as `crm.upsert` takes them, its faults."""

    number: int
    key: str
    values: dict[str, Any]
    faults: list[RowFault]


def lines_of(*, file: IO[bytes]) -> TextIO:
    """Return the lines of `file`; bytes that are not UTF-8 are kept, to be found in their cell."""
    return io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")


class CrmFile:
    """The header of a CSV file, given by its `lines`, then its rows.

    Raises Unreadable where the header is not one of CRM records.
    """

    def __init__(self, *, lines: Iterable[str]) -> None:
        self._digest = hashlib.sha256()
        self._records = _numbered(csv.reader(self._digested(lines), strict=True))
        _, self.columns = next(self._records, (1, []))
        if faults := _header_faults(self.columns):
            raise Unreadable(*faults)

    @property
    def sha256(self) -> str:
        """Hex digest of what was read so far: of the whole file once `rows` is exhausted."""
        return self._digest.hexdigest()

    def rows(self) -> Iterator[Row]:
        """Yield every row that is not blank. Raises Unreadable where it is no longer CSV."""
        for number, cells in self._records:
            if len(cells) == len(self.columns):
                yield _row(number, zip(self.columns, cells, strict=True))
            else:
                sentence = f"It has {len(cells)} cells where the header has {len(self.columns)}."
                yield Row(number, "", {}, [RowFault(number, "", sentence)])

    def _digested(self, lines: Iterable[str]) -> Iterator[str]:
        for first, line in enumerate(lines):
            self._digest.update(line.encode("utf-8", "surrogatepass"))
            yield line if first else line.removeprefix("\ufeff")


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if cells:
                yield number, cells
    except csv.Error as exc:
        sentence = "From here on this is not CSV: look for a quotation mark without its partner."
        raise Unreadable(RowFault(number + 1, "", sentence)) from exc


def _header_faults(columns: list[str]) -> list[RowFault]:
    if len(columns) == 1 and re.search(r"[;\t|]", columns[0]):
        return [RowFault(1, "", "Cells must be parted by commas, not by semicolons or tabs.")]
    if len(columns) > MAX_COLUMNS:
        return [RowFault(1, "", f"A file has at most {MAX_COLUMNS} columns.")]
    faults = [
        RowFault(1, f"column {place}", sentence)
        for place, column in enumerate(columns, start=1)
        if (sentence := _name_fault(columns, place, column))
    ]
    if len([column for column in SESSION_COLUMNS if column in columns]) != 1:
        faults.append(RowFault(1, "", "Exactly one of session_id and session_hash is needed."))
    if missing := [column for column in RECORD_FIELDS if column not in columns]:
        faults.append(RowFault(1, "", f"Columns are missing: {', '.join(missing)}."))
    return faults


def _name_fault(columns: list[str], place: int, column: str) -> str:
    first = columns.index(column) + 1
    if first != place:
        return f"It has the same name as column {first}."
    try:
        validators.validate_attribute_name(column)
    except ValidationError as exc:
        return str(exc.messages[0])
    return ""


def _row(number: int, cells: Iterable[tuple[str, str]]) -> Row:
    fields: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    faults = []
    for column, cell in cells:
        try:
            if check := _CHECKS.get(column):
                fields[column] = check(cell)
            else:
                validators.validate_scalar(cell)
                attributes[column] = cell
        except ValidationError as exc:
            faults.append(RowFault(number, column, exc.messages[0]))
    key = fields.pop("session_id", "") or fields.pop("session_hash", "")
    return Row(number, key, {**fields, "attributes": attributes}, faults)


def _session_id(cell: str) -> str:
    validators.validate_text(cell)
    if not 0 < len(cell) <= MAX_SESSION_ID:
        raise ValidationError(f"A session id is 1 to {MAX_SESSION_ID} characters.")
    return hash_session(session_id=cell)


def _session_hash(cell: str) -> str:
    return key_for_hash(session_hash=validators.plain_hash(cell))


def _text(limit: int, validate: Callable[[str], None], cell: str) -> str:
    if len(cell) > limit:
        raise ValidationError(f"This is longer than {limit} characters.")
    validate(cell)
    return cell


def _tickets(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", cell) or int(cell) > validators.MAX_TICKETS:
        raise ValidationError(f"This is not a whole number from 0 to {validators.MAX_TICKETS:,}.")
    return int(cell)


_CHECKS: dict[str, Callable[[str], Any]] = {
    "session_id": _session_id,
    "session_hash": _session_hash,
    "email": partial(_text, validators.MAX_EMAIL, validators.validate_address),
    "first_name": partial(_text, validators.MAX_FIRST_NAME, validators.validate_text),
    "tier": partial(_text, validators.MAX_TIER, validators.validate_text),
    "previous_tickets": _tickets,
}

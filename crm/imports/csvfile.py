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
from uuid import UUID

from django.core.exceptions import ValidationError

from backoffice.inert import original
from crm import validators
from crm.models import RECORD_FIELDS
from crm.sessions import hash_session, key_for_hash

# One of them names the record of a row. A file that gives session ids is no export of ours.
KEY_COLUMNS = ("session_id", "session_hash", "record_id")
MAX_SESSION_ID = 256
MAX_COLUMNS = 100
MAX_ROW = 1024 * 1024  # characters: more than cells that are taken can have
# A further attribute that has the name of another column stands in one with this before its name.
_PREFIX = "attributes."
_OTHER_COLUMN = re.compile(rf"({re.escape(_PREFIX)})*({'|'.join((*KEY_COLUMNS, *RECORD_FIELDS))})")


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
    """One row: its record's key, the values as `crm.upsert` takes them, its faults.

    A blank row has no key and no faults.
    """

    number: int
    key: str
    values: dict[str, Any]
    faults: list[RowFault]


def lines_of(*, file: IO[bytes]) -> TextIO:
    """Return the lines of `file`; bytes that are not UTF-8 are kept, to be found in their cell."""
    return io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")


class _RowTooLong(Exception):
    """A row is longer than any that is taken: parting it would hold everybody up."""


class CrmFile:
    """The rows of a CSV file, given by its `lines`; its header is read with the first of them."""

    def __init__(self, *, lines: Iterable[str]) -> None:
        self.columns: list[str] = []
        self._lines = lines
        self._row_length = 0
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Hex digest of what was read so far: of the whole file once `rows` is exhausted."""
        return self._digest.hexdigest()

    @property
    def key_column(self) -> str:
        """The column that names the record of a row."""
        return next(column for column in self.columns if column in KEY_COLUMNS)

    def rows(self) -> Iterator[Row]:
        """Yield every row, blank ones too: however many there are, the caller keeps its turn.

        Raises Unreadable where the header is not one of CRM records, or it is no longer CSV.
        """
        for number, cells in _numbered(csv.reader(self._digested(), strict=True)):
            self._row_length = 0
            if not any(map(str.strip, cells)):
                yield Row(number, "", {}, [])
            elif not self.columns:
                self._read_header(cells)
            else:
                yield self._row(number, cells)
        if not self.columns:
            self._read_header([])

    def _read_header(self, cells: list[str]) -> None:
        self.columns = cells if "session_id" in cells else [original(cell) for cell in cells]
        if faults := _header_faults(self.columns):
            raise Unreadable(*faults)

    def _row(self, number: int, cells: list[str]) -> Row:
        if len(cells) != len(self.columns):
            sentence = f"It has {len(cells)} cells where the header has {len(self.columns)}."
            return Row(number, "", {}, [RowFault(number, "", sentence)])
        # An export never has session ids: such a file is taken as it is.
        if self.key_column != "session_id":
            cells = [original(cell) for cell in cells]
        return _row(number, zip(self.columns, cells, strict=True))

    def _digested(self) -> Iterator[str]:
        for first, line in enumerate(self._lines):
            self._digest.update(line.encode("utf-8", "surrogatepass"))
            self._row_length += len(line)
            if self._row_length > MAX_ROW:
                raise _RowTooLong
            yield line if first else line.removeprefix("\ufeff")


def column_of(*, attribute: str) -> str:
    """Return the name of the column for a further attribute."""
    return _PREFIX + attribute if _OTHER_COLUMN.fullmatch(attribute) else attribute


def attribute_of(*, column: str) -> str:
    """Return the name of the further attribute in a column: the inverse of `column_of`."""
    rest = column.removeprefix(_PREFIX)
    return rest if rest != column and _OTHER_COLUMN.fullmatch(rest) else column


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, cells
    except csv.Error as exc:
        sentence = "From here on this is not CSV: look for a quotation mark without its partner."
        raise Unreadable(RowFault(number + 1, "", sentence)) from exc
    except _RowTooLong as exc:
        sentence = f"It is longer than {MAX_ROW:,} characters."
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
    if len([column for column in KEY_COLUMNS if column in columns]) != 1:
        sentence = (
            "Exactly one of session_id and session_hash is needed. An export may have record_id."
        )
        faults.append(RowFault(1, "", sentence))
    if missing := [column for column in RECORD_FIELDS if column not in columns]:
        faults.append(RowFault(1, "", f"Columns are missing: {', '.join(missing)}."))
    return faults


def _name_fault(columns: list[str], place: int, column: str) -> str:
    first = columns.index(column) + 1
    if first != place:
        return f"It has the same name as column {first}."
    try:
        validators.validate_attribute_name(attribute_of(column=column))
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
                attributes[attribute_of(column=column)] = cell
        except ValidationError as exc:
            faults.append(RowFault(number, column, exc.messages[0]))
    key = next((fields.pop(column) for column in KEY_COLUMNS if column in fields), "")
    return Row(number, key, {**fields, "attributes": attributes}, faults)


def _session_id(cell: str) -> str:
    validators.validate_text(cell)
    if not 0 < len(cell) <= MAX_SESSION_ID:
        raise ValidationError(f"A session id is 1 to {MAX_SESSION_ID} characters.")
    return hash_session(session_id=cell)


def _session_hash(cell: str) -> str:
    return key_for_hash(session_hash=validators.plain_hash(cell))


def _record_id(cell: str) -> str:
    try:
        return str(UUID(cell))
    except ValueError as exc:
        raise ValidationError("This is not a record id.") from exc


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
    "record_id": _record_id,
    "email": partial(_text, validators.MAX_EMAIL, validators.validate_address),
    "first_name": partial(_text, validators.MAX_FIRST_NAME, validators.validate_text),
    "tier": partial(_text, validators.MAX_TIER, validators.validate_text),
    "previous_tickets": _tickets,
}

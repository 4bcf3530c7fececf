"""A CSV file of CRM records, read once from front to back, each cell checked on the way.

Encoding, delimiter and header are found out, and can be said: `reading`, `labels`, `warnings`.
"""

import csv
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import IO

from backoffice.inert import original
from crm.imports import decoding, delimiters, formats
from crm.imports.cells import Row, read_row
from crm.imports.columns import KEY_COLUMNS, field_of, read_header
from crm.imports.doubts import DOUBTFUL, Doubts
from crm.imports.faults import BadLine, RowFault, Unreadable

MAX_ROW = decoding.MAX_LINE
# Enough for a header, of which a cell may have line breaks.
_HEAD_LINES = 20
_HEAD_CHARACTERS = 64 * 1024
_GUESSED = (
    f"The file is not UTF-8: its letters are read as {decoding.WINDOWS}, as spreadsheets in Western"
    " Europe write them. Are there others in it, save it anew as “CSV UTF-8”."
)
_NOT_CSV = "From here on this is not CSV: look for a quotation mark without its partner."


class CrmFile:
    """The rows of a CSV file; what else it knows of it, it knows once they are read.

    `labels` are those of the header as they stand in the file, `columns` what they are read as.
    """

    def __init__(self, *, content: IO[bytes]) -> None:
        self.labels: list[str] = []
        self.columns: list[str] = []
        self._doubts = Doubts()
        self._text = decoding.Lines(content=content)
        self._delimiter = ""
        self._key_place = -1
        self._row = 0
        self._row_length = 0

    @property
    def reading(self) -> str:
        """How the file is read, for people: ``UTF-16, parted by tabs``."""
        parted = f", parted by {delimiters.name_of(delimiter=self._delimiter)}"
        return self._text.encoding + (parted if self._delimiter else "")

    @property
    def is_plain(self) -> bool:
        """Whether the file is written as ours are, so that nothing had to be found out."""
        told = (self._text.encoding, self._delimiter, self.labels)
        return told == (decoding.UTF8, ",", self.columns)

    @property
    def sha256(self) -> str:
        """Hex digest of what was read so far: of the whole file once `rows` is exhausted."""
        return self._text.sha256

    @property
    def warnings(self) -> list[str]:
        """What people should look at before they import, a sentence each."""
        guessed = self._text.encoding == decoding.WINDOWS
        return [*([_GUESSED] if guessed else []), *self._doubts]

    @property
    def key_column(self) -> str:
        """The column that names the record of a row."""
        return next(column for column in self.columns if column in KEY_COLUMNS)

    def rows(self) -> Iterator[Row]:
        """Yield every row, blank ones too: however many there are, the caller keeps its turn.

        Raises Unreadable where the header is not one of CRM records, or it is no longer CSV.
        """
        lines = iter(self._text)
        try:
            measured = self._measured((yield from self._opening(lines)))
            reader = csv.reader(measured, strict=True, delimiter=self._delimiter)
            yield from self._read_rows(reader)
            if not self.columns:
                raise Unreadable(RowFault(0, "", formats.EMPTY))
        except csv.Error as exc:
            raise Unreadable(RowFault(self._row + 1, "", _NOT_CSV)) from exc
        except BadLine as exc:
            raise Unreadable(RowFault(self._row + 1, "", exc.sentence)) from exc

    def _opening(self, lines: Iterator[str]) -> Generator[Row, None, Iterator[str]]:
        """Yield the blank rows before the header; return the lines from it on."""
        named = ""
        for line in lines:
            if delimiters.is_blank(line=line):
                self._row += 1
                yield Row(self._row, "", {}, [])
            elif not named and (named := delimiters.named_delimiter(line=line)):
                continue  # not a row: spreadsheets do not show it
            else:
                head, rest = _parted(line, lines)
                self._delimiter = delimiters.delimiter_of(head=head, named=named)
                return chain(head, rest)
        raise Unreadable(RowFault(0, "", formats.EMPTY))

    def _read_rows(self, reader: Iterable[list[str]]) -> Iterator[Row]:
        for cells in reader:
            self._row += 1
            self._row_length = 0
            if not any(map(str.strip, cells)):
                yield Row(self._row, "", {}, [])
            elif not self.columns:
                self._read_header(cells)
            else:
                yield self._read_row(cells)

    def _read_header(self, cells: list[str]) -> None:
        if "session_id" not in [field_of(label=cell) for cell in cells]:
            cells = [original(cell) for cell in cells]
        while not cells[-1].strip():
            cells.pop()
        self.labels = [cell.strip() for cell in cells]
        self.columns = read_header(labels=self.labels, row=self._row)
        if "session_id" in self.columns:
            self._key_place = self.columns.index("session_id")

    def _read_row(self, cells: list[str]) -> Row:
        number, width = self._row, len(self.columns)
        if len(cells) != width and (len(cells) < width or any(map(str.strip, cells[width:]))):
            sentence = f"It has {len(cells)} cells where the header has {width}."
            return Row(number, "", {}, [RowFault(number, "", sentence)])
        # An export never has session ids: such a file is taken as it is.
        if self._key_place < 0:
            cells = [original(cell) for cell in cells]
        elif DOUBTFUL.fullmatch(cells[self._key_place]):
            self._doubts.note(session_id=cells[self._key_place], row=number)
        return read_row(number=number, cells=zip(self.columns, cells, strict=False))

    def _measured(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self._row_length += len(line)
            if self._row_length > MAX_ROW:
                raise BadLine(decoding.TOO_LONG)
            yield line


def _parted(line: str, lines: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """Return `line` with some that follow, and what comes after them, be it a BadLine."""
    head = [line]
    try:
        while len(head) < _HEAD_LINES and sum(map(len, head)) < _HEAD_CHARACTERS:
            head.append(next(lines))
    except StopIteration:
        return head, lines
    except BadLine as exc:
        return head, _raising(exc)
    return head, lines


def _raising(exc: BadLine) -> Iterator[str]:
    yield from ()
    raise exc

"""What is wrong with a file, by row and column, never by value: values are personal data.

Rows are numbered as a spreadsheet shows them: the header is mostly row 1, and a row may be of
several lines.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RowFault:
    """One fault in a file.

    `row` counts from 1 and is 0 for a fault of the whole file; `column` is empty for a whole row.
    """

    row: int
    column: str
    sentence: str

    def __str__(self) -> str:
        if not self.row:
            return self.sentence
        place = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{place}: {self.sentence}"


class Unreadable(Exception):
    """The file cannot be read any further; `faults` says why."""

    def __init__(self, *faults: RowFault) -> None:
        super().__init__(*faults)
        self.faults = faults


class BadLine(Exception):
    """The next line cannot be read: `sentence` says why. Whoever counts rows adds the number."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

"""What parts the cells of a file: as many programs, as many signs."""

import csv
import re
from collections.abc import Sequence

from crm.imports.columns import field_of

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# Excel's own line: it does not count as a row, and a spreadsheet may have filled it up with cells.
_SEP_LINE = re.compile(r'"?sep=(\t|[^\w\s"])"?\1*\s*', re.IGNORECASE)
_BLANK = re.compile(rf"(?:[\s{re.escape(''.join(_NAMES))}]|\"\")*+")


def is_blank(*, line: str) -> bool:
    """Tell whether `line` has nothing in its cells, whatever parts them."""
    return bool(_BLANK.fullmatch(line))


def named_delimiter(*, line: str) -> str:
    """Return the sign that a line ``sep=;`` names; empty where `line` is none."""
    found = _SEP_LINE.fullmatch(line)
    return found[1] if found else ""


def delimiter_of(*, head: Sequence[str], named: str = "") -> str:
    """Return the sign that makes most columns that we know of the header in `head`.

    `named`: what the file itself says. It is believed where the header does not speak against it.
    """
    signs: list[str] = [*named, *_NAMES]
    return max(signs, key=lambda sign: _known_and_all(head, sign))


def name_of(*, delimiter: str) -> str:
    """Return how people call what parts the cells."""
    return _NAMES.get(delimiter, f"“{delimiter}”")


def _known_and_all(head: Sequence[str], delimiter: str) -> tuple[int, int]:
    try:
        rows = csv.reader(head, delimiter=delimiter)
        cells = next((cells for cells in rows if any(map(str.strip, cells))), [])
    except csv.Error:
        return 0, 0
    return len({field_of(label=cell) for cell in cells} - {""}), len(cells)

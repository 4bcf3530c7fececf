"""Session ids that can be stored, but are hardly those of any visitor: worth a warning."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

_SHOWN_ROWS = 10
_AS_TEXT = (
    "Format the column as text in the spreadsheet before the ids come into it, and save it anew."
)
# What a spreadsheet makes of a session id, with the decimal sign of any language. Of a number it
# keeps 15 digits (IEEE 754).
_KINDS = {
    re.compile(r"[+-]?[0-9]+([.,][0-9]+)?E[+-]?[0-9]+"): (
        "the session id looks like a number that a spreadsheet has shortened, such as 1.23E+18."
        f" {_AS_TEXT}"
    ),
    re.compile(r"[1-9][0-9]{14}0+"): (
        f"the session id looks like a number whose last digits a spreadsheet has made 0. {_AS_TEXT}"
    ),
    re.compile(r"\s.*|.*\s", re.DOTALL): "the session id begins or ends with a blank.",
}
# At most one look at a row: nearly all are as they should be.
DOUBTFUL = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in _KINDS), re.DOTALL)


class Doubts:
    """The rows of a file that deserve a warning: how many, and the first of each kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._rows: defaultdict[str, list[int]] = defaultdict(list)

    def note(self, *, session_id: str, row: int) -> None:
        """Remember `row`, whose `session_id` is DOUBTFUL."""
        for pattern, sentence in _KINDS.items():
            if pattern.fullmatch(session_id):
                self._counts[sentence] += 1
                if len(self._rows[sentence]) < _SHOWN_ROWS:
                    self._rows[sentence].append(row)
                return

    def __iter__(self) -> Iterator[str]:
        """Yield a sentence for each kind, with its rows and without a value."""
        for sentence, count in self._counts.items():
            rows = [str(row) for row in self._rows[sentence]]
            if more := count - len(rows):
                rows.append(f"{more:,} more")
            *most, last = rows
            named = f"Rows {', '.join(most)} and {last}" if most else f"Row {last}"
            yield f"{named}: {sentence}"

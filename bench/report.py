"""Tables for a terminal and for docs/performance.md: plain text, right-aligned figures."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.candidates import FLOOR, OURS, PEER
from bench.rounds import Slices


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table under `title`."""
    lines = [f"\n{title}", "| " + " | ".join(head) + " |"]
    lines.append("| --- |" + " ---: |" * (len(head) - 1))
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def measured(title: str, found: Slices) -> str:
    """Return the medians of each candidate's slices; of the errors the sum, of memory the peak."""
    head = ("", "inits/s", "p50 ms", "p99 ms", "CPU ms", "servers' ms", "peak MB", "errors")
    rows = []
    for name, slices in found.items():
        medians = [
            statistics.median(getattr(each, column) for each in slices)
            for column in ("per_second", "p50", "p99", "cpu", "servers_cpu")
        ]
        peak, errors = max(each.peak_mb for each in slices), sum(each.errors for each in slices)
        rows.append((name, *medians, peak, errors))
    return table(title, head, rows)


@dataclass(frozen=True)
class Row:
    """What is compared: a column of `Slice`, and the ratios that are wanted of it."""

    what: str
    found: Slices
    column: str
    wanted: str = "–"


def ratios(rows: Iterable[Row]) -> str:
    """Return how near to floor and peer we are: medians, and the ratios of each round."""
    head = ("medians", OURS, FLOOR, PEER, "ours / floor", "ours / peer", "wanted")
    lines = []
    for row in rows:
        values = {
            name: [float(getattr(each, row.column)) for each in slices]
            for name, slices in row.found.items()
        }
        medians = [_median(values.get(name)) for name in (OURS, FLOOR, PEER)]
        spreads = [_spread(values[OURS], values.get(name)) for name in (FLOOR, PEER)]
        lines.append((row.what, *medians, *spreads, row.wanted))
    return table("Against the floor and the equal-work peer", head, lines)


def _median(values: Sequence[float] | None) -> float | str:
    return statistics.median(values) if values else "–"


def _spread(ours: Sequence[float], theirs: Sequence[float] | None) -> str:
    if not theirs or not all(theirs):
        return "–"
    found = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return f"{statistics.median(found):.2f} ({min(found):.2f}–{max(found):.2f})"


def counts(found: dict[str, dict[str, float]]) -> str:
    """Return what one init of each candidate says to its stores."""
    head = ("an init", *found)
    what = list(dict.fromkeys(name for counted in found.values() for name in counted))
    rows = [(name, *(counted.get(name, "–") for counted in found.values())) for name in what]
    return table("What an init says to its stores", head, rows)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

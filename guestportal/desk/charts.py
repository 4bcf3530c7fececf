"""Charts as SVG: geometry only. Colours are the style sheet's, words the template's."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 140
# Where an axis may end: half of it is a whole number too, from 2 on.
_ENDS = (2, 4, 6, 8, 10)


@dataclass(frozen=True)
class Bar:
    """One column of a bar chart, and `bad`, the part of it that is drawn over it, from below.

    `left` and `step` are the strip of the chart that is the column's; lengths in the chart's units.
    """

    left: float
    step: float
    x: float
    width: float
    y: float
    height: float
    bad_y: float
    bad_height: float
    label: str


@dataclass(frozen=True)
class Point:
    """One point of a line, in the strip of the chart from `left` on, `step` wide, that is its."""

    left: float
    step: float
    x: float
    y: float
    label: str


def end_of_axis(*, most: float) -> int:
    """Return the round number at which an axis ends that shows `most`."""
    unit = 1
    while most > _ENDS[-1] * unit:
        unit *= 10
    return next(end * unit for end in _ENDS if end * unit >= most)


def bars(
    *, values: Sequence[float], bad: Sequence[float], labels: Sequence[str], end: float
) -> list[Bar]:
    """Return columns; `end` is the value of the chart's full height."""
    step = WIDTH / max(1, len(values))
    found = []
    for index, (value, part, label) in enumerate(zip(values, bad, labels, strict=True)):
        left, y, bad_y = index * step, _down(value, end), _down(part, end)
        sizes = (left, step, left + step * 0.1, step * 0.8, y, HEIGHT - y, bad_y, HEIGHT - bad_y)
        found.append(Bar(*(round(size, 2) for size in sizes), label=label))
    return found


def points(*, values: Sequence[float | None], labels: Sequence[str], end: float) -> list[Point]:
    """Return a point for each of `values` that is not None."""
    step = WIDTH / max(1, len(values))
    return [
        Point(
            round(index * step, 2),
            round(step, 2),
            round((index + 0.5) * step, 2),
            round(_down(value, end), 2),
            label,
        )
        for index, (value, label) in enumerate(zip(values, labels, strict=True))
        if value is not None
    ]


def line(*, points: Sequence[Point]) -> str:
    """Return the ``d`` of a path through `points`, lifted where one is missing between two."""
    path = ""
    for before, point in zip([None, *points], points, strict=False):
        beside = before is not None and point.left - before.left < point.step * 1.5
        path += f"{'L' if beside else 'M'}{point.x} {point.y}"
    return path


def _down(value: float, end: float) -> float:
    """Return how far below the chart's upper edge `value` is."""
    return HEIGHT - HEIGHT * value / end

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
    return [
        Bar(
            left=round(index * step, 2),
            step=round(step, 2),
            x=round((index + 0.1) * step, 2),
            width=round(step * 0.8, 2),
            y=_down(value, end),
            height=round(HEIGHT - _down(value, end), 2),
            bad_y=_down(part, end),
            bad_height=round(HEIGHT - _down(part, end), 2),
            label=label,
        )
        for index, (value, part, label) in enumerate(zip(values, bad, labels, strict=True))
    ]


def points(*, values: Sequence[float | None], labels: Sequence[str], end: float) -> list[Point]:
    """Return a point for each of `values` that is not None."""
    step = WIDTH / max(1, len(values))
    return [
        Point(
            left=round(index * step, 2),
            step=round(step, 2),
            x=round((index + 0.5) * step, 2),
            y=_down(value, end),
            label=label,
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
    return round(HEIGHT - HEIGHT * value / end, 2)

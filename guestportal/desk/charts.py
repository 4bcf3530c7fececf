"""Charts as SVG: geometry only. Colours are the style sheet's, words the template's."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 140


@dataclass(frozen=True)
class Bar:
    """One column of a bar chart; lengths in the chart's units."""

    x: float
    y: float
    width: float
    height: float
    label: str


def bars(*, values: Sequence[float], labels: Sequence[str], most: float = 0) -> list[Bar]:
    """Return columns that fill the chart; `most` is the value of its full height."""
    top = max([most, *values]) or 1
    step = WIDTH / max(1, len(values))
    return [
        Bar(
            x=round(index * step + step * 0.1, 2),
            y=round(HEIGHT - HEIGHT * value / top, 2),
            width=round(step * 0.8, 2),
            height=round(HEIGHT * value / top, 2),
            label=label,
        )
        for index, (value, label) in enumerate(zip(values, labels, strict=True))
    ]


def line(*, values: Sequence[float | None], most: float) -> str:
    """Return the ``d`` of a path through `values`, lifted where one is None."""
    step = WIDTH / max(1, len(values))
    path, pen_down = [], False
    for index, value in enumerate(values):
        if value is not None:
            x, y = (index + 0.5) * step, HEIGHT - HEIGHT * value / most
            path.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = value is not None
    # A stroke with round ends shows a single point as a dot.
    return " ".join(path) + ("" if len(path) != 1 else " h0.01")

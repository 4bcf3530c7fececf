"""Tables for a terminal and for docs/performance.md: plain text, right-aligned figures."""

from collections.abc import Iterable, Sequence

from bench.growth import Growth
from bench.limits import Overload
from bench.rounds import Measured


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table under `title`."""
    lines = [f"\n{title}", "| " + " | ".join(head) + " |"]
    lines.append("| --- |" + " ---: |" * (len(head) - 1))
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def measured(title: str, results: Sequence[Measured]) -> str:
    """Return what each candidate did, and our share of the last one, the seed, where it ran."""
    head = ("", "inits/s", "p50 ms", "p99 ms", "CPU ms/init", "peak MB", "errors")
    rows = [
        (each.name, each.per_second, each.p50, each.p99, each.cpu_ms, each.peak_mb, each.errors)
        for each in results
    ]
    *ours, other = rows
    if other[0].startswith("seed"):
        rows += [(f"{row[0]} / seed", *_ratios(row, other), "") for row in ours]
    return table(title, head, rows)


def overloads(results: dict[str, Overload]) -> str:
    """Return what came of twice the limit."""
    head = ("", "good inits", "calls", "wasted on 429", "wasted %", "used %", "p50 ms")
    return table(
        "Visitors at twice the platform's limit, 20 s",
        head,
        [
            (
                name, each.good, each.calls, each.wasted,
                100 * each.wasted / max(1, each.calls), 100 * each.used, each.p50,
            )
            for name, each in results.items()
        ],
    )  # fmt: skip


def growth(found: Growth) -> str:
    """Return both medians, how the tables are reached, and what a row costs."""
    lines = [
        f"\nGrowth: median init {found.few_ms} ms with 1,000 creations, {found.many_ms} ms with"
        f" {found.many:,}: ratio {found.many_ms / max(0.01, found.few_ms):.2f}",
        f"large tables read from end to end: {', '.join(found.whole_reads) or 'none'}",
        *(f"  {plan}" for plan in found.many_plans),
    ]
    rows = [
        (name, count, data / max(1, count), indexes / max(1, count))
        for name, (count, data, indexes) in found.sizes.items()
    ]
    head = ("PostgreSQL table", "rows", "bytes/row", "index bytes/row")
    return "\n".join(lines) + "\n" + table("Storage", head, rows)


def _ratios(row: Sequence[object], other: Sequence[object]) -> list[object]:
    return [
        float(ours) / float(theirs) if theirs else ""  # type: ignore[arg-type]
        for ours, theirs in zip(row[1:6], other[1:6], strict=True)
    ]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

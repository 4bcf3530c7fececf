"""From a thousand stored creations to a million: the same plans, the same speed?

BENCH_CREATIONS says to how many; 0 leaves it out.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import report
from tests.support import load, machine
from tests.support.machine import postgres_database
from tests.support.sandbox import running_sandbox
from tests.support.service import ROOT, Service, running_service

CREATIONS = int(os.environ.get("BENCH_CREATIONS", 1_000_000))
_SAMPLES = 300


@dataclass(frozen=True)
class Growth:
    """Median init in milliseconds, and how the large tables are reached: 1,000 and `many` rows."""

    many: int
    few_ms: float
    many_ms: float
    few_plans: list[str]
    many_plans: list[str]
    sizes: dict[str, tuple[int, int, int]]

    @property
    def whole_reads(self) -> list[str]:
        """Return the large tables that an init reads from end to end with many rows."""
        return [plan for plan in self.many_plans if "reading all" in plan]


def run(folder: Path, *, progress: Callable[[str], None]) -> None:
    """Print both medians, how the tables are reached, and what a row costs."""
    if not CREATIONS or not machine.is_up():
        return
    with running_sandbox() as sandbox:
        found = measure(folder / "growth", sandbox.url, many=CREATIONS, progress=progress)
    print(
        f"\nGrowth: median init {found.few_ms} ms with 1,000 creations, {found.many_ms} ms with"
        f" {found.many:,}: ratio {found.many_ms / max(0.01, found.few_ms):.2f}"
    )
    print(f"large tables read from end to end: {', '.join(found.whole_reads) or 'none'}")
    for plan in found.many_plans:
        print(f"  {plan}")
    rows = [
        (name, count, data / max(1, count), indexes / max(1, count))
        for name, (count, data, indexes) in found.sizes.items()
    ]
    head = ("PostgreSQL table", "rows", "bytes/row", "index bytes/row")
    print(report.table("Storage", head, rows), flush=True)


def measure(
    folder: Path, platform_url: str, *, many: int, progress: Callable[[str], None]
) -> Growth:
    """Fill a database of its own to a thousand, then to `many` creations; measure at both."""
    folder.mkdir()
    with (
        postgres_database() as url,
        running_service(folder, platform_url, DATABASE_URL=url) as service,
    ):
        load.run(service.init_url, requests=20)
        progress("growth: 1,000 creations")
        _million(service, "fill", 1000)
        few_plans = _million(service, "plans")
        few = load.run(service.init_url, requests=_SAMPLES)
        progress(f"growth: {many:,} creations")
        _million(service, "fill", many)
        _million(service, "events", many // 10)
        many_plans = _million(service, "plans")
        again = load.run(service.init_url, requests=_SAMPLES)
        sizes = _million(service, "sizes")
        return Growth(many, few.p50, again.p50, few_plans, many_plans, sizes)


def _million(service: Service, *arguments: object) -> Any:
    command = [sys.executable, "-m", "bench.million", *map(str, arguments)]
    quiet = service.env | {"LOG_LEVEL": "WARNING"}
    done = subprocess.run(
        command, cwd=ROOT, env=quiet, stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])

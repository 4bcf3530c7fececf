"""`python -m bench speed`: an init beside its floor and its equal-work peer, under six loads."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import candidates, report, rounds
from bench.candidates import FLOOR, OURS, Candidate
from bench.report import Row
from tests.support import machine
from tests.support.sandbox import running_sandbox

SLICES = int(os.environ.get("BENCH_SLICES", rounds.SLICES))
Compare = Callable[..., rounds.Slices]


def run(folder: Path, *, progress: Callable[[str], None]) -> None:
    """Print what each did under each load, and last how near we are."""

    def compare(found: list[Candidate], clients: int, where: str, least: int = 0) -> rounds.Slices:
        slices = rounds.compare(
            found, clients=clients, least=least, slices=SLICES, progress=progress
        )
        visitors = f"{clients:,} clients" if clients > 1 else "1 client"
        print(report.measured(f"{visitors}, {where}", slices), flush=True)
        return slices

    rows = [*_sqlite(folder, compare)]
    if machine.is_up():
        rows += [*_servers(folder, compare), *_far_platform(folder, compare)]
    print(report.ratios(rows), flush=True)


def _sqlite(folder: Path, compare: Compare) -> Iterator[Row]:
    with _running(folder / "sqlite") as found:
        crowd = compare(found, 32, "SQLite")
        yield Row("CPU ms of an init, 32 clients, SQLite", crowd, "cpu", "≤ 1.0; ≤ 2.0")
        alone = compare(found, 1, "SQLite")
        yield Row("p50 ms, 1 client, SQLite", alone, "p50", "≤ 1.15; ≤ 1.8")


def _servers(folder: Path, compare: Compare) -> Iterator[Row]:
    with _running(folder / "servers", stores=candidates.postgresql_and_redis) as found:
        crowd = compare(found, 32, "PostgreSQL + Redis")
        yield Row(
            "CPU ms of an init, 32 clients, PostgreSQL + Redis", crowd, "cpu", "≤ 1.2; ≤ 2.75"
        )
        yield Row("… the servers' CPU beside it", crowd, "servers_cpu")
        alone = compare(found, 1, "PostgreSQL + Redis")
        yield Row("p50 ms, 1 client, PostgreSQL + Redis", alone, "p50", "≤ 1.3; ≤ 1.5")


def _far_platform(folder: Path, compare: Compare) -> Iterator[Row]:
    """As in production: two processes, and a platform that takes 100 ms for a call."""
    stores = candidates.postgresql_and_redis
    with _running(folder / "far", "--latency-ms=100", stores=stores, processes=2) as found:
        where = "PostgreSQL + Redis, 2 processes, platform at 100 ms"
        crowd = compare(found, 200, where)
        yield Row("inits/s, 200 clients, 100 ms, 2 processes", crowd, "per_second", "≥ 0.85; ≥ 0.5")
        tail = [each for each in found if each.name in (OURS, FLOOR)]
        throng = compare(tail, 1000, where, least=2000)
        yield Row("p99 ms, 1,000 clients, 100 ms, 2 processes", throng, "p99", "≤ 1.5")
        yield Row("… peak MB of all web processes", throng, "peak_mb", "ours ≤ 450")
        yield Row("… errors in a slice", throng, "errors", "ours 0")


@contextmanager
def _running(
    folder: Path,
    *options: str,
    stores: candidates.Stores = candidates.sqlite,
    processes: int = 1,
) -> Iterator[list[Candidate]]:
    with (
        running_sandbox(*options) as sandbox,
        candidates.running(folder, sandbox.url, stores=stores, processes=processes) as found,
    ):
        found[0].service.spawn("manage.py", "housekeeping")
        yield found

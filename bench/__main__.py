"""`make bench`: run everything, one after the other, and print the figures.

SEED=/path/to/app.js      the seed's program, with its packages beside it, for the ratios
BENCH_ROUNDS=5            rounds; the figures are their medians
BENCH_CREATIONS=1000000   stored creations at which growth is measured; 0 leaves it out
"""

import os
import platform
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from bench import candidates, growth, limits, report, rounds, verifying
from bench.candidates import Candidate
from tests.support import load, machine
from tests.support.sandbox import Sandbox, running_sandbox

ROUNDS = int(os.environ.get("BENCH_ROUNDS", rounds.ROUNDS))
CREATIONS = int(os.environ.get("BENCH_CREATIONS", 1_000_000))


def main() -> None:
    """Measure in the order of the targets; each part starts what it needs and stops it."""
    python = sys.version.split()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {python}, {ROUNDS} rounds")
    print(f"load before: {os.getloadavg()[0]:.1f}; all on this machine: compare, do not quote")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _at_once(Path(folder))
        _at_100_ms(Path(folder))
        _limits(Path(folder))
        if CREATIONS and machine.is_up():
            _growth(Path(folder))
        verifying.run(Path(folder), progress=_progress)


def _at_once(folder: Path) -> None:
    """One process on SQLite against a platform that answers at once: CPU and overhead."""
    with running_sandbox() as sandbox, ExitStack() as stack:
        running = [stack.enter_context(candidates.embedded(folder / "embedded", sandbox.url))]
        running += _seed(stack, sandbox)
        _platforms_own(sandbox)
        for clients, requests in ((1, 300), (32, 1500)):
            found = rounds.compare(
                running, clients=clients, requests=requests, rounds=ROUNDS, progress=_progress
            )
            print(report.measured(f"{clients} clients, platform at once", found), flush=True)


def _at_100_ms(folder: Path) -> None:
    """As in production, against a platform that takes 100 ms a call: throughput and memory."""
    with running_sandbox("--latency-ms", "100") as sandbox, ExitStack() as stack:
        start = candidates.production if machine.is_up() else candidates.embedded
        running = [stack.enter_context(start(folder / "production", sandbox.url))]
        running += _seed(stack, sandbox)
        for clients, requests in ((200, 4000), (1000, 6000)):
            found = rounds.compare(
                running, clients=clients, requests=requests, rounds=ROUNDS, progress=_progress
            )
            print(report.measured(f"{clients} clients, platform at 100 ms", found), flush=True)


def _limits(folder: Path) -> None:
    names = ["ours", *(["seed"] if candidates.seed_path() else [])]
    with running_sandbox() as sandbox:
        for name in names:
            _progress(f"cold start: {name}")
            start = partial(_start, name, folder / "cold", sandbox.url)
            calls, cold = limits.cold_token_calls(start, sandbox)
            print(f"\n{limits.COLD} cold inits, {name}: {calls} token calls, {cold.errors} errors")
    with running_sandbox("--rate-per-minute", str(limits.RATE_PER_MINUTE)) as sandbox:
        found = {}
        for name in names:
            _progress(f"twice the limit: {name}")
            rate = str(limits.RATE_PER_MINUTE)
            start = partial(
                _start, name, folder / "limit", sandbox.url, GENESYS_RATE_PER_MINUTE=rate
            )
            found[name] = limits.overload(start, sandbox)
        print(report.overloads(found), flush=True)


def _start(name: str, folder: Path, url: str, **settings: str) -> AbstractContextManager[Candidate]:
    if name == "seed":
        return candidates.seed(candidates.seed_path(), url)
    start = candidates.production if machine.is_up() else candidates.embedded
    return start(folder, url, **settings)


def _growth(folder: Path) -> None:
    with running_sandbox() as sandbox:
        found = growth.measure(folder / "growth", sandbox.url, many=CREATIONS, progress=_progress)
    print(report.growth(found), flush=True)


def _seed(stack: ExitStack, sandbox: Sandbox) -> list[Candidate]:
    path = candidates.seed_path()
    if not path:
        print("without the seed: set SEED=/path/to/app.js, and have Node")
        return []
    return [stack.enter_context(candidates.seed(path, sandbox.url))]


def _platforms_own(sandbox: Sandbox) -> None:
    """Print what two calls of the platform itself take: an init cannot be faster."""
    alone = load.run(
        f"{sandbox.url}/oauth/token",
        requests=300,
        body="grant_type=client_credentials&client_id=b&client_secret=b",
    )
    print(f"the platform's own time for the two calls of an init: {2 * alone.p50:.2f} ms (p50)")


def _progress(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""`make soak`: our service for half an hour at 10 % faults; does anything grow?

SOAK_MINUTES=30 · SOAK_RATE=20 inits a second. Every tenth call of the platform fails, in six ways.
Prints memory, file descriptors and threads of all processes over time, and whether each is flat:
the last third against the middle one, since the first still warms up.
"""

import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import candidates, interpreter
from bench.candidates import Candidate
from tests.support import load
from tests.support.sandbox import running_sandbox

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
RATE = float(os.environ.get("SOAK_RATE", "20"))
# A growth below this share is allocation noise, above it a leak.
TOLERANCE = 0.05
_KINDS: tuple[dict[str, object], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "reset", "process": True},
    {"kind": "close"},
    {"kind": "garbage", "shape": "html"},
    {"kind": "delay", "seconds": 3},
)
# One in ten calls fails: 1/53 + 1/59 + … + 1/73 = 0.095. Primes, so that the kinds seldom meet.
_EVERY = (53, 59, 61, 67, 71, 73)


@dataclass(frozen=True)
class Sample:
    """All processes of the service at one moment."""

    seconds: float
    megabytes: float
    descriptors: int
    threads: int


def main() -> None:
    """Run the load and the watch side by side, then judge."""
    print(interpreter.heading(), flush=True)
    seconds = MINUTES * 60
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_sandbox() as sandbox,
        candidates.ours(Path(folder) / "soak", sandbox.url) as candidate,
    ):
        sandbox.faults(
            [{"every": every, **kind} for every, kind in zip(_EVERY, _KINDS, strict=True)]
        )
        statuses: Counter[int | str] = Counter()
        visitors = threading.Thread(target=_visit, args=(candidate, seconds, statuses))
        visitors.start()
        samples = _watch(candidate, visitors, max(2.0, seconds / 60))
        visitors.join()
    print(f"answers by status: {dict(statuses)}")
    for name in ("megabytes", "descriptors", "threads"):
        _judge(name, [getattr(sample, name) for sample in samples])


def _visit(candidate: Candidate, seconds: float, statuses: Counter[int | str]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        part = min(60.0, max(1.0, end - time.monotonic()))
        result = load.run(candidate.init_url, requests=int(RATE * part), rate=RATE)
        statuses.update(result.statuses)
        statuses["broken"] += result.broken


def _watch(candidate: Candidate, visitors: threading.Thread, every: float) -> list[Sample]:
    samples = []
    started = time.monotonic()
    while visitors.is_alive():
        visitors.join(every)
        sample = _sample(candidate.tree(), time.monotonic() - started)
        samples.append(sample)
        print(
            f"{sample.seconds:7.0f} s  {sample.megabytes:7.1f} MB"
            f"  {sample.descriptors:5} descriptors  {sample.threads:3} threads",
            flush=True,
        )
    return samples


def _sample(tree: list[psutil.Process], seconds: float) -> Sample:
    return Sample(
        seconds,
        sum(each.memory_info().rss for each in tree) / 2**20,
        sum(each.num_fds() for each in tree),
        sum(each.num_threads() for each in tree),
    )


def _judge(name: str, values: list[float]) -> None:
    third = max(1, len(values) // 3)
    before = statistics.median(values[third : 2 * third] or values)
    after = statistics.median(values[-third:])
    growth = after / before - 1 if before else 0.0
    verdict = "flat" if growth <= TOLERANCE else "GROWS"
    print(f"{name}: {before:.1f} → {after:.1f}, {growth:+.1%}: {verdict}")


if __name__ == "__main__":
    main()

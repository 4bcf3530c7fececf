"""Candidates under one load, in turn: times, CPU, memory; and the ratios between them.

All are alive at once. In each round each is loaded for a slice, in random order, and warmed for two
seconds before it: an idle Node grows cold, which would flatter us.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bench.candidates import Candidate
from tests.support import load

SLICES = 5
WARM_SECONDS = 2.0
SLICE_SECONDS = 3.0
_SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Slice:
    """One candidate under one load: milliseconds, CPU milliseconds of an init, megabytes."""

    per_second: float
    p50: float
    p99: float
    errors: int
    cpu: float
    servers_cpu: float
    peak_mb: float


# By candidate, a slice a round: the slices of one round belong together.
Slices = dict[str, list[Slice]]


def compare(
    candidates: Sequence[Candidate],
    *,
    clients: int,
    progress: Callable[[str], None],
    least: int = 0,
    slices: int = SLICES,
) -> Slices:
    """Load each candidate once in each round, with at least so many inits."""
    found: Slices = {each.name: [] for each in candidates}
    for number in range(slices):
        for candidate in random.sample(candidates, len(candidates)):
            progress(f"{clients} clients, slice {number + 1} of {slices}: {candidate.name}")
            found[candidate.name].append(_slice(candidate, clients, least))
    return found


def _slice(candidate: Candidate, clients: int, least: int) -> Slice:
    with load.during(candidate.init_url, clients=clients, pause=0) as warming:
        time.sleep(WARM_SECONDS)
    requests = max(least, int(warming[0].per_second * SLICE_SECONDS), 20)
    tree, servers = _Cpu(candidate.tree), _Cpu(candidate.servers)
    with _peak(candidate) as peak:
        done = load.run(candidate.init_url, clients=clients, requests=requests)
    return Slice(
        per_second=done.per_second,
        p50=done.p50,
        p99=done.p99,
        errors=done.errors,
        cpu=1000 * tree.seconds() / requests,
        servers_cpu=1000 * servers.seconds() / requests,
        peak_mb=max(peak) / 2**20,
    )


class _Cpu:
    """User and system time that processes use from now on."""

    def __init__(self, processes: Callable[[], list[psutil.Process]]) -> None:
        self._processes = processes
        self._before = self._now()

    def seconds(self) -> float:
        return sum(used - self._before.get(pid, 0) for pid, used in self._now().items())

    def _now(self) -> dict[int, float]:
        times = {each.pid: each.cpu_times() for each in self._processes()}
        return {pid: each.user + each.system for pid, each in times.items()}


@contextmanager
def _peak(candidate: Candidate) -> Iterator[list[int]]:
    """Sample the tree's memory while the block runs."""
    samples = [candidate.memory()]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            samples.append(candidate.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield samples
    finally:
        ended.set()
        watcher.join()

"""One candidate under one load: times, CPU, memory. Rounds alternate between the candidates."""

import statistics
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.candidates import Candidate
from tests.support import load
from tests.support.load import Load

ROUNDS = 5
_SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Measured:
    """The medians of the rounds for one candidate under one load."""

    name: str
    per_second: float
    p50: float
    p99: float
    cpu_ms: float
    peak_mb: float
    errors: int


def compare(
    candidates: Sequence[Candidate],
    *,
    clients: int,
    requests: int,
    progress: Callable[[str], None],
    rounds: int = ROUNDS,
) -> list[Measured]:
    """Measure each candidate once in each round, in turn; return the medians."""
    samples: dict[str, list[tuple[Load, float, float]]] = {each.name: [] for each in candidates}
    for number in range(rounds):
        for candidate in candidates:
            progress(f"{clients} clients, round {number + 1}: {candidate.name}")
            load.run(candidate.init_url, clients=min(clients, 20), requests=40)
            samples[candidate.name].append(_once(candidate, clients, requests))
    return [_median(name, taken, requests) for name, taken in samples.items()]


def _once(candidate: Candidate, clients: int, requests: int) -> tuple[Load, float, float]:
    before = candidate.cpu_seconds()
    with _peak(candidate) as peak:
        result = load.run(candidate.init_url, clients=clients, requests=requests)
    return result, candidate.cpu_seconds() - before, max(peak) / 2**20


def _median(name: str, taken: list[tuple[Load, float, float]], requests: int) -> Measured:
    def median(values: Iterator[float]) -> float:
        return statistics.median(values)

    return Measured(
        name=name,
        per_second=median(result.per_second for result, _, _ in taken),
        p50=median(result.p50 for result, _, _ in taken),
        p99=median(result.p99 for result, _, _ in taken),
        cpu_ms=median(1000 * cpu / requests for _, cpu, _ in taken),
        peak_mb=max(peak for _, _, peak in taken),
        errors=sum(result.errors for result, _, _ in taken),
    )


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

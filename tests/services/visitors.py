"""Visitors who come while servers are killed, and a stopwatch for what comes back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.load import Tally, until
from tests.support.service import Service

HEALS_WITHIN = 10  # seconds


@contextmanager
def load(service: Service, *, pause: float = 0.05, **headers: str) -> Iterator[list[Tally]]:
    """Let eight visitors come and come again, `pause` seconds after each answer, while the block
    runs; then their tally is there."""
    stop, tallies = threading.Event(), []
    visitors = threading.Thread(
        target=lambda: tallies.append(
            until(service.url, visitors=8, stop=stop, pause=pause, **headers)
        )
    )
    visitors.start()
    try:
        yield tallies
    finally:
        stop.set()
        visitors.join()


def wait(seconds: float) -> None:
    """Let the load go on for a while."""
    threading.Event().wait(seconds)


def time_until(good: Callable[[], bool]) -> float:
    """Return the seconds until `good` holds."""
    started = time.monotonic()
    while not good():
        assert time.monotonic() - started < 60
        wait(0.1)
    return time.monotonic() - started

"""A stopwatch for what comes back after servers were killed."""

import threading
import time
from collections.abc import Callable

HEALS_WITHIN = 10  # seconds


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

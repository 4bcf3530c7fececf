"""How many inits one process works on at once; beyond it an honest no, at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from provisioning.metrics import IN_FLIGHT


class Overloaded(Exception):
    """MAX_IN_FLIGHT inits are under way in this process."""


_lock = threading.Lock()
_count = 0


@contextmanager
def counted() -> Iterator[None]:
    """Count one init while it is worked on. Raises Overloaded beyond MAX_IN_FLIGHT."""
    global _count
    with _lock:
        if _count >= settings.MAX_IN_FLIGHT:
            raise Overloaded
        _count += 1
    IN_FLIGHT.inc()
    try:
        yield
    finally:
        IN_FLIGHT.dec()
        with _lock:
            _count -= 1


def count() -> int:
    """Return how many inits this process is working on."""
    return _count

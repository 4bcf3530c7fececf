"""How long the visitor still waits for this answer: every wait on its way asks.

Set once where a webchat call comes in; read by whatever waits for a helper service (the database's
driver, the broker's client). The platform's client has a deadline of its own, which ends first.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# What is left for the last words after the time is up, such as writing down how a call ended.
LAST_WORDS_SECONDS = 0.3
_ends_at: ContextVar[float | None] = ContextVar("answer_ends_at", default=None)


@contextmanager
def answer_within(seconds: float) -> Iterator[None]:
    """Give the block `seconds`; waits in it that ask `time_left` end with them."""
    before = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(before)


def time_left() -> float | None:
    """Return the seconds a wait may take, never less than the last words; None: nobody waits."""
    ends_at = _ends_at.get()
    if ends_at is None:
        return None
    return max(ends_at - time.monotonic(), LAST_WORDS_SECONDS)

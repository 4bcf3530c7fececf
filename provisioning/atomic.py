"""Steps on values that all processes share, each done at once and measured by one clock.

In Redis a step is a script, and its `now` is Redis' own time: machines whose clocks differ serve
alike. In one process's memory it is a function, on the monotonic clock, which no correction of the
wall clock moves. Both stand side by side wherever a step is defined, and a test holds them to one
another. The cache runs them (`guestportal.stores.cache`).
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.core.cache import cache

Value = str | float
Fields = dict[str, Value]
Done = tuple[list[Value], float]  # the answer, and for how many seconds the fields are kept
MOST_KEYS = 100_000
_NOW = """
if redis.replicate_commands then redis.replicate_commands() end -- Redis before 7
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local function text(number) return string.format('%.6f', number) end
"""


class Memory:
    """What one process keeps: fields by key, each key with its end on the monotonic clock."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Fields]] = {}
        self._lock = threading.Lock()

    def run(self, step: "Step", key: str, values: Sequence[Value]) -> list[Value]:
        """Do `step` on the fields of `key`, which it may change."""
        with self._lock:
            now = time.monotonic()
            ends_at, fields = self._kept.pop(key, (0.0, {}))
            if ends_at <= now:
                ends_at, fields = now, {}
            answer, seconds = step.in_memory(fields, ends_at, now, values)
            if fields:
                self._kept[key] = (now + seconds if seconds else ends_at, fields)
            while len(self._kept) > MOST_KEYS:  # the ones that nobody used for longest
                del self._kept[next(iter(self._kept))]
            return answer

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


@dataclass(frozen=True)
class Step:
    """One step on the fields of a key.

    `lua` is a script body: KEYS[1] is a hash, ARGV the values, `now` in seconds, `text` writes a
    number with its microseconds; it returns a list of texts. `in_memory` is its twin: it gets the
    fields, the moment at which they end, `now` and the values, and returns the list and for how
    many seconds the fields are kept from now on (0: until they would have ended).
    """

    name: str
    lua: str
    in_memory: Callable[[Fields, float, float, Sequence[Value]], Done]

    @property
    def script(self) -> str:
        """The whole script, as Redis gets it."""
        return _NOW + self.lua

    def run(self, *, key: str, values: Sequence[Value] = ()) -> list[Any]:
        """Do the step where the cache is: texts or numbers, as either twin answers them."""
        return cast(list[Any], cache.run_step(self, key, values))  # type: ignore[attr-defined]


def number(value: Value | None) -> float:
    """Return a field or an answer as a number; 0 where there is none."""
    return float(value) if value not in (None, "") else 0.0

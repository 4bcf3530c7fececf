"""The one gate before the platform: may it be called now, and if not, when?

A bucket says how fast we may call; a moment before which nobody calls is set by ``Retry-After``
and a used-up ``inin-ratelimit-*`` allowance (wait for it), or by repeated failures (then one call
goes first). All of it lives in Django's cache: in Redis the processes share one gate, in memory
each has its own.

The bucket is the generic cell rate algorithm (ITU-T I.371): one number, the time at which all that
was promised will have been sent, moved on by an atomic increment. Times are wall-clock
microseconds, since machines share them.
"""

import math
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from django.core.cache import cache

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Busy, PlatformError, Unavailable
from provisioning.genesys.transport import Answer

FAILURES_TO_CLOSE = 5
LONGEST_OUTAGE_SECONDS = 5.0
LONGEST_RETRY_AFTER_SECONDS = 300.0
DEFAULT_RETRY_AFTER_SECONDS = 2.0
# What must be left of the deadline for each call itself after a wait at the gate.
CALL_SECONDS = 1.0
PROBE_SECONDS = 10
_SLOTS, _LIMITED, _OUTAGE = "gate:slots", "gate:limited", "gate:outage"
_FAILURES, _PROBE, _ALLOWED = "gate:failures", "gate:probe", "gate:allowed"
_MICRO = 1_000_000


@dataclass(frozen=True)
class GateState:
    """What the gate says now, for health pages: `retry_after` seconds, 0 when open."""

    is_open: bool
    reason: str
    retry_after: float
    failures: int
    rate_per_minute: int
    calls_free: float


class Gate:
    """Decide whether the platform may be called; `rate_per_minute` 0 sets no rate of ours."""

    def __init__(self, *, rate_per_minute: int) -> None:
        self._configured = rate_per_minute
        self._troubled = False  # failures are on record: the next success wipes them
        self._allowed = 0  # the platform's own limit, as last told

    def reserve(self, *, calls: int, deadline: Deadline) -> "Reservation":
        """Reserve `calls`, waiting where that ends in time; 0: one that counts for no rate.

        An init reserves all its calls at once, so that no guest is made that cannot get a token.
        Raises Busy or Unavailable at once, with `retry_after`, when the wait would be too long.
        """
        found = cache.get_many([_OUTAGE, _FAILURES, _LIMITED, _ALLOWED])
        self._pass_outage(found)
        _pass_limit(found.get(_LIMITED), deadline)
        rate = self._rate(found.get(_ALLOWED))
        if calls and rate and (wait := _reserve(calls, rate, deadline)):
            deadline.sleep(wait)
            _pass_limit(cache.get(_LIMITED), deadline)  # one may have been set while we waited
        return Reservation(self, calls)

    def report(self, outcome: Answer | PlatformError) -> None:
        """Learn from what came of a call."""
        if isinstance(outcome, PlatformError) or outcome.status >= 500:
            self._count_failure()
            return
        if self._troubled:
            cache.delete_many([_FAILURES, _PROBE, _OUTAGE])
            self._troubled = False
        limit = _limit_from(outcome)
        if outcome.status == 429 or limit.exhausted:
            wait = retry_after(outcome.headers) if outcome.status == 429 else limit.reset
            cache.set(_LIMITED, time.time() + wait, math.ceil(wait))
        if limit.allowed and limit.allowed != self._allowed:
            self._allowed = limit.allowed
            cache.set(_ALLOWED, limit.allowed, 3600)

    def state(self) -> GateState:
        """Return the gate's state without changing it."""
        now = time.time()
        found = cache.get_many([_LIMITED, _OUTAGE, _FAILURES, _SLOTS, _ALLOWED])
        limited = max(0.0, found.get(_LIMITED, 0.0) - now)
        outage = _OUTAGE in found
        until = found[_OUTAGE][0] if outage else 0.0
        rate = self._rate(found.get(_ALLOWED))
        free = 0.0
        if rate:
            busy = max(0.0, found.get(_SLOTS, 0) / _MICRO - now) * rate / 60
            free = max(0.0, _capacity(rate) - busy)
        return GateState(
            is_open=not outage and not limited,
            reason="outage" if outage else "limit" if limited else "",
            retry_after=max(limited, until - now, 0.0),
            failures=int(found.get(_FAILURES, 0)),
            rate_per_minute=rate,
            calls_free=free,
        )

    def _pass_outage(self, found: Mapping[str, Any]) -> None:
        """Let one call try a platform that has been failing. Raises Unavailable for the others."""
        self._troubled = self._troubled or _OUTAGE in found or _FAILURES in found
        if _OUTAGE not in found:
            return
        wait = found[_OUTAGE][0] - time.time()
        if wait > 0:
            raise Unavailable("the platform has been failing; not called", retry_after=wait)
        if not cache.add(_PROBE, 1, PROBE_SECONDS):
            raise Unavailable("the platform has been failing; one call tries it", retry_after=1)

    def _count_failure(self) -> None:
        self._troubled = True
        cache.add(_FAILURES, 0, 600)
        try:
            failures = cache.incr(_FAILURES)
        except ValueError:  # it expired between the two calls
            return
        until, closings = cache.get(_OUTAGE) or (0.0, 0)
        # Calls that were under way when the gate closed say nothing new.
        if failures >= FAILURES_TO_CLOSE and until <= time.time():
            seconds = min(LONGEST_OUTAGE_SECONDS, 2.0**closings)
            # It stays on record after its time, until the probe has passed.
            cache.set(_OUTAGE, (time.time() + seconds, closings + 1), 600)
            cache.delete(_PROBE)

    def _rate(self, shared: int | None) -> int:
        if not self._configured:
            return 0
        return min(self._configured, self._allowed or shared or self._configured)


class Reservation:
    """Calls that the gate has promised. Each call takes one; a repetition asks for one more."""

    def __init__(self, gate: Gate, calls: int) -> None:
        self._gate = gate
        self._cost = min(1, calls)
        self._left = max(1, calls)

    def take(self, *, deadline: Deadline) -> None:
        """Use up one call, of those promised or, when none is left, of one more.

        Raises what `Gate.reserve` raises.
        """
        if not self._left:
            self.add_one(deadline=deadline)
        self._left -= 1

    def add_one(self, *, deadline: Deadline) -> None:
        """Reserve one call more, as a first one is reserved. Raises what `Gate.reserve` raises."""
        self._gate.reserve(calls=self._cost, deadline=deadline)
        self._left += 1


def _capacity(rate: int) -> float:
    return max(2.0, rate / 60)


def _reserve(calls: int, rate: int, deadline: Deadline) -> float:
    """Move the bucket on by `calls`; return the wait in seconds. Raises Busy when too long."""
    each = 60 * _MICRO // rate
    cost = calls * each
    now = int(time.time() * _MICRO)
    try:
        promised = cache.incr(_SLOTS, cost)
    except ValueError:  # nobody has called for an hour
        cache.add(_SLOTS, now, 3600)
        promised = cache.incr(_SLOTS, cost)
    if promised - cost < now:
        # Idle time is not saved up. Two processes that get here together may lose one reservation,
        # once; an increment instead could never be taken back by whoever dies in between.
        promised = now + cost
        cache.set(_SLOTS, promised, 3600)
    wait = (promised - now - _capacity(rate) * each) / _MICRO
    if wait > 0 and not deadline.allows(wait + calls * CALL_SECONDS):
        cache.decr(_SLOTS, cost)
        raise Busy("our share of the platform's rate is used up", retry_after=wait)
    return max(0.0, wait)


def _pass_limit(until: float | None, deadline: Deadline) -> None:
    """Wait out what the platform's limit asks for. Raises Busy at once where that is too long."""
    while (wait := (until or 0.0) - time.time()) > 0:
        if not deadline.allows(wait + CALL_SECONDS):
            raise Busy("the platform's rate limit is reached", retry_after=wait)
        deadline.sleep(wait + random.uniform(0, 0.1))  # noqa: S311
        until = cache.get(_LIMITED)


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110 section 10.2.3: two forms)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_RETRY_AFTER_SECONDS)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return DEFAULT_RETRY_AFTER_SECONDS
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


@dataclass(frozen=True)
class _Limit:
    allowed: int
    exhausted: bool
    reset: float


def _limit_from(answer: Answer) -> _Limit:
    """Read ``inin-ratelimit-count``, ``-allowed`` and ``-reset`` (seconds), if all make sense."""
    names = ("inin-ratelimit-count", "inin-ratelimit-allowed", "inin-ratelimit-reset")
    values = [answer.headers.get(name, "") for name in names]
    if not all(value.isascii() and value.isdigit() and len(value) < 10 for value in values):
        return _Limit(0, False, 0)
    count, allowed, reset = map(int, values)
    return _Limit(allowed, 0 < allowed <= count, float(reset))

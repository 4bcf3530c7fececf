"""The one gate before the platform: may it be called now, and if not, when?

A bucket says how fast we may call; a moment before which nobody calls is set by ``Retry-After``
and a used-up ``inin-ratelimit-*`` allowance (wait for it), or by repeated failures (then one call
goes first). All of it are fields of one key that the processes share (`provisioning.atomic`).

The bucket is the generic cell rate algorithm (ITU-T I.371): one number, the time at which all that
was promised will have been sent. A stored moment beyond its own window was written by a clock that
has been corrected since: it counts for nothing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from provisioning.atomic import number
from provisioning.genesys import gate_steps as steps
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Busy, PlatformError, Unavailable
from provisioning.genesys.transport import Answer

FAILURES_TO_CLOSE = 5
LONGEST_OUTAGE_SECONDS = 5.0
# What Retry-After and inin-ratelimit-reset are believed at most.
LONGEST_LIMIT_SECONDS = 300.0
DEFAULT_RETRY_AFTER_SECONDS = 2.0
# What must be left of the deadline for each call itself after a wait at the gate.
CALL_SECONDS = 1.0
PROBE_SECONDS = 10
_KEY = "gate"
_WINDOWS = (LONGEST_LIMIT_SECONDS, LONGEST_OUTAGE_SECONDS)


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
        wait = self._pass(calls, deadline)
        while wait > 0:
            deadline.sleep(wait)
            wait = self._pass(0, deadline)  # a limit may have been set while we waited
        return Reservation(self, calls)

    def report(self, outcome: Answer | PlatformError) -> None:
        """Learn from what came of a call."""
        if isinstance(outcome, PlatformError) or outcome.status >= 500:
            self._troubled = True
            steps.FAIL.run(key=_KEY, values=[FAILURES_TO_CLOSE, LONGEST_OUTAGE_SECONDS])
            return
        if self._troubled:
            steps.HEAL.run(key=_KEY)
            self._troubled = False
        limit = _limit_from(outcome)
        if outcome.status == 429 or limit.exhausted:
            wait = retry_after(outcome.headers) if outcome.status == 429 else limit.reset
            steps.LIMIT.run(key=_KEY, values=[wait])
        if limit.allowed and limit.allowed != self._allowed:
            self._allowed = limit.allowed
            steps.ALLOW.run(key=_KEY, values=[limit.allowed])

    def state(self) -> GateState:
        """Return the gate's state without changing it."""
        busy, limited, outage, failures, allowed = map(
            number, steps.LOOK.run(key=_KEY, values=_WINDOWS)
        )
        rate = self._rate(int(allowed))
        free = max(0.0, _capacity(rate) - busy * rate / 60) if rate else 0.0
        return GateState(
            is_open=outage < 0 and not limited,
            reason="outage" if outage >= 0 else "limit" if limited else "",
            retry_after=max(limited, outage, 0.0),
            failures=int(failures),
            rate_per_minute=rate,
            calls_free=free,
        )

    def _pass(self, calls: int, deadline: Deadline) -> float:
        """Take one look at the gate and, where it lets us through in time, reserve `calls`.

        Returns the seconds to wait first. Raises Busy or Unavailable.
        """
        patience = deadline.patience(leaving=max(1, calls) * CALL_SECONDS)
        verdict, wait, troubled = steps.RESERVE.run(
            key=_KEY,
            values=[calls, self._configured, patience, PROBE_SECONDS, *_WINDOWS],
        )
        verdict, wait = str(verdict), number(wait)
        self._troubled = self._troubled or number(troubled) > 0
        if verdict == "outage":
            raise Unavailable("the platform has been failing; not called", retry_after=wait)
        if verdict == "probe":
            raise Unavailable("the platform has been failing; one call tries it", retry_after=1)
        if verdict == "busy":
            raise Busy("the platform's rate leaves no room in time", retry_after=wait)
        return wait

    def _rate(self, shared: int) -> int:
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


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110 section 10.2.3: two forms)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_LIMIT_SECONDS)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return DEFAULT_RETRY_AFTER_SECONDS
    return min(max(seconds, 0.0), LONGEST_LIMIT_SECONDS)


def _capacity(rate: int) -> float:
    return max(2.0, rate / 60)


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
    return _Limit(allowed, 0 < allowed <= count, min(float(reset), LONGEST_LIMIT_SECONDS))

"""Try a call again where that is safe and can end in time; nowhere else is anything repeated."""

import random
from collections.abc import Callable
from typing import Any

from backoffice.foreign import storable
from provisioning import metrics
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Busy, PlatformError, Unavailable
from provisioning.genesys.gate import Gate, Reservation, retry_after
from provisioning.genesys.transport import Answer

FIRST_BACKOFF_SECONDS = 0.2
# Whether a call that may have arrived can be made again: always, never, or as told when it matters.
Repeatable = bool | Callable[[], bool]


def send(
    post: Callable[[], Answer],
    *,
    gate: Gate,
    reservation: Reservation,
    deadline: Deadline,
    attempts: int,
    repeatable: Repeatable,
) -> Answer:
    """Return the first answer that is neither 429 nor 5xx.

    Each attempt takes a call from `reservation`. A failure after which the request may have arrived
    is repeated only where `repeatable`, asked then. Raises the last PlatformError.
    """
    for attempt in range(1, attempts + 1):
        if attempt > 1:
            reservation.add_one(deadline=deadline)
            metrics.PLATFORM_RETRIES.inc()
        reservation.take(deadline=deadline)
        failure = _try(post, gate)
        if isinstance(failure, Answer):
            return failure
        if attempt == attempts or (failure.arrived and not _may_repeat(repeatable)):
            raise failure
        if not isinstance(failure, Busy):  # a 429 has set the gate's own wait
            pause = _backoff(attempt)
            if not deadline.allows(pause):
                raise failure
            deadline.sleep(pause)
    raise AssertionError("attempts is at least 1")


def _may_repeat(repeatable: Repeatable) -> bool:
    return repeatable() if callable(repeatable) else repeatable


def _try(post: Callable[[], Answer], gate: Gate) -> Answer | PlatformError:
    try:
        answer = post()
    except PlatformError as exc:
        gate.report(exc)
        metrics.PLATFORM_CALLS.labels(exc.code).inc()
        return exc
    gate.report(answer)
    metrics.PLATFORM_CALLS.labels(str(answer.status)).inc()
    if answer.status == 429:
        wait = retry_after(answer.headers)
        return Busy("the platform's rate limit is reached", retry_after=wait, **about(answer))
    if answer.status >= 500:
        return Unavailable("the platform failed", arrived=True, **about(answer))
    return answer


def about(answer: Answer) -> dict[str, Any]:
    """Return what a reviewer needs to ask the vendor about `answer`."""
    code = answer.body.get("code") if isinstance(answer.body, dict) else ""
    return {
        "status": answer.status,
        # Its codes are names such as bad.request; anything else may be anything.
        "platform_code": storable(code, limit=64, shape="[a-z0-9._-]{1,64}"),
        "correlation_id": answer.correlation_id,
    }


def _backoff(attempt: int) -> float:
    """Full jitter: anything up to 0.2 s, 0.4 s, 0.8 s …, so that callers do not march in step."""
    return random.uniform(0, FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1))  # noqa: S311

"""What is counted, timed and traced while inits run.

Labels have few values: never a session, guest or address. Spans are for OpenTelemetry where its
packages are installed (`requirements-otel.txt`); ours instead of its instrumentations, which put
addresses into what they send, and ours hold capabilities and guest ids.
"""

import functools
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ParamSpec, TypeVar

from prometheus_client import Counter, Gauge, Histogram

try:
    from opentelemetry import trace
except ImportError:
    _tracer = None
else:
    _tracer = trace.get_tracer("guestportal")  # idle until the project starts an exporter

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger(__name__)

ANSWERS = Counter(
    "guestportal_answers", "Webchat calls by what they ended with", ["call", "outcome"]
)
ANSWER_SECONDS = Histogram(
    "guestportal_answer_seconds",
    "Time a webchat call takes in all",
    ["call"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)
STAGES = Histogram(
    "guestportal_stage_seconds",
    "Time an init spends in each stage, waiting included",
    ["stage"],
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
UNMET_WITHDRAWALS = Counter(
    "guestportal_unmet_withdrawals", "Withdrawals of sessions that no creation is known of"
)
PLATFORM_CALLS = Counter(
    "guestportal_platform_calls",
    "Requests to the platform by HTTP status, or by our code where none came",
    ["status"],
)
PLATFORM_RETRIES = Counter("guestportal_platform_retries", "Platform requests sent once more")
IN_FLIGHT = Gauge(
    "guestportal_in_flight", "Webchat calls being worked on", multiprocess_mode="livesum"
)

# Counted from 0 on: Prometheus sees no increase in a series that begins with its first answer.
for _call in ("init", "token"):
    ANSWERS.labels(_call, "platform_credentials")


def answered(*, call: str, outcome: str, seconds: float) -> None:
    """Count one answer, and log it with what an operator asks for first: what, how, how long."""
    ANSWERS.labels(call, outcome).inc()
    ANSWER_SECONDS.labels(call).observe(seconds)
    milliseconds = round(seconds * 1000, 1)
    logger.info("answered", extra={"call": call, "outcome": outcome, "milliseconds": milliseconds})


def timed(stage: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Observe how long the decorated function takes, whether it returns or raises."""
    histogram = STAGES.labels(stage)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            started = time.perf_counter()
            try:
                with span(stage):
                    return function(*args, **kwargs)
            finally:
                histogram.observe(time.perf_counter() - started)

        return run

    return decorate


def span(name: str, *, request_id: str = "") -> AbstractContextManager[Any]:
    """Return a block's span, a child of the one around it."""
    if _tracer is None:
        return nullcontext()
    attributes = {"guestportal.request_id": request_id} if request_id else None
    started: AbstractContextManager[Any] = _tracer.start_as_current_span(
        name,
        attributes=attributes,
        # Messages and tracebacks of exceptions stay in our log, which redacts them.
        record_exception=False,
        set_status_on_exception=False,
    )
    return started

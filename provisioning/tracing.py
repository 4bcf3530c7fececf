"""Spans for OpenTelemetry where its packages are installed (`requirements-otel.txt`), else nothing.

Spans of our own instead of its instrumentations: those put addresses into what they send, and ours
hold capabilities and guest ids. Ours carry a name and the request id.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

try:
    from opentelemetry import trace
except ImportError:
    _tracer = None
else:
    _tracer = trace.get_tracer("guestportal")  # idle until the project starts an exporter


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

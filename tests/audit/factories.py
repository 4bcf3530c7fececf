"""Events for tests, made through the log itself."""

from typing import Any

from django.db import transaction

from audit import log
from audit.models import AuditEvent
from audit.sealing import seals


def event(**fields: Any) -> AuditEvent:
    """Record one event and return its row."""
    with transaction.atomic():
        log.record(**{"kind": "guest.created", **fields})
    return AuditEvent.objects.latest("id")


def events(number: int, **fields: Any) -> list[AuditEvent]:
    """Record `number` events, each with its index in its data."""
    return [event(data={"index": index}, **fields) for index in range(number)]


def sealed_event(**fields: Any) -> AuditEvent:
    """Record one event and seal it."""
    recorded = event(**fields)
    seals.seal()
    return recorded

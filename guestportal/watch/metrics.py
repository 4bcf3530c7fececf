"""One scrape: the counters of every web process, and the state of things now."""

import math
import os
from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from audit.sealing import seals
from guestportal.stores import broker, cache
from provisioning import health
from provisioning.time_left import answer_within

# A scrape that waits for a database that hangs is no scrape; Prometheus gives up after ten.
LOOK_SECONDS = 5.0


class _State(Collector):
    """What is read at the moment of the scrape; the same from whichever process answers it."""

    def collect(self) -> Iterator[Metric]:
        gate = health.platform_state()
        yield _gauge("gate_open", "1 while the platform may be called", gate.is_open)
        yield _gauge("gate_retry_after_seconds", "Until the gate opens again", gate.retry_after)
        free = gate.calls_free if gate.rate_per_minute else math.inf
        yield _gauge("gate_calls_free", "Calls the platform's rate leaves now", free)
        yield _gauge("cache_shared", "0 while Redis is gone", cache.is_shared())
        yield _gauge("broker_up", "0 while RabbitMQ is gone", not broker.is_down())
        try:
            with answer_within(LOOK_SECONDS):
                found = list(_stored())
        except (DatabaseError, InterfaceError):
            found = [_gauge("database_up", "0 while the database cannot be reached", 0)]
        yield from found


def scrape() -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_State())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)


def _stored() -> Iterator[Metric]:
    age = seals.oldest_unsealed_age()
    yield _gauge("unsealed_seconds", "Age of the oldest event without a seal", age)
    yield _gauge("overdue", "Creations that recovery should have settled", health.overdue())
    yield _gauge("queued", "Inits that wait for the worker", health.queue_depth() or 0)
    waits = health.oldest_queued_age()
    yield _gauge("queued_seconds", "How long the oldest of them has waited", waits)
    told = health.withdrawals_to_tell()
    yield _gauge("withdrawals_to_tell", "Consents taken back, and the platform not told", told)
    by_hand = health.deletions_for_a_person()
    yield _gauge("deletions_for_a_person", "Guests to be deleted there by hand", by_hand)
    yield _gauge("database_up", "0 while the database cannot be reached", 1)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"guestportal_{name}", meaning, float(value))

"""One scrape: the counters of every web process, and the state of things now."""

import math
import os
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from audit import restore_list, verify
from audit.sealing import anchors, seals
from guestportal.stores import broker, cache
from guestportal.watch import backups
from guestportal.watch.write_probe import UNREACHABLE
from provisioning import health
from provisioning.time_left import answer_within

# With the five that readiness takes at most, less than Prometheus waits for an answer (ten).
READ_SECONDS = 3.0


class _State(Collector):
    """What is read at the moment of the scrape; the same from whichever process answers it."""

    def __init__(self, *, trouble: Sequence[str]) -> None:
        self._trouble = trouble

    def collect(self) -> Iterator[Metric]:
        ready = not self._trouble
        yield _gauge("ready", "1 while /readyz is 200: the row of an init can be kept", ready)
        gate = health.platform_state()
        yield _gauge("gate_open", "1 while the platform may be called", gate.is_open)
        yield _gauge("gate_retry_after_seconds", "Until the gate opens again", gate.retry_after)
        free = gate.calls_free if gate.rate_per_minute else math.inf
        yield _gauge("gate_calls_free", "Calls the platform's rate leaves now", free)
        yield _gauge("cache_shared", "0 while Redis is gone", cache.is_shared())
        yield _gauge("broker_up", "0 while RabbitMQ is gone", not broker.is_down())
        yield from _backup()
        if settings.RESTORE_LIST:
            fit = not restore_list.trouble()
            yield _gauge("restore_list_ok", "0 while RESTORE_LIST takes no entry, or lost one", fit)
        stored = [] if UNREACHABLE in self._trouble else _read()
        yield from stored
        yield _gauge("database_up", "0 while the database cannot be reached", bool(stored))


def scrape(*, trouble: Sequence[str]) -> bytes:
    """Return all metrics in Prometheus' text format; `trouble` is what ``/readyz`` finds."""
    registry = CollectorRegistry()
    registry.register(_State(trouble=trouble))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)


def _read() -> list[Metric]:
    """Return what the database holds; nothing where it does not answer."""
    try:
        with answer_within(READ_SECONDS):
            return [*_stored(), *_waiting(), *_verified(), *_anchored()]
    except (DatabaseError, InterfaceError):
        return []


def _stored() -> Iterator[Metric]:
    age = seals.oldest_unsealed_age()
    yield _gauge("unsealed_seconds", "Age of the oldest event without a seal", age)
    seen = health.housekeeping_age()
    left = math.inf if seen is None else seen
    yield _gauge("housekeeping_seconds", "Since housekeeping left word; +Inf: never", left)
    yield _gauge("overdue", "Creations that recovery should have settled", health.overdue())
    yield _gauge("queued", "Inits that wait for the worker", health.queue_depth() or 0)
    yield _gauge("queue_limit", "Inits that may wait for it", settings.QUEUE_LIMIT)
    waits = health.oldest_queued_age()
    yield _gauge("queued_seconds", "How long the oldest of them has waited", waits)


def _waiting() -> Iterator[Metric]:
    """Yield what waits for a person."""
    told = health.withdrawals_to_tell()
    yield _gauge("withdrawals_to_tell", "Consents taken back, and the platform not told", told)
    by_hand = health.deletions_for_a_person()
    yield _gauge("deletions_for_a_person", "Guests to be deleted there by hand", by_hand)
    unknown = health.unknown_to_review()
    yield _gauge("unknown_to_review", "Unknown outcomes nobody has reviewed, to 1,001", unknown)
    yield _gauge("to_review", "Creations that wait for review, to 1,001", health.to_review())
    waits = health.oldest_review_age()
    yield _gauge("to_review_seconds", "How long the oldest of them has waited", waits)


def _verified() -> Iterator[Metric]:
    last = verify.last()
    age = (timezone.now() - last.time).total_seconds() if last else math.inf
    yield _gauge("verified_seconds", "Since the audit log was last verified; +Inf: never", age)
    failed = last is not None and not last.verified
    yield _gauge("verification_failed", "1 where it was not as it had been written", failed)


def _anchored() -> Iterator[Metric]:
    try:
        lost = anchors.lost() > 0
    except OSError:  # this machine has no anchor file; housekeeping needs it, and says so
        return
    yield _gauge("seals_lost", "1 where a seal is anchored here, and gone from the database", lost)


def _backup() -> Iterator[Metric]:
    age = backups.age()
    if age is not None:
        yield _gauge("backup_seconds", "Since BACKUP_MARKER was touched; +Inf: never", age)
        longest = settings.BACKUP_MAX_HOURS * 3600
        yield _gauge("backup_max_seconds", "How long that may be: BACKUP_MAX_HOURS", longest)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"guestportal_{name}", meaning, float(value))

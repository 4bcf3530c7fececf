"""``/livez``, ``/readyz`` and ``/metrics``: for load balancers and operators, not for visitors.

`guestportal.api.middleware` answers them before host check, redirect and sessions.
"""

import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from audit import restore_list, triggers
from audit.sealing import anchors, seals
from crm import sessions
from guestportal.loopback import is_loopback
from guestportal.stores import broker, cache
from guestportal.watch import write_probe
from guestportal.watch.metrics import scrape
from provisioning import health
from provisioning.init import in_flight
from provisioning.time_left import answer_within

LOOK_SECONDS = 1.0
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_VIA")


def livez(request: HttpRequest) -> HttpResponse:
    """Say that the process runs and its loop turns; asks no other service anything."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether visitors may be sent here: 200 exactly when the row of an init can be kept.

    That needs a database that takes writes, its migrations and audit triggers, and its pepper.
    Without platform, Redis or the broker the service is degraded, and still better than none.
    """
    trouble = _trouble()
    status = 503 if trouble else 200
    if not _may_see_details(request):
        return HttpResponse("not ready\n" if trouble else "ok\n", "text/plain", status=status)
    return JsonResponse({"ready": not trouble, "trouble": trouble} | _details(), status=status)


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus' text format."""
    if not _may_see_details(request):
        return HttpResponse("METRICS_TOKEN is required\n", "text/plain", status=403)
    return HttpResponse(scrape(trouble=_trouble()), CONTENT_TYPE_LATEST)


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/livez": livez,
    "/readyz": readyz,
    "/metrics": metrics,
}


def _trouble() -> list[str]:
    """Return what keeps the service from being ready, in words."""
    try:
        with answer_within(LOOK_SECONDS):
            found = _unfit()
    except (DatabaseError, InterfaceError) as exc:
        if not write_probe.only_waits(exc):
            return [write_probe.UNREACHABLE]
        found = ""  # whoever waits for a lock sees what was there before
    found = found or write_probe.trouble()
    return [found] if found else []


def _unfit() -> str:
    """Return what the database lacks, in words; nothing where it is as this release needs it."""
    if _migrations_missing():
        return "migrations are missing: run manage.py migrate"
    if triggers.missing():
        return "audit triggers are missing: run manage.py migrate"
    if sessions.stored_fingerprint() not in (None, sessions.fingerprint()):
        return "SESSION_HASH_PEPPER is not this database's: see manage.py rekey_sessions"
    return ""


_migrated = False


def _migrations_missing() -> bool:
    """Compare code and database; once they agree they stay so for as long as this process lives."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return not _migrated


def _details() -> dict[str, Any]:
    gate = health.platform_state()
    try:
        with answer_within(LOOK_SECONDS):
            stored = _stored()
    except (DatabaseError, InterfaceError):
        stored = {}
    return {
        "cache": "ok" if cache.is_shared() else "degraded: Redis is gone, limits hold per process",
        "broker": broker.state(),
        "platform": {
            "open": gate.is_open,
            "reason": gate.reason,
            "retryAfter": round(gate.retry_after, 1),
            "callsFree": round(gate.calls_free, 1) if gate.rate_per_minute else None,
        },
        "inFlight": in_flight.count(),
        "restoreList": _restore_list(),
        **stored,
    }


def _restore_list() -> str:
    if settings.RESTORE_LIST is None:
        return "not set"
    return restore_list.trouble() or "ok"


def _stored() -> dict[str, Any]:
    return {
        "anchors": _anchors(),
        "unsealedSeconds": round(seals.oldest_unsealed_age(), 1),
        "overdue": health.overdue(),
        "queued": health.queue_depth(),
        "queuedSeconds": round(health.oldest_queued_age(), 1),
    }


def _anchors() -> str:
    try:
        lost = anchors.lost()
    except FileNotFoundError:
        return "no anchor file here"
    except OSError as exc:
        return f"the anchor file cannot be read: {exc.strerror}"
    if not lost:
        return "ok"
    return f"seal {lost} is anchored and gone: a restored backup? see manage.py audit_restored"


def _may_see_details(request: HttpRequest) -> bool:
    """Tell whether the caller is on this machine itself, or has METRICS_TOKEN."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return secrets.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())
    # What a proxy on this machine passes on comes from loopback too, and from anywhere.
    if any(name in request.META for name in _FORWARDED):
        return False
    return is_loopback(host=request.META.get("REMOTE_ADDR", ""))

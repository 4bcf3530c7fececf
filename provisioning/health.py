"""What provisioning says of itself, for ``/readyz``, ``/metrics`` and the admin's dashboard."""

from django.conf import settings
from django.utils import timezone

from provisioning import ledger
from provisioning.genesys.gate import GateState
from provisioning.genesys.guests import get_client
from provisioning.models import GuestCreation, Status


def platform_state() -> GateState:
    """Return whether the platform may be called now, why not, and how much of our rate is free."""
    return get_client().gate.state()


def queue_depth() -> int | None:
    """Return how many inits wait for the worker; None where there is no broker."""
    return ledger.queue_depth() if settings.CELERY_BROKER_URL else None


def oldest_queued_age() -> float:
    """Return for how many seconds the longest waiting init has waited; 0 when none waits.

    Above half a minute: nobody works on the queue. Its length tells that late where few come.
    """
    waiting = GuestCreation.objects.filter(status=Status.QUEUED).order_by("id")
    since = waiting.values_list("created_at", flat=True).first()
    return (timezone.now() - since).total_seconds() if since else 0.0


def overdue() -> int:
    """Return how many creations recovery should have settled; above 0 for long: it is not run."""
    rows = GuestCreation.objects.filter(overdue_at__isnull=False)
    return rows.exclude(ledger.in_work()).count()

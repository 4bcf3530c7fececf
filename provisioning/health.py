"""What provisioning says of itself, for ``/readyz``, ``/metrics`` and the admin's dashboard."""

from django.conf import settings
from django.utils import timezone

from provisioning import ledger
from provisioning.genesys.client import get_client
from provisioning.genesys.gate import GateState
from provisioning.models import GuestCreation


def platform_state() -> GateState:
    """Return whether the platform may be called now, why not, and how much of our rate is free."""
    return get_client().gate.state()


def queue_depth() -> int | None:
    """Return how many inits wait for the worker; None where there is no broker."""
    return ledger.queue_depth() if settings.CELERY_BROKER_URL else None


def overdue() -> int:
    """Return how many creations recovery should have settled; above 0 for long: it is not run."""
    return GuestCreation.objects.filter(overdue_at__lte=timezone.now()).count()

"""An init that the page does not wait for (``Prefer: respond-async``, RFC 7240).

    page ─► row QUEUED ─► broker: the row's id ─► worker (`provisioning.tasks`) ─► the page asks

The row is the truth and the message only a nudge. One that never arrives leaves a row that recovery
settles as failed, for reviewers to see. Whoever holds a capability, 128 random bits, may ask for
ten minutes what became of a row; only the capability's hash is stored.
"""

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from provisioning import ledger
from provisioning.init.in_flight import Overloaded
from provisioning.init.planning import InitRequest, plan
from provisioning.init.publishing import publish
from provisioning.ledger import QUEUED_FOR, Outcome, Step
from provisioning.models import InitCapability, Status


@dataclass(frozen=True)
class Progress:
    """How far a creation got; `guest_id` is None as long as, or because, there is none to use."""

    status: str
    guest_id: str | None


def accept(*, request: InitRequest) -> str | None:
    """Queue an init; return the capability to ask about it, None where it must be done at once.

    That is so without a broker, and while it cannot be reached. Raises what opening a creation
    raises, and Overloaded when QUEUE_LIMIT inits are waiting.
    """
    if not settings.CELERY_BROKER_URL:
        return None
    if ledger.queue_depth() >= settings.QUEUE_LIMIT:
        raise Overloaded
    opened = ledger.open_creation(intent=plan(request=request, queued=True).intent)
    if opened.step is Step.CREATE and not publish(creation_id=opened.entry.id):
        # Should the message have arrived after all, the worker finds the row settled.
        ledger.settle(
            entry=opened.entry, status=Status.FAILED, outcome=Outcome("broker_unavailable")
        )
        return None
    return _issue_capability(opened.entry.id)


def progress(*, capability: str) -> Progress | None:
    """Return what became of the creation; None for a capability that is unknown or over."""
    found = (
        InitCapability.objects.exclude(_over())
        .filter(key_hash=_hash(capability))
        .values_list("creation__status", "creation__guest_id", "creation__withdrawn_at")
        .first()
    )
    if found is None:
        return None
    status, guest_id, withdrawn_at = found
    return Progress(status, guest_id if guest_id and withdrawn_at is None else None)


def forget_expired_capabilities() -> int:
    """Delete the capabilities whose time is over; return how many."""
    return InitCapability.objects.filter(_over()).delete()[0]


def _over() -> Q:
    """Return the condition: its time is over, or of a clock so far ahead that it never would be."""
    now = timezone.now()
    return Q(expires_at__lte=now) | Q(expires_at__gt=now + 2 * QUEUED_FOR)


def _issue_capability(creation_id: UUID) -> str:
    capability = secrets.token_urlsafe(16)
    InitCapability.objects.create(
        key_hash=_hash(capability),
        creation_id=creation_id,
        expires_at=timezone.now() + QUEUED_FOR,
    )
    return capability


def _hash(capability: str) -> str:
    return hashlib.sha256(capability.encode()).hexdigest()

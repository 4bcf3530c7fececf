"""The address under which a page asks what became of its asynchronous init.

Whoever holds the 128 random bits may ask, for ten minutes; only their hash is stored.
"""

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from provisioning.ledger import QUEUED_FOR
from provisioning.models import InitCapability


@dataclass(frozen=True)
class Progress:
    """How far a creation got; `guest_id` is None as long as, or because, there is none to use."""

    status: str
    guest_id: str | None


def issue(*, creation_id: UUID) -> str:
    """Return a new capability to ask about a creation."""
    capability = secrets.token_urlsafe(16)
    InitCapability.objects.create(
        key_hash=_hash(capability),
        creation_id=creation_id,
        expires_at=timezone.now() + QUEUED_FOR,
    )
    return capability


def progress(*, capability: str) -> Progress | None:
    """Return what became of the creation; None for a capability that is unknown or over."""
    found = (
        InitCapability.objects.filter(key_hash=_hash(capability), expires_at__gt=timezone.now())
        .values_list("creation__status", "creation__guest_id", "creation__withdrawn_at")
        .first()
    )
    if found is None:
        return None
    status, guest_id, withdrawn_at = found
    return Progress(status, guest_id if guest_id and withdrawn_at is None else None)


def forget_expired() -> int:
    """Delete the capabilities whose time is over; return how many."""
    return InitCapability.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _hash(capability: str) -> str:
    return hashlib.sha256(capability.encode()).hexdigest()

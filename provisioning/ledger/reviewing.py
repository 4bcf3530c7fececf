"""The ledger's copy of when creations were reviewed: what nobody has reviewed is one index."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from provisioning.models import GuestCreation


def mark_reviewed(*, creations: Sequence[UUID], at: datetime) -> None:
    """Take `creations` off the review queue, in the transaction that records their reviews.

    `updated_at` stays: it tells when something became of the visitor, and nothing has.
    """
    GuestCreation.objects.filter(id__in=creations).update(reviewed_at=at)

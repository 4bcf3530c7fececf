"""What was done for each visitor: one row per guest creation, and the consent of each session.

Everything that ties a row to a person is keyed by the session's hash, so that an erasure finds it.
"""

from provisioning.models.consent import Notice, NoticeContent, NoticeDraft, Withdrawal
from provisioning.models.creations import (
    TO_REVIEW,
    ConsentBasis,
    ConsentType,
    GuestCreation,
    IdempotencyKey,
    InitCapability,
    Status,
)
from provisioning.models.probe import WriteProbe
from provisioning.models.rights import LegalHold, PlatformDeletion, Review

__all__ = [
    "TO_REVIEW",
    "ConsentBasis",
    "ConsentType",
    "GuestCreation",
    "IdempotencyKey",
    "InitCapability",
    "LegalHold",
    "Notice",
    "NoticeContent",
    "NoticeDraft",
    "PlatformDeletion",
    "Review",
    "Status",
    "Withdrawal",
    "WriteProbe",
]

"""What was done for each visitor: one row per guest creation, and the consent of each session.

Everything that ties a row to a person is keyed by the session's hash, so that an erasure finds it.
"""

from provisioning.models.consent import (
    Channel,
    Notice,
    NoticeContent,
    NoticeDraft,
    Withdrawal,
    WithdrawalCase,
)
from provisioning.models.creations import GuestCreation, IdempotencyKey, InitCapability
from provisioning.models.probe import WriteProbe
from provisioning.models.rights import LegalHold, PlatformDeletion, Review
from provisioning.models.states import (
    TO_REVIEW,
    ConsentBasis,
    ConsentType,
    Reason,
    Status,
    Verdict,
    has_reason,
    reasons_of,
    stored,
    waits_for,
)

__all__ = [
    "TO_REVIEW",
    "Channel",
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
    "Reason",
    "Review",
    "Status",
    "Verdict",
    "Withdrawal",
    "WithdrawalCase",
    "WriteProbe",
    "has_reason",
    "reasons_of",
    "stored",
    "waits_for",
]

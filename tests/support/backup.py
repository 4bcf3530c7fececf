"""A backup of what is stored of persons, taken and restored inside one test's database.

The audit log stays as it is: what a restore does to that is another test's matter.
"""

from typing import Any

from django.db import models

from audit.models import SubjectSalt
from crm.models import CrmRecord
from provisioning.models import (
    GuestCreation,
    IdempotencyKey,
    LegalHold,
    PlatformDeletion,
    Withdrawal,
)

# Those that others point to come first.
_MODELS: tuple[type[models.Model], ...] = (
    CrmRecord, SubjectSalt, GuestCreation, IdempotencyKey, LegalHold, PlatformDeletion, Withdrawal,
)  # fmt: skip


class Backup:
    """The rows as they are when it is made."""

    def __init__(self) -> None:
        self._rows: dict[type[models.Model], list[dict[str, Any]]] = {
            model: list(model._default_manager.values()) for model in _MODELS
        }

    def restore(self) -> None:
        """Put back the rows as they were, and no others."""
        for model in reversed(_MODELS):
            model._default_manager.all()._raw_delete("default")  # type: ignore[attr-defined]
        for model, rows in self._rows.items():
            model._default_manager.bulk_create([model(**row) for row in rows])

"""Which stored sessions are a person's."""

import re
from collections.abc import Sequence
from enum import Enum
from itertools import chain

from django.core.exceptions import ValidationError

from audit.models import SubjectSalt
from crm import lookup, sessions
from crm.models import CrmRecord
from crm.validators import validate_address
from provisioning.models import (
    GuestCreation,
    IdempotencyKey,
    LegalHold,
    Withdrawal,
    WithdrawalCase,
)

_KEYED_BY_SESSION = (
    CrmRecord, GuestCreation, Withdrawal, WithdrawalCase, IdempotencyKey, LegalHold, SubjectSalt,
)  # fmt: skip


class By(Enum):
    """What a person is named by."""

    SESSION_ID = "session id"
    SESSION_HASH = "session hash"
    GUEST_ID = "guest id"
    EMAIL = "e-mail address"


class CannotName(ValueError):
    """What was given names nobody: it is no session hash, no e-mail address, no guest id."""


def identify(*, by: By, value: str) -> list[str]:
    """Return the keys (see `crm.sessions`) of the stored sessions that `value` names; may be empty.

    An address names every session whose CRM record holds it now, in whatever spelling: see
    `spellings`. Raises CannotName: a person of whom nothing is stored is
    another answer.
    """
    if by is By.SESSION_ID:
        return stored(keys=[sessions.hash_session(session_id=value)])
    if by is By.SESSION_HASH:
        keys = sessions.hash_keys(text=value)
        if not keys:
            raise CannotName("a session hash has 64 hexadecimal digits")
        return stored(keys=keys)
    if by is By.GUEST_ID:
        if not re.fullmatch("[!-~]+", value.strip()):
            raise CannotName("a guest id is visible ASCII characters")
        return _sessions(GuestCreation.objects.filter(guest_id=value.strip()))
    return _sessions(lookup.records_of(address=value)) or _nobody_at(value)


def spellings(*, session_hashes: Sequence[str]) -> list[str]:
    """Return the addresses, as they are spelled, of the CRM records of these sessions."""
    rows = CrmRecord.objects.filter(session_hash__in=session_hashes)
    return sorted(set(rows.values_list("email", flat=True)))


def _nobody_at(address: str) -> list[str]:
    """Return that nobody has `address`. Raises CannotName where it is none."""
    try:
        validate_address(address.strip())
    except ValidationError as exc:
        raise CannotName("this is not an e-mail address") from exc
    return []


def _sessions(rows: object) -> list[str]:
    return sorted(set(rows.values_list("session_hash", flat=True)))  # type: ignore[attr-defined]


def stored(*, keys: Sequence[str]) -> list[str]:
    """Return those of the session `keys` of which anything is stored."""
    found = (
        model._default_manager.filter(session_hash__in=keys).values_list("session_hash", flat=True)
        for model in _KEYED_BY_SESSION
    )
    return sorted(set(chain.from_iterable(found)))

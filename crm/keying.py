"""Which SESSION_HASH_PEPPER the stored session keys were made with.

A service that runs with another one would find nobody and store everybody a second time, and no
later run could tell the two kinds of keys apart. So the first write remembers the pepper's
fingerprint, and whoever has another pepper may not write.
"""

import hashlib

from django.conf import settings
from django.db import DatabaseError

from crm.models import SessionKeying

_confirmed: str | None = None  # the pepper that this process has found to be the right one


class WrongPepper(DatabaseError):
    """The database is keyed with another pepper than this service has: it cannot be used."""

    def __init__(self) -> None:
        super().__init__(
            "SESSION_HASH_PEPPER is not the one this database is keyed with; see rekey_sessions"
        )


def require() -> None:
    """Let a writer pass whose pepper is the database's; the very first one decides it.

    Costs one comparison once a process knows. Raises WrongPepper.
    """
    global _confirmed
    pepper: str = settings.SESSION_HASH_PEPPER
    if _confirmed == pepper:
        return
    stored = stored_fingerprint()
    if stored is None:
        # Not remembered here: the caller's transaction may yet be rolled back, this row with it.
        SessionKeying.objects.bulk_create(
            [SessionKeying(fingerprint=fingerprint())], ignore_conflicts=True
        )
        stored = stored_fingerprint()
    elif stored == fingerprint():
        _confirmed = pepper
    if stored != fingerprint():
        raise WrongPepper


def fingerprint() -> str:
    """Return what identifies our pepper: 16 hex digits, or nothing where there is no pepper."""
    pepper: str = settings.SESSION_HASH_PEPPER
    if not pepper:
        return ""
    return hashlib.sha256(b"guestportal pepper\0" + pepper.encode()).hexdigest()[:16]


def stored_fingerprint() -> str | None:
    """Return the fingerprint of the database's pepper; None where nothing was ever stored."""
    return SessionKeying.objects.values_list("fingerprint", flat=True).first()


def adopt() -> None:
    """Have the database keyed with our pepper from now on, in the caller's transaction."""
    SessionKeying.objects.update_or_create(defaults={"fingerprint": fingerprint()})

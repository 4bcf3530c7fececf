"""Session id to session key: the raw id ends here. And which SESSION_HASH_PEPPER made the keys.

A service that runs with another pepper would find nobody and store everybody a second time, and no
later run could tell the two kinds of keys apart. So the first write remembers the pepper's
fingerprint, and a service with another pepper may not write.
"""

import hashlib
import hmac

from django.conf import settings
from django.db import DatabaseError

from crm.models import SessionKeying
from crm.validators import SESSION_HASH

_confirmed: str | None = None  # the pepper that this process has found to be the right one


class WrongPepper(DatabaseError):
    """The database is keyed with another pepper than this service has: it cannot be used."""

    def __init__(self) -> None:
        super().__init__(
            "SESSION_HASH_PEPPER is not the one this database is keyed with; see rekey_sessions"
        )


def hash_session(*, session_id: str) -> str:
    """Return the key under which everything about `session_id` is stored: 64 hex digits.

    Raises UnicodeEncodeError where the id holds a lone surrogate, which has no UTF-8 form.
    """
    return key_for_hash(session_hash=hashlib.sha256(session_id.encode()).hexdigest())


def key_for_hash(*, session_hash: str) -> str:
    """Return what is stored for a plain SHA-256 of a session id, as outside systems deliver it.

    That is the hash itself or, with SESSION_HASH_PEPPER, its HMAC: a session id may be guessable,
    and a stolen database must not tell who answers to a dictionary of guesses. Raises ValueError
    where `session_hash` is not 64 lower-case hex digits.
    """
    if not SESSION_HASH.match(session_hash):
        raise ValueError("a session hash is 64 lower-case hex digits")
    pepper: str = settings.SESSION_HASH_PEPPER
    if not pepper:
        return session_hash
    return hmac.digest(pepper.encode(), session_hash.encode("ascii"), "sha256").hex()


def session_keys(*, term: str) -> list[str]:
    """Return the keys under which `term` may be stored: as a session id, or as the hash of one."""
    try:
        return [hash_session(session_id=term), *hash_keys(text=term)]
    except UnicodeEncodeError:
        return []


def hash_keys(*, text: str) -> list[str]:
    """Return the keys that a session hash may be stored under; none where `text` is no hash.

    With a pepper the stored key differs from the plain hash; staff may hold either.
    """
    plain = text.strip().lower()
    if not SESSION_HASH.match(plain):
        return []
    return [plain, key_for_hash(session_hash=plain)]


def require_pepper() -> None:
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


def adopt_pepper() -> None:
    """Have the database keyed with our pepper from now on, in the caller's transaction."""
    SessionKeying.objects.update_or_create(defaults={"fingerprint": fingerprint()})

"""Session id to session key: the raw id ends here."""

import hashlib
import hmac
import re

from django.conf import settings

_HASH = re.compile(r"[0-9a-f]{64}")


def hash_session(*, session_id: str) -> str:
    """Return the key under which everything about `session_id` is stored: 64 hex digits.

    Raises:
        UnicodeEncodeError: the id holds a lone surrogate, which has no UTF-8 form.
    """
    return key_for_hash(session_hash=hashlib.sha256(session_id.encode()).hexdigest())


def key_for_hash(*, session_hash: str) -> str:
    """Return what is stored for a plain SHA-256 of a session id, as outside systems deliver it.

    That is the hash itself or, with SESSION_HASH_PEPPER, its HMAC: a session id may be guessable,
    and a stolen database must not tell who answers to a dictionary of guesses.

    Raises:
        ValueError: `session_hash` is not 64 lower-case hex digits.
    """
    if not _HASH.fullmatch(session_hash):
        raise ValueError("a session hash is 64 lower-case hex digits")
    pepper: str = settings.SESSION_HASH_PEPPER
    if not pepper:
        return session_hash
    return hmac.digest(pepper.encode(), session_hash.encode("ascii"), "sha256").hex()

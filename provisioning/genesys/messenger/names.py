"""The names that this service gives: a contact's external id, a visitor's id and token.

All come from MESSENGER_TOKEN_KEY, so none has to be stored, and nobody without the key can tell
them. A client makes the session's token itself, a random UUID (vendor's SDK for mobile,
`TokenGenerator`); who has it can read the transcript, so it is a secret.
"""

import hmac
from uuid import UUID, uuid4

from django.conf import settings

ANONYMOUS = "anon-"


def external_id(*, session_key: str) -> str:
    """Return the contact's external id: one contact a session, and the session's key stays here."""
    return _mac("contact", session_key).hex()


def token(*, guest_id: str, generation: int) -> str:
    """Return the session's token, shaped as a UUID of version 4: a repeat resumes the session."""
    return str(UUID(bytes=_mac("token", guest_id, str(generation))[:16], version=4))


def anonymous_id() -> str:
    """Return an id for a visitor who is nobody on the platform."""
    return f"{ANONYMOUS}{uuid4()}"


def _mac(*parts: str) -> bytes:
    return hmac.digest(settings.MESSENGER_TOKEN_KEY.encode(), "\0".join(parts).encode(), "sha256")

"""Proof that the website's own backend knows this session (contract, ``sessionSignature``)."""

import hashlib
import hmac

from django.conf import settings


class IdentityRequired(Exception):
    """The session id came without a valid signature, and one is required."""


def verify(*, session_id: str, signature: str) -> None:
    """Check the hex HMAC-SHA-256 of `session_id` under IDENTITY_SECRET, where required.

    Raises IdentityRequired.
    """
    if settings.IDENTITY_VERIFICATION != "required":
        return
    key = settings.IDENTITY_SECRET.encode()
    expected = hmac.new(key, session_id.encode(), hashlib.sha256).hexdigest()
    # An empty key would let everybody sign.
    if not key or not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise IdentityRequired

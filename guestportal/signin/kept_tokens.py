"""What lets us ask the provider again: a person's tokens, encrypted, in the row that binds them.

In the row and not in the session: of two requests of one session the slower would put an old
refresh token back, and a provider that sees one twice ends them all.
"""

import json
from datetime import datetime

from cryptography.fernet import InvalidToken

from backoffice.private import cipher
from guestportal.models import StaffIdentity
from guestportal.signin.provider import Tokens

_ROW, _SESSION = b"staff tokens", b"staff id token"


def keep(*, identity: StaffIdentity, tokens: Tokens, checked_at: datetime) -> None:
    """Keep what of `tokens` is needed, and that the provider was asked at `checked_at`."""
    access = "" if tokens.refresh else tokens.access
    text = json.dumps({"access": access, "refresh": tokens.refresh})
    StaffIdentity.objects.filter(pk=identity.pk).update(
        tokens=cipher(purpose=_ROW).encrypt(text.encode()).decode(),
        checked_at=checked_at,
        asked_at=None,
    )


def read(*, identity: StaffIdentity) -> Tokens | None:
    """Return the tokens of a person; None where there are none, or SECRET_KEY was changed."""
    try:
        kept = json.loads(cipher(purpose=_ROW).decrypt(identity.tokens.encode()))
    except (InvalidToken, ValueError):
        return None
    return Tokens(access=kept["access"], refresh=kept["refresh"])


def forget(*, user_id: int) -> None:
    """Delete the tokens of an account: every session of it ends at its next look."""
    StaffIdentity.objects.filter(user_id=user_id).update(tokens="", asked_at=None)


def sealed(id_token: str) -> str:
    """Return an ID token as a session may hold it."""
    return cipher(purpose=_SESSION).encrypt(id_token.encode()).decode()


def opened(text: str) -> str:
    """Return the ID token that `sealed` was given; empty where it cannot be read."""
    try:
        return cipher(purpose=_SESSION).decrypt(text.encode()).decode()
    except (InvalidToken, ValueError):
        return ""

"""A sign-in between its start and its callback: in a cookie of the browser that began it.

Encrypted, for ten minutes, and used once. In a cookie and not in a session: robots that start
sign-ins write no row.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from backoffice import unsent
from backoffice.private import cipher
from guestportal.signin.failures import SignInFailed

COOKIE = "guestportal_sign_in"
SECONDS = 600
_LONGEST_PATH, _LONGEST_TEXT = 500, 1_500  # bytes: a browser keeps a cookie of 4,096
_PURPOSE = b"sign-in"


@dataclass(frozen=True)
class Pending:
    """What a callback is compared with (RFC 6749, 10.12; OpenID Connect Core 1.0, 15.5.2)."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str
    path: str
    unsent: str = field(default="", repr=False)


def begin(request: HttpRequest, *, redirect_uri: str) -> Pending:
    """Return a new sign-in that ends at the page that `next` names, if that is one of ours.

    What was typed before a session ran out goes along, to be found there again.
    """
    asked = request.POST if request.method == "POST" else request.GET
    return Pending(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        redirect_uri=redirect_uri,
        path=_safe_path(asked.get("next", "")),
        unsent=asked.get(unsent.FIELD, "").encode()[:_LONGEST_TEXT].decode(errors="ignore"),
    )


def keep(response: HttpResponse, pending: Pending) -> None:
    """Give the browser the cookie of `pending`."""
    text = json.dumps(asdict(pending), ensure_ascii=False)
    value = cipher(purpose=_PURPOSE).encrypt(text.encode()).decode()
    response.set_cookie(
        COOKIE,
        value,
        max_age=SECONDS,
        path=reverse("sign-in-callback"),
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",  # the callback comes from the provider's page
    )


def take(request: HttpRequest) -> Pending:
    """Return the sign-in that this callback ends, once. Raises SignInFailed."""
    try:
        value = request.COOKIES.get(COOKIE, "").encode()
        text = cipher(purpose=_PURPOSE).decrypt(value, ttl=SECONDS)
        pending = Pending(**json.loads(text))
    except (InvalidToken, ValueError, TypeError) as exc:
        raise SignInFailed("state") from exc
    if not hmac.compare_digest(request.GET.get("state", "").encode(), pending.state.encode()):
        raise SignInFailed("state")
    used = hashlib.sha256(pending.state.encode()).hexdigest()
    if not cache.add(f"sign-in:{used}", 1, timeout=2 * SECONDS):
        raise SignInFailed("state")
    return pending


def drop(response: HttpResponse) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, path=reverse("sign-in-callback"), samesite="Lax")


def _safe_path(path: str) -> str:
    ours = url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    leads_in = path.startswith(reverse("admin:index")) and not path.startswith(
        (reverse("admin:login"), reverse("admin:logout"), reverse("sign-in"))
    )
    if ours and leads_in and len(path.encode()) <= _LONGEST_PATH and path.isprintable():
        return path
    return reverse("admin:index")

"""The token endpoint: client credentials in the form or as HTTP Basic (RFC 6749, 4.4)."""

import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from sandbox import answers
from sandbox.wire import Answer, Request

GUEST_SCOPE = "webchat:guest:write"
TOKEN_SCOPE = "webchat:token:write"  # noqa: S105 - a scope's name
_EVERY_SCOPE = (GUEST_SCOPE, TOKEN_SCOPE, "webchat:guest:read")
_KEPT = 100_000  # access tokens remembered; the oldest go first


@dataclass(frozen=True)
class OAuthRules:
    """Whom the token endpoint serves, and with what. None accepts anything."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    grantable: tuple[str, ...] | None = None
    lifetime: int = 3600  # seconds


@dataclass(frozen=True, slots=True)
class Grant:
    """What one access token stands for. `expires_at` is on the monotonic clock."""

    client_id: str
    scopes: tuple[str, ...]
    expires_at: float


class AccessTokens:
    """Issues access tokens and knows which are still good."""

    def __init__(self, *, rules: OAuthRules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._grants: OrderedDict[str, Grant] = OrderedDict()

    def issue(self, *, request: Request) -> Answer:
        """Answer a call to the token endpoint."""
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = dict(pairs)
        if len(form) != len(pairs) or "grant_type" not in form:
            return answers.oauth_error(400, "invalid_request", "grant_type is required, once")
        if form["grant_type"] != "client_credentials":
            return answers.oauth_error(400, "unsupported_grant_type", "use client_credentials")
        credentials = _credentials(request, form)
        if credentials is None:
            return answers.oauth_error(400, "invalid_client", "client credentials are missing")
        if not self._accepts(*credentials):
            return answers.oauth_error(401, "invalid_client", "authentication failed")
        return self._grant(credentials[0], form.get("scope", ""))

    def find(self, *, token: str) -> Grant | None:
        """Return what an access token stands for, or None when it is no longer good."""
        grant = self._grants.get(token)
        return grant if grant and self._clock() < grant.expires_at else None

    def revoke_all(self) -> int:
        """Make every access token invalid; return how many there were."""
        revoked = len(self._grants)
        self._grants.clear()
        return revoked

    def _accepts(self, client_id: str, secret: str) -> bool:
        expected = ((self._rules.client_id, client_id), (self._rules.client_secret, secret))
        return all(
            rule is None or hmac.compare_digest(rule.encode(), given.encode("utf-8", "replace"))
            for rule, given in expected
        )

    def _grant(self, client_id: str, requested: str) -> Answer:
        grantable = self._rules.grantable
        scopes = tuple(requested.split()) or grantable or _EVERY_SCOPE
        if grantable is not None:
            scopes = tuple(scope for scope in scopes if scope in grantable)
        token = secrets.token_urlsafe(64)
        lifetime = self._rules.lifetime
        self._grants[token] = Grant(client_id, scopes, self._clock() + lifetime)
        if len(self._grants) > _KEPT:
            self._grants.popitem(last=False)
        body = {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}
        return Answer(200, {**body, "scope": " ".join(scopes)}, {"Cache-Control": "no-store"})


def bearer_token(*, request: Request) -> str | None:
    """Return the token of `Authorization: Bearer …`, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str] | None:
    """Return client id and secret, from HTTP Basic if it is there, else from the form."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return None
        client_id, colon, secret = decoded.partition(":")
        return (client_id, secret) if client_id and colon else None
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    return (client_id, secret) if client_id and secret else None

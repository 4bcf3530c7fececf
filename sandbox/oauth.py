"""The token endpoint: client credentials in the form or as HTTP Basic (RFC 6749, 4.4)."""

import base64
import binascii
import hmac
import secrets
import time
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sandbox.wire import Answer, Request

_KEPT = 100_000  # access tokens remembered; the oldest go first


@dataclass(frozen=True, slots=True)
class Grant:
    """What one access token stands for. `expires_at` is on the monotonic clock."""

    client_id: str
    scopes: tuple[str, ...]
    expires_at: float


class AccessTokens:
    """Issues access tokens and knows which are still good. An option of None accepts anything."""

    def __init__(self, *, options: Namespace, every_scope: Sequence[str]) -> None:
        self._client = (options.client_id, options.client_secret)
        self._grantable = options.grant_scopes
        self._unasked = options.grant_scopes or every_scope
        self._lifetime = options.token_seconds
        self._grants: OrderedDict[str, Grant] = OrderedDict()

    def issue(self, request: Request) -> Answer:
        """Answer a call to the token endpoint."""
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = dict(pairs)
        if len(form) != len(pairs) or "grant_type" not in form:
            return _refused(400, "invalid_request", "grant_type is required, once")
        if form["grant_type"] != "client_credentials":
            return _refused(400, "unsupported_grant_type", "use client_credentials")
        credentials = _credentials(request, form)
        if credentials is None:
            return _refused(400, "invalid_client", "client credentials are missing")
        if not self._accepts(*credentials):
            return _refused(401, "invalid_client", "authentication failed")
        return self._grant(credentials[0], form.get("scope", ""))

    def find(self, *, token: str) -> Grant | None:
        """Return what an access token stands for, or None when it is no longer good."""
        grant = self._grants.get(token)
        return grant if grant and time.monotonic() < grant.expires_at else None

    def revoke_all(self) -> int:
        """Make every access token invalid; return how many there were."""
        revoked = len(self._grants)
        self._grants.clear()
        return revoked

    def _accepts(self, client_id: str, secret: str) -> bool:
        return all(
            wanted is None or hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace"))
            for wanted, given in zip(self._client, (client_id, secret), strict=True)
        )

    def _grant(self, client_id: str, requested: str) -> Answer:
        asked = requested.split() or self._unasked
        scopes = tuple(s for s in asked if self._grantable is None or s in self._grantable)
        token = secrets.token_urlsafe(64)
        self._grants[token] = Grant(client_id, scopes, time.monotonic() + self._lifetime)
        if len(self._grants) > _KEPT:
            self._grants.popitem(last=False)
        body = {"access_token": token, "token_type": "Bearer", "expires_in": self._lifetime}
        return Answer(200, {**body, "scope": " ".join(scopes)}, {"Cache-Control": "no-store"})


def bearer_token(*, request: Request) -> str | None:
    """Return the token of `Authorization: Bearer …`, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _refused(status: int, code: str, description: str) -> Answer:
    """Return an error of the token endpoint (RFC 6749, 5.2); `description` is the vendor's own."""
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
    body = {"error": code, "description": description, "error_description": description}
    return Answer(status, body, headers)


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

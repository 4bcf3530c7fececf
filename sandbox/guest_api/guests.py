"""Guests and their ephemeral tokens, as the requirements describe them."""

import base64
import hmac
import re
import secrets
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.errors import invalid_fields, invalid_json, not_found
from sandbox.guest_api import refusals
from sandbox.platforms import Permission, Route
from sandbox.wire import Answer, Request, new_id, timestamp, to_json

_KEPT = 1_000_000  # guests remembered; the oldest go first
_TOKEN_LIFETIME = timedelta(hours=1)  # the requirements' example
_GUESTS = Permission("webchat:guest:write", refusals.missing_scope)
_TOKENS = Permission("webchat:token:write", refusals.missing_scope)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(
    rf'({_ATOM}(\.{_ATOM})*|"([^"\\\x00-\x1f]|\\[\x20-\x7e])*")@{_ATOM}(\.{_ATOM})*', re.ASCII
)  # addr-spec of RFC 5322, 3.4.1, without comments and domain literals


class GuestApi:
    """Keeps the protocol `sandbox.platforms.Platform`; remembers the guests made so far."""

    endpoints: tuple[str, ...] = ("guests", "tokens")
    scopes: tuple[str, ...] = (_GUESTS.scope, _TOKENS.scope, "webchat:guest:read")

    @staticmethod
    def add_arguments(*, add: Callable[..., object]) -> None:
        """Declare where the guests are, and whether consent is a must."""
        path = "/api/v2/webchat/v1/guests"
        add("--guests-path", default=path, metavar="PATH", help="%(default)s")
        add("--refuse-declined", action="store_true", help="answer 403 to guests without consent")

    def __init__(self, *, options: Namespace) -> None:
        path = re.escape(options.guests_path)
        self.routes = (
            Route("guests", re.compile(path), self.create, _GUESTS, creates_guests=True),
            Route("tokens", re.compile(f"{path}/([^/]*)/tokens"), self.issue_token, _TOKENS),
        )
        self._refuse_declined = options.refuse_declined
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._signing_key = secrets.token_bytes(32)

    def create(self, request: Request) -> Answer:
        """Answer a guest creation: 201 and an echo, 400, or 403 for a declined one."""
        guest = request.json_object()
        if guest is None:
            return invalid_json()
        if problems := _problems(guest):
            return invalid_fields(problems=problems)
        if self._refuse_declined and guest["consentGiven"] is False:
            return refusals.consent_refused()
        fields = ("name", "email", "consentGiven", "consentType", "attributes")
        echo = {name: guest[name] for name in fields if name in guest}
        created = timestamp(datetime.now(UTC))
        return Answer(201, {"id": self._remember(), **echo, "createdDate": created})

    def issue_token(self, request: Request, guest_id: str) -> Answer:
        """Answer with a signed, short-lived token for a guest, or 404."""
        if guest_id not in self._ids:
            return not_found(name="guest", entity_id=guest_id)
        if request.body and request.json_object() is None:
            return invalid_json()
        expires = datetime.now(UTC) + _TOKEN_LIFETIME
        token = self._jwt(guest_id, expires)
        return Answer(200, {"token": token, "expires_at": timestamp(expires)})

    def forget(self) -> None:
        """Forget every guest."""
        self._ids.clear()

    def _remember(self) -> str:
        guest_id = new_id()
        self._ids[guest_id] = None
        if len(self._ids) > _KEPT:
            self._ids.popitem(last=False)
        return guest_id

    def _jwt(self, guest_id: str, expires: datetime) -> str:
        once = secrets.token_hex(8)  # two tokens of one second differ
        claims = {"sub": guest_id, "typ": "human", "exp": int(expires.timestamp()), "jti": once}
        header = {"alg": "HS256", "typ": "JWT"}
        signed = f"{_base64url(to_json(header))}.{_base64url(to_json(claims))}"
        signature = hmac.digest(self._signing_key, signed.encode(), "sha256")
        return f"{signed}.{_base64url(signature)}"


def _problems(guest: dict[str, Any]) -> dict[str, str]:
    """Return the fields at fault, each with its error code."""
    email = guest.get("email")
    good = {
        "consentGiven": isinstance(guest.get("consentGiven"), bool),
        "consentType": guest.get("consentType") in ("explicit", "implicit"),
        "email": isinstance(email, str) and len(email) <= 254 and bool(_ADDRESS.fullmatch(email)),
        "name": isinstance(guest.get("name", ""), str),
        "attributes": isinstance(guest.get("attributes", {}), dict),
    }
    required = ("consentGiven", "consentType", "email")
    return {
        name: "missing" if name in required and name not in guest else "invalid"
        for name, is_good in good.items()
        if not is_good
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

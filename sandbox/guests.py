"""Guests and their ephemeral tokens, as the seed describes them."""

import base64
import hmac
import json
import re
import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import answers
from sandbox.answers import FieldProblem
from sandbox.wire import Answer, new_id, to_json

_KEPT = 1_000_000  # guests remembered; the oldest go first
_TOKEN_LIFETIME = timedelta(hours=1)  # the seed's example
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(
    rf'({_ATOM}(\.{_ATOM})*|"([^"\\\x00-\x1f]|\\[\x20-\x7e])*")@{_ATOM}(\.{_ATOM})*', re.ASCII
)  # addr-spec of RFC 5322, 3.4.1, without comments and domain literals


class Guests:
    """The guests made so far."""

    def __init__(self, *, refuse_declined: bool) -> None:
        self._refuse_declined = refuse_declined
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._signing_key = secrets.token_bytes(32)

    def create(self, *, body: bytes) -> Answer:
        """Answer a guest creation: 201 and an echo, 400, or 403 for a declined one."""
        guest = _json_object(body)
        if guest is None:
            return answers.error(400, "invalid.json", "The request body is not a JSON object.")
        if problems := _problems(guest):
            return answers.invalid_fields(problems)
        if self._refuse_declined and guest["consentGiven"] is False:
            return answers.consent_refused()
        fields = ("name", "email", "consentGiven", "consentType", "attributes")
        echo = {name: guest[name] for name in fields if name in guest}
        return Answer(201, {"id": self._remember(), **echo, "createdDate": _iso(_now())})

    def issue_token(self, *, guest_id: str, body: bytes) -> Answer:
        """Answer with a signed, short-lived token for a guest, or 404."""
        if guest_id not in self._ids:
            return answers.guest_not_found(guest_id)
        if body and _json_object(body) is None:
            return answers.error(400, "invalid.json", "The request body is not a JSON object.")
        expires = _now() + _TOKEN_LIFETIME
        return Answer(200, {"token": self._jwt(guest_id, expires), "expires_at": _iso(expires)})

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
        claims = {
            "sub": guest_id,
            "typ": "human",
            "exp": int(expires.timestamp()),
            "jti": secrets.token_hex(8),  # two tokens of one second differ
        }
        signed = (
            f"{_base64url(to_json({'alg': 'HS256', 'typ': 'JWT'}))}.{_base64url(to_json(claims))}"
        )
        signature = hmac.digest(self._signing_key, signed.encode(), "sha256")
        return f"{signed}.{_base64url(signature)}"


def _problems(guest: dict[str, Any]) -> list[FieldProblem]:
    """Return what the seed's platform refuses, and types that no platform would take."""
    email = guest.get("email")
    good = {
        "consentGiven": isinstance(guest.get("consentGiven"), bool),
        "consentType": guest.get("consentType") in ("explicit", "implicit"),
        "email": isinstance(email, str) and len(email) <= 254 and bool(_ADDRESS.fullmatch(email)),
        "name": isinstance(guest.get("name", ""), str),
        "attributes": isinstance(guest.get("attributes", {}), dict),
    }
    required = ("consentGiven", "consentType", "email")
    return [
        FieldProblem(name, "missing" if name in required and name not in guest else "invalid")
        for name, is_good in good.items()
        if not is_good
    ]


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _now() -> datetime:
    return datetime.now(UTC)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

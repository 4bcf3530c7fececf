"""The tutorial's Guest API: create a guest, issue its token.

The tutorial is the only contract there is for these addresses (README, *What is known about the
platform*); paths, scopes and credential style are therefore settings.
"""

import functools
import logging
import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings

from backoffice.foreign import storable
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Credentials, PlatformError, Protocol, Refused, Rejected
from provisioning.genesys.gate import Gate, Reservation
from provisioning.genesys.oauth import ClientCredentials, TokenSource
from provisioning.genesys.retry import about, send
from provisioning.genesys.transport import Answer, Transport

logger = logging.getLogger(__name__)
_GUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
# ISO 8601 in digits and its own separators: `fromisoformat` takes any character between the parts.
_MOMENT = r"[0-9TtZz:.,+ W-]{8,40}"
_WORD = r"[A-Za-z_-]{1,16}"


@dataclass(frozen=True)
class GuestRequest:
    """The guest we ask for."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    consent_given: bool
    consent_type: str
    attributes: Mapping[str, Any] = field(repr=False)

    @functools.cached_property
    def payload(self) -> Mapping[str, Any]:
        """The JSON object that is sent, in the seed's order; made once."""
        return {
            "name": self.name,
            "email": self.email,
            "consentGiven": self.consent_given,
            "consentType": self.consent_type,
            "attributes": dict(self.attributes),
        }


@dataclass(frozen=True)
class Guest:
    """The guest the platform made, and what it says of the consent (None: it said nothing)."""

    id: str
    consent_given: bool | None
    consent_type: str | None
    created_date: str


@dataclass(frozen=True)
class GuestToken:
    """The visitor's ephemeral token; `expires_at` is the platform's own ISO 8601 text."""

    value: str = field(repr=False)
    expires_at: str


class _Sending:
    """Tells, when calls were made inside it, whether one of them may have gone out."""

    def __init__(self) -> None:
        self.done = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        self.done |= exc is None or getattr(exc, "arrived", True)


class GenesysClient:
    """Call the platform. The constructor does no I/O."""

    def __init__(
        self,
        *,
        guests_url: str,
        transport: Transport,
        tokens: TokenSource,
        gate: Gate,
        attempts: int,
    ) -> None:
        self.gate = gate
        self.tokens = tokens
        self._guests_url = guests_url
        self._transport = transport
        self._attempts = attempts

    def reserve(self, *, guest: GuestRequest | None, deadline: Deadline) -> Reservation:
        """Wait until an init may make its calls: a guest and its token, or a token alone (None).

        Our own access token is there then, and nothing was asked of the platform for the visitor.
        Raises PlatformError.
        """
        self.tokens.get(deadline=deadline)
        return self.gate.reserve(calls=2 if guest else 1, deadline=deadline)

    def create_guest(
        self, *, guest: GuestRequest, reservation: Reservation, deadline: Deadline
    ) -> Guest:
        """Create `guest`; never repeated once it may have arrived.

        Raises PlatformError, whose `arrived` tells whether a guest may exist, and whose `sent`
        whether the visitor's data went out.
        """
        sending = _Sending()
        try:
            answer = self._call(
                self._guests_url,
                guest.payload,
                reservation,
                deadline,
                repeatable=False,
                sending=sending,
            )
            if answer.status in (400, 403, 422):
                raise Refused("the platform refused the guest", **about(answer))
            _expect_success(answer)
            return _read_guest(answer)
        except PlatformError as exc:
            exc.sent = sending.done
            raise

    def issue_token(
        self, *, guest_id: str, reservation: Reservation, deadline: Deadline
    ) -> GuestToken:
        """Issue an ephemeral token for `guest_id`. Raises PlatformError."""
        url = f"{self._guests_url}/{quote(guest_id, safe='')}/tokens"
        answer = self._call(url, {}, reservation, deadline, repeatable=True)
        _expect_success(answer)
        return _read_guest_token(answer)

    def _call(
        self,
        url: str,
        payload: Mapping[str, Any],
        reservation: Reservation,
        deadline: Deadline,
        *,
        repeatable: bool,
        sending: _Sending | None = None,
    ) -> Answer:
        """POST with our access token; after a 401 once more with a new one."""
        token = self.tokens.get(deadline=deadline)

        def post() -> Answer:
            bearer = {"Authorization": f"Bearer {token.value}"}
            with sending or nullcontext():
                return self._transport.post(url, deadline=deadline, json=payload, headers=bearer)

        answered = functools.partial(
            send,
            post,
            gate=self.gate,
            reservation=reservation,
            deadline=deadline,
            attempts=self._attempts,
            repeatable=repeatable,
        )
        answer = answered()
        if answer.status == 401:
            token = self.tokens.get(deadline=deadline, rejected=token)
            reservation.add_one(deadline=deadline)
            answer = answered()
        _expect_credentials(answer)
        return answer


def _expect_credentials(answer: Answer) -> None:
    if answer.status == 401:
        raise Credentials(
            "the platform rejects a token it has just issued",
            remedy="Check that GENESYS_BASE_URL and GENESYS_OAUTH_URL are of one region.",
            **about(answer),
        )
    if answer.status == 403 and (scope := _missing_scope(answer)):
        remedy = f"Give the OAuth client's role the scope {scope}."
        logger.error("the platform refused us: our OAuth client lacks a scope. %s", remedy)
        said = about(answer)
        if scope in settings.GENESYS_SCOPES.split():  # ours, and no text of the platform's
            said["platform_code"] = scope[:64]
        raise Credentials("our OAuth client lacks a scope", remedy=remedy, **said)


def _expect_success(answer: Answer) -> None:
    if 400 <= answer.status < 500:
        raise Rejected("the platform rejected the request", **about(answer))
    if answer.status not in (200, 201):
        raise Protocol("the platform answered neither yes nor no", arrived=True, **about(answer))


def _missing_scope(answer: Answer) -> str:
    """Return the scope that a 403 names: the seed's ``cause``, or the vendor's message."""
    body = answer.body if isinstance(answer.body, dict) else {}
    told = " ".join(storable(body.get(name), limit=300) for name in ("cause", "code", "message"))
    if "scope" not in told:
        return ""
    named = re.search(r"[a-zA-Z]+(?::[a-zA-Z-]+){1,3}", told)
    return named.group() if named else "that it is missing"


def _read_guest(answer: Answer) -> Guest:
    body = answer.body if isinstance(answer.body, dict) else {}
    guest_id = body.get("id")
    if not isinstance(guest_id, str) or not _GUEST_ID.fullmatch(guest_id):
        raise Protocol("the platform's guest has no usable id", arrived=True, **about(answer))
    given, kind, created = (body.get(n) for n in ("consentGiven", "consentType", "createdDate"))
    return Guest(
        id=guest_id,
        consent_given=given if isinstance(given, bool) else None,
        consent_type=storable(kind, limit=16, shape=_WORD) if isinstance(kind, str) else None,
        created_date=storable(created, limit=40, shape=_MOMENT),
    )


def _read_guest_token(answer: Answer) -> GuestToken:
    body = answer.body if isinstance(answer.body, dict) else {}
    value = body.get("token")
    if not isinstance(value, str) or not 0 < len(value) <= 16_384 or not value.isprintable():
        raise Protocol("the platform's token is not one", **about(answer))
    expires_at = storable(body.get("expires_at"), limit=40, shape=_MOMENT)
    try:
        datetime.fromisoformat(expires_at)
    except ValueError as exc:
        raise Protocol("the platform's token says no expiry", **about(answer)) from exc
    return GuestToken(value=value, expires_at=expires_at)


@functools.cache
def get_client() -> GenesysClient:
    """Return this process's client, built from the settings at first use."""
    gate = Gate(rate_per_minute=settings.GENESYS_RATE_PER_MINUTE)
    transport = Transport(
        connect_timeout=settings.GENESYS_CONNECT_TIMEOUT,
        read_timeout=settings.GENESYS_READ_TIMEOUT,
        pool_size=min(settings.MAX_IN_FLIGHT, 1000),
        ca_bundle=settings.GENESYS_CA_BUNDLE,
        proxy=settings.GENESYS_PROXY,
    )
    tokens = TokenSource(
        credentials=ClientCredentials(
            url=settings.GENESYS_OAUTH_URL,
            client_id=settings.GENESYS_CLIENT_ID,
            client_secret=settings.GENESYS_CLIENT_SECRET,
            scopes=settings.GENESYS_SCOPES,
            style=settings.GENESYS_OAUTH_AUTH,
        ),
        transport=transport,
        gate=gate,
        attempts=settings.GENESYS_MAX_ATTEMPTS,
    )
    return GenesysClient(
        guests_url=settings.GENESYS_BASE_URL + settings.GENESYS_GUESTS_PATH,
        transport=transport,
        tokens=tokens,
        gate=gate,
        attempts=settings.GENESYS_MAX_ATTEMPTS,
    )

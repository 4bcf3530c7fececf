"""Calls with our access token, for whichever platform: reserved, repeated, and read alike."""

import functools
import logging
import re
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from typing import Any

from django.conf import settings

from backoffice.foreign import storable
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Credentials, Protocol, Rejected
from provisioning.genesys.gate import Gate, Reservation
from provisioning.genesys.oauth import ClientCredentials, TokenSource
from provisioning.genesys.retry import Repeatable, about, send
from provisioning.genesys.transport import Answer, Transport

logger = logging.getLogger(__name__)
# A permission as in externalContacts:contact:enrich, a scope as in webchat:guest:write.
_GRANT = re.compile(r"[a-zA-Z]+(?::[a-zA-Z-]+){1,3}")


class Sending:
    """Tells, when calls were made inside it, whether one of them may have gone out."""

    def __init__(self) -> None:
        self.done = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        self.done |= exc is None or getattr(exc, "arrived", True)


class Calls:
    """Call the platform. `grants` are the scopes or permissions that its calls need."""

    def __init__(self, *, grants: Collection[str]) -> None:
        self.grants = frozenset(grants)
        self.gate = Gate(rate_per_minute=settings.GENESYS_RATE_PER_MINUTE)
        self._attempts = settings.GENESYS_MAX_ATTEMPTS
        self._transport = Transport(
            connect_timeout=settings.GENESYS_CONNECT_TIMEOUT,
            read_timeout=settings.GENESYS_READ_TIMEOUT,
            pool_size=min(settings.MAX_IN_FLIGHT, 1000),
            ca_bundle=settings.GENESYS_CA_BUNDLE,
            proxy=settings.GENESYS_PROXY,
        )
        self.tokens = TokenSource(
            credentials=ClientCredentials(
                url=settings.GENESYS_OAUTH_URL,
                client_id=settings.GENESYS_CLIENT_ID,
                client_secret=settings.GENESYS_CLIENT_SECRET,
                scopes=settings.GENESYS_SCOPES,
                style=settings.GENESYS_OAUTH_AUTH,
            ),
            transport=self._transport,
            gate=self.gate,
            attempts=self._attempts,
        )

    def reserve(self, *, calls: int, deadline: Deadline) -> Reservation:
        """Wait until `calls` may be made. Raises PlatformError.

        Our own access token is there then, and nothing was asked of the platform for the visitor.
        Where no call will be made, nothing is asked of anybody.
        """
        if not calls:
            return Reservation(self.gate, 0)
        self.tokens.get(deadline=deadline)
        return self.gate.reserve(calls=calls, deadline=deadline)

    def make(
        self,
        path: str,
        payload: Mapping[str, Any] | None = None,
        *,
        reservation: Reservation,
        deadline: Deadline,
        method: str = "POST",
        repeatable: Repeatable = True,
        sending: Sending | None = None,
    ) -> Answer:
        """Make one call, after a 401 once more with a new token; `path` begins with a slash.

        Raises PlatformError, also where it will not have us. Any other answer is the caller's.
        """
        url = settings.GENESYS_BASE_URL + path
        token = self.tokens.get(deadline=deadline)

        def call() -> Answer:
            bearer = {"Authorization": f"Bearer {token.value}"}
            with sending or nullcontext():
                return self._transport.send(
                    method, url, deadline=deadline, json=payload, headers=bearer
                )

        answered = functools.partial(
            send,
            call,
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
        self._expect_credentials(answer)
        return answer

    def _expect_credentials(self, answer: Answer) -> None:
        if answer.status == 401:
            raise Credentials(
                "the platform rejects a token it has just issued",
                remedy="Check that GENESYS_BASE_URL and GENESYS_OAUTH_URL are of one region.",
                **about(answer),
            )
        if answer.status != 403:
            return
        kind, missing = missing_grant(answer)
        if kind:
            remedy = f"Give the OAuth client's role the {kind} {missing}."
            logger.error("the platform refused us: our OAuth client lacks a %s. %s", kind, remedy)
            said = about(answer)
            if missing in self.grants:  # ours, and no text of the platform's
                said["platform_code"] = missing[:64]
            raise Credentials(f"our OAuth client lacks a {kind}", remedy=remedy, **said)


def expect_success(answer: Answer, *, remedy: str = "") -> None:
    """Raise Rejected for a 4xx, Protocol for what is neither yes nor no."""
    if 400 <= answer.status < 500:
        raise Rejected("the platform rejected the request", remedy=remedy, **about(answer))
    if answer.status not in (200, 201, 202, 204):
        raise Protocol("the platform answered neither yes nor no", arrived=True, **about(answer))


def missing_grant(answer: Answer) -> tuple[str, str]:
    """Return what a 403 says is missing: its kind, ``scope`` or ``permission``, and its name.

    The seed names a scope in ``cause``, the vendor a permission in ``message`` under a code such as
    ``missing.any.permissions``. Two empty texts: nothing of the kind.
    """
    body = answer.body if isinstance(answer.body, dict) else {}
    code = storable(body.get("code"), limit=64)
    told = " ".join(storable(body.get(name), limit=300) for name in ("cause", "message"))
    if re.match(r"missing\..*permission", code):
        kind = "permission"
    elif "scope" in f"{told} {code}":
        kind = "scope"
    else:
        return "", ""
    named = _GRANT.search(f"{told} {code}")
    return kind, named.group() if named else "that it is missing"

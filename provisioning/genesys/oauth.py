"""Our access token: fetched once for all who need it, kept until shortly before it expires.

Client credentials grant, RFC 6749 section 4.4. Threads of one process wait for one another on a
lock; processes that share a cache wait for one another on a key in it. Every wait ends with the
deadline of the init that waits.
"""

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import InvalidToken
from django.core.cache import cache

from backoffice.private import cipher
from provisioning.atomic import Done, Fields, Step, Value, number
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Credentials, PlatformError, Protocol, Unavailable
from provisioning.genesys.gate import Gate, Reservation
from provisioning.genesys.retry import about, send
from provisioning.genesys.transport import Answer, Transport

# The shortest lifetime an organisation can configure; assumed where `expires_in` makes no sense.
SHORTEST_LIFE_SECONDS = 300
LONGEST_LIFE_SECONDS = 172_800
# A process killed while it refreshes keeps the others waiting no longer than this.
LOCK_SECONDS = 10
# After a failed early refresh the old token serves this long before the next try.
EARLY_RETRY_SECONDS = 5
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Token:
    """A bearer token and when it ends, on this process's monotonic clock.

    `scopes`: what it was granted, None where the platform did not say.
    """

    value: str = field(repr=False)
    ends_at: float
    life: float
    scopes: frozenset[str] | None = None

    @property
    def refresh_at(self) -> float:
        """Return when to fetch the next one: 60 s before the end, or 10 % of a short life."""
        return self.ends_at - min(60.0, self.life / 10)


@dataclass(frozen=True)
class ClientCredentials:
    """How we identify ourselves; `style` is ``body`` (the seed) or ``basic`` (the SDKs)."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    style: str

    def request(self) -> dict[str, Any]:
        """Return what to POST to the token endpoint, as arguments of requests."""
        form = {"grant_type": "client_credentials"}
        if self.style == "basic":
            return {"data": form, "auth": (self.client_id, self.client_secret)}
        identity = {"client_id": self.client_id, "client_secret": self.client_secret}
        return {"data": form | identity | {"scope": self.scopes}}

    def cache_key(self) -> str:
        """Return a cache key that changes with the endpoint, the client and its scopes."""
        identity = "\n".join((self.url, self.client_id, self.client_secret, self.scopes))
        return f"genesys:token:{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _keep(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    fields["sealed"], fields["life"] = values
    return [], number(values[1])


def _find(fields: Fields, ends_at: float, now: float, values: Sequence[Value]) -> Done:
    return [fields.get("sealed", ""), ends_at - now, fields.get("life", 0)], 0


# What is left of a token's life is the cache's to say: machines' clocks may differ.
KEEP = Step(
    "token-keep",
    """
redis.call('HSET', KEYS[1], 'sealed', ARGV[1], 'life', ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.floor(tonumber(ARGV[2]) * 1000))
return {}
""",
    _keep,
)
FIND = Step(
    "token-find",
    """
local kept = redis.call('HMGET', KEYS[1], 'sealed', 'life')
return {kept[1] or '', text(redis.call('PTTL', KEYS[1]) / 1000), kept[2] or '0'}
""",
    _find,
)


class TokenSource:
    """Hand out the current token; at most one request for a new one is ever under way."""

    def __init__(
        self, *, credentials: ClientCredentials, transport: Transport, gate: Gate, attempts: int
    ) -> None:
        self._credentials = credentials
        self._transport = transport
        self._gate = gate
        self._attempts = attempts
        self._key = credentials.cache_key()
        self._cipher = cipher(purpose=b"platform token")
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._not_before = 0.0  # no early refresh sooner
        self._failure: tuple[float, PlatformError] | None = None

    def get(self, *, deadline: Deadline, rejected: Token | None = None) -> Token:
        """Return a token other than `rejected` (one that the platform answered with 401).

        Raises Credentials, Protocol, Busy, Unavailable or TimedOut.
        """
        now = time.monotonic()
        token = self._token
        if token is None or token is rejected or now >= token.ends_at:
            try:
                return self._wait_for_new(deadline, rejected)
            except PlatformError as exc:
                exc.arrived = False  # the token request, perhaps; never the call it was for
                raise
        if now >= token.refresh_at and now >= self._not_before:
            return self._refresh_early(token, deadline)
        return token

    def ask(self, *, deadline: Deadline) -> Token:
        """Ask the platform for a token once, for `check_genesys`, and keep it in no cache.

        Also while the gate is closed: whoever asks wants to know now. Raises what `get` raises.
        """
        return self._fetch(deadline, Reservation(self._gate, 0), attempts=1)

    def _wait_for_new(self, deadline: Deadline, rejected: Token | None) -> Token:
        asked_at = time.monotonic()
        if not self._lock.acquire(timeout=deadline.remaining()):
            deadline.remaining()
            raise Unavailable("no access token in time")
        try:
            token = self._token
            if token and token is not rejected and time.monotonic() < token.ends_at:
                return token  # somebody fetched it while we waited
            if self._failure and self._failure[0] > asked_at:
                raise self._failure[1]  # somebody tried for us while we waited
            return self._fetch_shared(deadline, rejected)
        except PlatformError as exc:
            if self._failure is None or self._failure[1] is not exc:
                self._failure = (time.monotonic(), exc)
            raise
        finally:
            self._lock.release()

    def _refresh_early(self, token: Token, deadline: Deadline) -> Token:
        """Let one caller fetch the next token; whoever comes meanwhile uses the old one."""
        if not self._lock.acquire(blocking=False):
            return token
        try:
            return self._fetch_shared(deadline.at_most(deadline.remaining() / 2), token)
        except PlatformError:
            self._not_before = time.monotonic() + EARLY_RETRY_SECONDS
            return token
        finally:
            self._lock.release()

    def _fetch_shared(self, deadline: Deadline, rejected: Token | None) -> Token:
        """Take another process's new token, or be the one process that fetches it."""
        lock = f"{self._key}:lock"
        while not (shared := self._from_cache(rejected)):
            if cache.add(lock, 1, LOCK_SECONDS):
                try:
                    # Looked for again: another process may have kept one, and given the lock back.
                    self._token = self._from_cache(rejected) or self._fetch_and_keep(deadline)
                finally:
                    cache.delete(lock)
                return self._token
            deadline.sleep(_POLL_SECONDS)
        self._token = shared
        return shared

    def _fetch_and_keep(self, deadline: Deadline) -> Token:
        # The platform's limit does not count token requests.
        reservation = self._gate.reserve(calls=0, deadline=deadline)
        token = self._fetch(deadline, reservation, self._attempts)
        sealed = self._cipher.encrypt(token.value.encode()).decode()
        KEEP.run(key=self._key, values=[sealed, token.life])
        return token

    def _from_cache(self, rejected: Token | None) -> Token | None:
        sealed, left, life = FIND.run(key=self._key)
        try:
            value = self._cipher.decrypt(str(sealed)).decode()
        except InvalidToken:  # there is none, or one that another SECRET_KEY has sealed
            return None
        if rejected is not None and value == rejected.value:
            return None
        life = min(number(life), LONGEST_LIFE_SECONDS)
        return Token(value, time.monotonic() + min(number(left), life), life)

    def _fetch(self, deadline: Deadline, reservation: Reservation, attempts: int) -> Token:
        answer = send(
            lambda: self._transport.send(
                "POST", self._credentials.url, deadline=deadline, **self._credentials.request()
            ),
            gate=self._gate,
            reservation=reservation,
            deadline=deadline,
            attempts=attempts,
            repeatable=True,
        )
        return _read_token(answer)


def _read_token(answer: Answer) -> Token:
    body = answer.body if isinstance(answer.body, dict) else {}
    details = about(answer)
    if answer.status in (400, 401, 403):
        raise Credentials(
            "the platform does not accept our client credentials",
            remedy=_remedy(body.get("error"), answer.status),
            **details,
        )
    value = body.get("access_token")
    if answer.status != 200 or not isinstance(value, str) or not 0 < len(value) <= 16_384:
        raise Protocol("the token endpoint's answer is not a token", **details)
    if not value.isascii() or not value.isprintable():
        raise Protocol("the token endpoint's answer is not a token", **details)
    life = _life(body.get("expires_in"))
    scope = body.get("scope")
    scopes = frozenset(scope.split()) if isinstance(scope, str) else None
    return Token(value, time.monotonic() + life, life, scopes)


def _life(expires_in: Any) -> float:
    """Return the seconds a token is good for; the shortest life where that is no answer."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return SHORTEST_LIFE_SECONDS
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):  # words, or a number of hundreds of digits
        return SHORTEST_LIFE_SECONDS
    if not seconds > 0:  # NaN is not either
        return SHORTEST_LIFE_SECONDS
    return min(seconds, LONGEST_LIFE_SECONDS)


def _remedy(error: object, status: int) -> str:
    if error == "invalid_scope" or status == 403:
        return "Give the OAuth client's role the scopes named in GENESYS_SCOPES."
    if error == "unauthorized_client":
        return "The OAuth client is inactive or is not of type Client Credentials: activate it."
    if error == "unsupported_grant_type":
        return "The OAuth client must be of type Client Credentials."
    return "Check GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET, GENESYS_OAUTH_URL and _AUTH."

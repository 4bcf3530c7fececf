"""Our access token: when it is fetched, how long it is kept, and who fetches it."""

from typing import Any

import pytest
from django.core.cache import cache

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Credentials, PlatformError, Protocol, Unavailable
from provisioning.genesys.gate import FAILURES_TO_CLOSE, Gate
from provisioning.genesys.oauth import (
    EARLY_RETRY_SECONDS,
    LONGEST_LIFE_SECONDS,
    SHORTEST_LIFE_SECONDS,
    ClientCredentials,
    Token,
    TokenSource,
)
from provisioning.genesys.transport import Answer
from tests.support.clock import Clock

HOUR = 3600
DOWN = Unavailable("no connection to the platform")


class Endpoint:
    """A token endpoint in place of the transport: a new token for each POST, or what is `wrong`."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.fields: dict[str, Any] = {"expires_in": HOUR}
        self.wrong: Answer | PlatformError | None = None

    def send(self, method: str, url: str, *, deadline: Deadline, **request: Any) -> Answer:
        self.posts.append({"method": method, "url": url, **request})
        if isinstance(self.wrong, PlatformError):
            raise self.wrong
        token = {"access_token": f"token-{len(self.posts)}", **self.fields}
        return self.wrong or Answer(200, {}, token)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


def new_source(endpoint: Endpoint, *, style: str = "body") -> TokenSource:
    """Return what a process starts with: no token, and the cache that all of them share."""
    return TokenSource(
        credentials=ClientCredentials(
            url="https://platform.example/oauth/token",
            client_id="client",
            client_secret="secret",
            scopes="guest:write token:write",
            style=style,
        ),
        transport=endpoint,  # type: ignore[arg-type]
        gate=Gate(rate_per_minute=0),
        attempts=1,
    )


@pytest.fixture
def source(endpoint: Endpoint, clock: Clock) -> TokenSource:
    return new_source(endpoint)


# --- Kept until shortly before its end ----------------------------------------------------------


def test_a_token_is_kept_until_a_minute_before_its_end(
    source: TokenSource, endpoint: Endpoint, clock: Clock, deadline: Deadline
) -> None:
    source.get(deadline=deadline)

    clock.pass_by(HOUR - 61)
    kept = source.get(deadline=Deadline(seconds=10))
    clock.pass_by(1)
    fresh = source.get(deadline=Deadline(seconds=10))

    assert (kept.value, fresh.value) == ("token-1", "token-2")
    assert len(endpoint.posts) == 2


def test_a_short_lived_token_is_kept_for_nine_tenths_of_its_life(
    source: TokenSource, endpoint: Endpoint, clock: Clock, deadline: Deadline
) -> None:
    endpoint.fields = {"expires_in": 300}
    source.get(deadline=deadline)

    clock.pass_by(269)
    kept = source.get(deadline=Deadline(seconds=10))
    clock.pass_by(1)
    fresh = source.get(deadline=Deadline(seconds=10))

    assert (kept.value, fresh.value) == ("token-1", "token-2")


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (86_400, 86_400),
        ("1800", 1800),
        (0.5, 0.5),
        (LONGEST_LIFE_SECONDS + 1, LONGEST_LIFE_SECONDS),
        (float("inf"), LONGEST_LIFE_SECONDS),
        *(
            (odd, SHORTEST_LIFE_SECONDS)
            for odd in (None, 0, -1, True, False, "", "soon", [3600], {}, float("nan"))
        ),
    ],
)
def test_the_life_is_what_the_platform_says_where_that_makes_sense(
    expires_in: Any, life: float, source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    endpoint.fields = {"expires_in": expires_in}

    assert source.ask(deadline=deadline).life == life


def test_a_life_that_is_not_told_is_the_shortest(
    source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    endpoint.fields = {}

    assert source.ask(deadline=deadline).life == SHORTEST_LIFE_SECONDS


# --- When an early refresh fails ----------------------------------------------------------------


@pytest.fixture
def old(source: TokenSource, endpoint: Endpoint, clock: Clock, deadline: Deadline) -> Token:
    """A token that has half a minute left, while the endpoint is down."""
    token = source.get(deadline=deadline)
    endpoint.wrong = DOWN
    clock.pass_by(HOUR - 30)
    return token


def test_a_failed_early_refresh_keeps_the_old_token(
    old: Token, source: TokenSource, endpoint: Endpoint
) -> None:
    assert source.get(deadline=Deadline(seconds=10)) is old
    assert len(endpoint.posts) == 2


def test_the_next_early_refresh_waits_a_moment(
    old: Token, source: TokenSource, endpoint: Endpoint, clock: Clock
) -> None:
    source.get(deadline=Deadline(seconds=10))
    endpoint.wrong = None

    clock.pass_by(EARLY_RETRY_SECONDS - 1)
    kept = source.get(deadline=Deadline(seconds=10))
    clock.pass_by(1)
    fresh = source.get(deadline=Deadline(seconds=10))

    assert kept is old
    assert fresh.value == "token-3"


def test_a_token_that_has_ended_serves_nobody(
    old: Token, source: TokenSource, clock: Clock
) -> None:
    clock.pass_by(30)

    with pytest.raises(Unavailable):
        source.get(deadline=Deadline(seconds=10))


def test_what_failed_for_the_token_never_arrived_for_the_guest(
    source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    endpoint.wrong = Unavailable("the connection to the platform broke", arrived=True)

    with pytest.raises(Unavailable) as caught:
        source.get(deadline=deadline)

    assert caught.value.arrived is False


# --- After a 401 --------------------------------------------------------------------------------


def test_a_rejected_token_is_replaced_once_for_all_who_hold_it(
    source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    rejected = source.get(deadline=deadline)

    fresh = {source.get(deadline=deadline, rejected=rejected) for _ in range(3)}

    assert {token.value for token in fresh} == {"token-2"}
    assert len(endpoint.posts) == 2


def test_a_process_with_the_next_secret_key_takes_the_token_of_the_last(
    source: TokenSource, endpoint: Endpoint, deadline: Deadline, settings: Any
) -> None:
    source.get(deadline=deadline)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next key " * 5

    token = new_source(endpoint).get(deadline=Deadline(seconds=10))

    assert (token.value, len(endpoint.posts)) == ("token-1", 1)


def test_a_rejected_token_is_not_taken_from_the_shared_cache(
    source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    rejected = source.get(deadline=deadline)

    other = new_source(endpoint).get(deadline=deadline, rejected=rejected)

    assert other.value == "token-2"


# --- Shared -------------------------------------------------------------------------------------


def test_another_process_uses_the_token_that_one_has_fetched(
    source: TokenSource, endpoint: Endpoint, clock: Clock, deadline: Deadline
) -> None:
    first = source.get(deadline=deadline)
    clock.pass_by(5)

    second = new_source(endpoint).get(deadline=deadline)

    assert (second.value, second.ends_at) == (first.value, pytest.approx(first.ends_at))
    assert len(endpoint.posts) == 1


def test_a_process_that_comes_late_takes_what_another_has_kept_meanwhile(
    source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    add = cache.add

    with pytest.MonkeyPatch.context() as patch:

        def kept_meanwhile(*lock: Any) -> bool:
            """Let another process fetch a token between our look and our lock."""
            patch.undo()
            new_source(endpoint).get(deadline=deadline)
            return add(*lock)

        patch.setattr(cache, "add", kept_meanwhile)
        token = source.get(deadline=deadline)

    assert token.value == "token-1"
    assert len(endpoint.posts) == 1


def test_asking_past_every_cache_leaves_them_as_they_are(
    source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    kept = source.get(deadline=deadline)

    asked = source.ask(deadline=deadline)

    assert asked.value == "token-2"
    assert source.get(deadline=deadline) is kept


def test_asks_also_while_the_gate_is_closed(
    source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    gate = Gate(rate_per_minute=0)
    for _ in range(FAILURES_TO_CLOSE):
        gate.report(DOWN)
    assert not gate.state().is_open

    assert source.ask(deadline=deadline).value == "token-1"


# --- What goes out and what comes back ----------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "request_"),
    [
        (
            "body",
            {
                "data": {
                    "grant_type": "client_credentials",
                    "client_id": "client",
                    "client_secret": "secret",
                    "scope": "guest:write token:write",
                }
            },
        ),
        ("basic", {"data": {"grant_type": "client_credentials"}, "auth": ("client", "secret")}),
    ],
)
def test_the_credentials_go_out_in_the_style_that_is_set(
    style: str, request_: dict[str, Any], endpoint: Endpoint, deadline: Deadline
) -> None:
    new_source(endpoint, style=style).get(deadline=deadline)

    asked = {"method": "POST", "url": "https://platform.example/oauth/token"}
    assert endpoint.posts == [{**asked, **request_}]


@pytest.mark.parametrize("value", [None, "", 7, "a\nb", "tök", "x" * 16_385])
def test_what_is_no_token_is_not_taken_for_one(
    value: Any, source: TokenSource, endpoint: Endpoint, deadline: Deadline
) -> None:
    endpoint.fields = {"access_token": value}

    with pytest.raises(Protocol):
        source.get(deadline=deadline)


@pytest.mark.parametrize(
    ("status", "error", "remedy"),
    [
        (401, "invalid_client", "GENESYS_CLIENT_ID"),
        (400, "unauthorized_client", "inactive"),
        (400, "unsupported_grant_type", "Client Credentials"),
        (400, "invalid_scope", "GENESYS_SCOPES"),
        (403, "", "GENESYS_SCOPES"),
    ],
)
def test_a_refusal_of_our_credentials_names_the_remedy(
    status: int,
    error: str,
    remedy: str,
    source: TokenSource,
    endpoint: Endpoint,
    deadline: Deadline,
) -> None:
    endpoint.wrong = Answer(status, {}, {"error": error})

    with pytest.raises(Credentials) as caught:
        source.get(deadline=deadline)

    assert remedy in caught.value.remedy


def test_a_token_is_never_shown() -> None:
    assert "secret-value" not in repr(Token("secret-value", 0.0, 1.0))

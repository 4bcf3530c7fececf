"""What the platform has to bear: cold starts, and twice as many visitors as its limit allows."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.candidates import Candidate
from tests.support import load
from tests.support.load import Load
from tests.support.sandbox import Sandbox

COLD = 500
# The sandbox grants this many calls a minute; an init is two, so half of it are visitors.
RATE_PER_MINUTE = 1200
_OVERLOAD_SECONDS = 20

Start = Callable[[], AbstractContextManager[Candidate]]


@dataclass(frozen=True)
class Overload:
    """Visitors at twice the limit: good inits, and the platform's calls spent on a 429."""

    good: int
    wasted: int
    calls: int
    p50: float
    used: float  # share of the granted calls that made a guest with a token


def cold_token_calls(start: Start, sandbox: Sandbox) -> tuple[int, Load]:
    """Return how many tokens a fresh program fetches when 500 visitors come at once."""
    sandbox.reset()
    with start() as candidate:
        result = load.run(candidate.init_url, clients=COLD, requests=COLD)
        return sandbox.count("oauth"), result


def overload(start: Start, sandbox: Sandbox) -> Overload:
    """Offer twice as many inits as the sandbox's limit grants, for 20 s."""
    with start() as candidate:
        load.run(candidate.init_url, requests=2)
        time.sleep(2)
        sandbox.reset()
        offered = RATE_PER_MINUTE / 60  # calls a second granted = inits a second offered
        requests = int(offered * _OVERLOAD_SECONDS)
        result = load.run(candidate.init_url, requests=requests, rate=offered)
        calls = sandbox.stats()["calls"]
    counts = {name: dict(calls.get(name, {})) for name in ("guests", "tokens")}
    wasted = sum(int(each.get("429", 0)) for each in counts.values())
    total = sum(sum(each.values()) for each in counts.values())
    granted = RATE_PER_MINUTE / 60 * max(result.seconds, _OVERLOAD_SECONDS)
    good = result.statuses.get(200, 0)
    return Overload(good, wasted, total, result.p50, 2 * good / granted)

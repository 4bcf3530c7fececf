"""What the platform has to bear: cold starts, and twice as many visitors as its limit allows."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import candidates, report
from bench.candidates import OURS, SEED, Candidate
from tests.support import load, machine
from tests.support.sandbox import Sandbox, running_sandbox

COLD = 500
# The sandbox grants this many calls a minute; an init is two, so half of it are visitors.
RATE_PER_MINUTE = 1200
_OVERLOAD_SECONDS = 20

# A program fresh from its start, told these settings.
Start = Callable[..., AbstractContextManager[Candidate]]


@dataclass(frozen=True)
class Overload:
    """Visitors at twice the limit: good inits, and the platform's calls spent on a 429."""

    good: int
    wasted: int
    calls: int
    p50: float
    used: float  # share of the granted calls that made a guest with a token


def run(folder: Path, *, progress: Callable[[str], None]) -> None:
    """Print both, of ours and of the tutorial's program if it is there."""
    programs: dict[str, Start] = {OURS: _ours}
    if candidates.seed_path():
        programs[SEED] = candidates.seed
    with running_sandbox() as sandbox:
        for name, start in programs.items():
            progress(f"cold start: {name}")
            with start(folder / "cold" / name, sandbox.url) as candidate:
                sandbox.reset()
                result = load.run(candidate.init_url, clients=COLD, requests=COLD)
            calls = sandbox.count("oauth")
            print(f"\n{COLD} cold inits, {name}: {calls} token calls, {result.errors} errors")
    rate = str(RATE_PER_MINUTE)
    found = {}
    with running_sandbox("--rate-per-minute", rate) as sandbox:
        for name, start in programs.items():
            progress(f"twice the limit: {name}")
            settings = {"GENESYS_RATE_PER_MINUTE": rate}
            with start(folder / "limit" / name, sandbox.url, **settings) as candidate:
                found[name] = overload(candidate, sandbox)
    print(_overloads(found), flush=True)


@contextmanager
def _ours(folder: Path, platform_url: str, **settings: str) -> Iterator[Candidate]:
    """Run ours as in production, where there are the servers."""
    stores = candidates.postgresql_and_redis if machine.is_up() else candidates.sqlite
    with stores() as named:
        processes = {"WEB_CONCURRENCY": "2"} if named else {}
        with candidates.ours(folder, platform_url, **named, **processes, **settings) as candidate:
            yield candidate


def overload(candidate: Candidate, sandbox: Sandbox) -> Overload:
    """Offer twice as many inits as the sandbox's limit grants, for 20 s."""
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


def _overloads(found: dict[str, Overload]) -> str:
    head = ("", "good inits", "calls", "wasted on 429", "wasted %", "used %", "p50 ms")
    return report.table(
        "Visitors at twice the platform's limit, 20 s",
        head,
        [
            (
                name, each.good, each.calls, each.wasted,
                100 * each.wasted / max(1, each.calls), 100 * each.used, each.p50,
            )
            for name, each in found.items()
        ],
    )  # fmt: skip

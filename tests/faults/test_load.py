"""What holds when many come at once."""

import threading
from pathlib import Path

import pytest

from tests.support import load
from tests.support.machine import postgres_database, redis_database
from tests.support.sandbox import running_sandbox
from tests.support.service import running_service

pytestmark = pytest.mark.slow


def test_five_hundred_cold_inits_share_one_access_token(tmp_path: Path) -> None:
    with (
        running_sandbox() as sandbox,
        running_service(tmp_path, sandbox.url, GENESYS_DEADLINE="60") as service,
    ):
        came = load.run(service.init_url, clients=500, requests=500)

        assert came.statuses == {200: 500}
        assert sandbox.count("oauth") == 1
        assert len(set(came.guests)) == 500


@pytest.mark.services
def test_four_processes_share_one_access_token(tmp_path: Path) -> None:
    with (
        postgres_database() as database,
        redis_database(9) as cache,
        running_sandbox() as sandbox,
        running_service(
            tmp_path,
            sandbox.url,
            GENESYS_DEADLINE="60",
            WEB_CONCURRENCY="4",
            CACHE_URL=cache,
            DATABASE_URL=database,
        ) as service,
    ):
        came = load.run(service.init_url, clients=500, requests=500)

        assert came.statuses == {200: 500}
        assert sandbox.count("oauth") == 1


def test_a_hundred_holders_of_a_revoked_token_share_one_refresh(tmp_path: Path) -> None:
    with (
        running_sandbox("--latency-ms", "100") as sandbox,
        running_service(tmp_path, sandbox.url, GENESYS_DEADLINE="60") as service,
    ):
        assert service.init("first").status == 200
        sandbox.revoke()

        came = load.run(service.init_url, clients=100, requests=100)

        assert came.statuses == {200: 100}
        assert sandbox.count("oauth") == 2


def test_twice_the_platforms_rate_uses_its_capacity_and_wastes_nothing(tmp_path: Path) -> None:
    rate, seconds = 300, 30
    with (
        # The platform counts by the minute; five seconds of it are what a busy machine may be late.
        running_sandbox("--rate-per-minute", str(rate), "--burst", str(rate // 12)) as sandbox,
        running_service(tmp_path, sandbox.url, GENESYS_RATE_PER_MINUTE=str(rate)) as service,
    ):
        per_second = 2 * rate / 60 / 2

        came = load.run(service.init_url, requests=int(per_second * seconds), rate=per_second)

        calls = sandbox.stats()["calls"]
        api_calls = sum(sum(calls[name].values()) for name in ("guests", "tokens"))
        refused = sum(int(calls[name].get("429", 0)) for name in ("guests", "tokens"))
        capacity = rate / 60 * seconds / 2  # two calls an init
        assert len(came.guests) >= 0.95 * capacity
        assert refused <= 0.01 * api_calls
        assert calls["guests"]["201"] == calls["tokens"]["200"]
        assert set(came.statuses) <= {200, 503}
        assert set(came.codes) <= {"platform_busy"}
        assert all(waited < 1.5 and int(after or 0) >= 1 for waited, after in came.refusals)


def test_the_one_too_many_is_told_so_at_once(tmp_path: Path) -> None:
    with (
        running_sandbox("--latency-ms", "1000") as sandbox,
        running_service(tmp_path, sandbox.url, MAX_IN_FLIGHT="20") as service,
    ):
        came = load.run(service.init_url, clients=50, requests=50)

        assert came.statuses == {200: 20, 503: 30}
        assert came.codes == {"overloaded": 30}
        assert all(after for _, after in came.refusals)


def test_a_forged_forwarding_header_buys_no_further_calls(tmp_path: Path) -> None:
    with (
        running_sandbox() as sandbox,
        running_service(tmp_path, sandbox.url, INIT_RATE="10/min") as service,
    ):
        statuses: list[int] = []

        def call(number: int) -> None:
            forged = f"203.0.113.{number}"
            body = {"sessionId": f"forger-{number}"}
            reply = service.post("/api/webchat/init", body, X_Forwarded_For=forged)
            statuses.append(reply.status)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(statuses) == [200] * 10 + [429] * 90


def test_a_stop_lets_the_inits_under_way_finish(tmp_path: Path) -> None:
    with (
        running_sandbox("--latency-ms", "800") as sandbox,
        running_service(tmp_path, sandbox.url) as service,
    ):
        done: list[int] = []
        threads = [
            threading.Thread(target=lambda n=n: done.append(service.init(f"stopped-{n}").status))
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        while sandbox.count("guests") < 20:
            threading.Event().wait(0.05)

        service.processes[0].terminate()
        for thread in threads:
            thread.join()

        assert done == [200] * 20
        assert service.processes[0].wait(timeout=20) == 0

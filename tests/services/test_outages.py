"""PostgreSQL and Redis killed and started again, under load: nothing is lost, all heals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.conftest import redis_url
from tests.services.servers import Server, own_postgres
from tests.services.visitors import HEALS_WITHIN, time_until, wait
from tests.support.load import during
from tests.support.sandbox import Sandbox
from tests.support.service import Service, running_service

pytestmark = [pytest.mark.services, pytest.mark.slow]
DEADLINE = 4


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Server]:
    with own_postgres(tmp_path) as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, postgres: Server, redis: Server, sandbox: Sandbox) -> Iterator[Service]:
    settings = {
        "DATABASE_URL": f"postgres://postgres@127.0.0.1:{postgres.port}/postgres",
        "CACHE_URL": redis_url(redis),
        "WEB_CONCURRENCY": "2",
        "GENESYS_DEADLINE": str(DEADLINE),
    }
    with running_service(tmp_path, sandbox.url, **settings) as running:
        yield running


def test_without_its_database_it_says_so_in_time_and_calls_nobody(
    service: Service, postgres: Server, sandbox: Sandbox
) -> None:
    service.init("before")
    postgres.kill()

    refused = [service.init(f"during-{number}") for number in range(3)]

    assert {(reply.status, reply.json["code"]) for reply in refused} == {
        (503, "storage_unavailable")
    }
    assert max(reply.seconds for reply in refused) < 6
    assert sandbox.count("guests") == 1
    assert service.get("/readyz").status == 503
    assert service.get("/livez").status == 200


def test_heals_after_the_database_was_killed_under_load(
    service: Service, postgres: Server, sandbox: Sandbox
) -> None:
    with during(service.init_url) as loads:
        wait(2)
        postgres.kill()
        wait(2)
        postgres.start()
        healed = time_until(lambda: service.init("after").status == 200)

    rows = service.rows("guest_id", "status")
    assert healed < HEALS_WITHIN
    # 504: who waited for the database until the time was up.
    assert set(loads[0].statuses) <= {200, 503, 504}
    assert set(loads[0].guests) <= {row["guest_id"] for row in rows}
    assert sandbox.count("guests") <= len(rows)


def test_answers_in_time_while_its_database_hangs(
    service: Service, postgres: Server, sandbox: Sandbox
) -> None:
    service.init("before")
    postgres.hang()

    refused = [service.init(f"during-{number}") for number in range(2)]
    postgres.go_on()
    healed = time_until(lambda: service.init("after").status == 200)

    assert {reply.json["code"] for reply in refused} == {"storage_unavailable"}
    assert max(reply.seconds for reply in refused) < DEADLINE + 0.5
    assert healed < HEALS_WITHIN
    assert "Traceback" not in service.log


@pytest.mark.parametrize("fault", ["killed", "hangs"])
def test_answers_whoever_only_reads_in_time_while_its_database_is_away(
    service: Service, postgres: Server, fault: str
) -> None:
    service.init("before")
    (postgres.kill if fault == "killed" else postgres.hang)()

    keys = [service.get("/.well-known/guestportal-keys.json") for _ in range(2)]
    notice, scrape = service.get("/api/webchat/notice"), service.get("/metrics")
    (postgres.start if fault == "killed" else postgres.go_on)()
    healed = time_until(
        lambda: (
            service.get("/.well-known/guestportal-keys.json").status == 200
            and service.init("after").status == 200
        )
    )

    assert {(each.status, each.json["code"]) for each in [*keys, notice]} == {
        (503, "storage_unavailable")
    }
    assert max(each.seconds for each in [*keys, notice]) < DEADLINE + 0.5
    assert (scrape.status, scrape.seconds < 9) == (200, True)
    assert "guestportal_database_up 0.0" in scrape.text
    assert healed < HEALS_WITHIN
    assert "Traceback" not in service.log


def test_goes_on_without_redis_and_shares_again_after_its_return(
    service: Service, redis: Server, sandbox: Sandbox
) -> None:
    with during(service.init_url) as loads:
        wait(1)
        redis.kill()
        wait(3)
        degraded = service.get("/readyz")
        redis.start()
        healed = time_until(lambda: service.get("/readyz").json["cache"] == "ok")

    assert degraded.status == 200
    assert degraded.json["cache"].startswith("degraded")
    assert set(loads[0].statuses) == {200}
    assert loads[0].broken == 0
    assert healed < HEALS_WITHIN
    assert "Traceback" not in service.log

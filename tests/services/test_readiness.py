"""What helper services do wrong, told by ``/readyz`` as it is: 200 while a row can be kept."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from tests.services.conftest import redis_url
from tests.services.proxy import Proxy
from tests.services.servers import Server, own_postgres, own_rabbitmq, rabbitmqctl
from tests.services.test_queued_init import ask
from tests.services.visitors import HEALS_WITHIN, time_until, wait
from tests.support.disk import fill, tiny_disk
from tests.support.sandbox import Sandbox
from tests.support.service import Reply, Service, running_service

pytestmark = [pytest.mark.services, pytest.mark.slow]
DEADLINE = 4
# Readiness and the answer's limit are ours; half a second is the contract's for a visitor.
IN_TIME = DEADLINE + 0.5
STORAGE = (503, "storage_unavailable")


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Server]:
    with own_postgres(tmp_path) as server:
        yield server


@contextmanager
def serving(folder: Path, sandbox: Sandbox, **settings: str) -> Iterator[Service]:
    settings |= {"GENESYS_DEADLINE": str(DEADLINE), "TMPDIR": str(folder)}
    with running_service(folder, sandbox.url, **settings) as running:
        yield running


@pytest.fixture
def service(tmp_path: Path, postgres: Server, sandbox: Sandbox) -> Iterator[Service]:
    """Two web processes on a PostgreSQL of the test's own."""
    url = f"postgres://postgres@127.0.0.1:{postgres.port}/postgres"
    # Two processes need a shared cache; this one is never there, which is no trouble.
    cache = "redis://127.0.0.1:1/0"
    with serving(
        tmp_path, sandbox, DATABASE_URL=url, CACHE_URL=cache, WEB_CONCURRENCY="2"
    ) as running:
        yield running


@contextmanager
def session(postgres: Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(f"postgres://postgres@127.0.0.1:{postgres.port}/postgres") as connection:
        connection.autocommit = True
        yield connection


def many(service: Service, visitors: int = 12, **headers: str) -> list[Reply]:
    """Let so many visitors come at once."""
    body = {"consentGiven": True}
    with ThreadPoolExecutor(visitors) as threads:
        return list(
            threads.map(
                lambda number: service.post(
                    "/api/webchat/init", body | {"sessionId": f"visitor-{number}"}, **headers
                ),
                range(visitors),
            )
        )


def told(replies: list[Reply]) -> set[tuple[int, str | None]]:
    return {(reply.status, reply.json.get("code")) for reply in replies}


def slowest(replies: list[Reply]) -> float:
    return max(reply.seconds for reply in replies)


def ready(service: Service) -> bool:
    return service.get("/readyz").status == 200


def test_not_ready_while_the_database_only_reads(service: Service, postgres: Server) -> None:
    assert ready(service)
    with session(postgres) as admin:
        read_only(admin, "on")
        told_within = time_until(lambda: not ready(service))
        refused = many(service, 3)
        trouble = service.get("/readyz").json["trouble"]
        read_only(admin, "off")
        healed = time_until(lambda: ready(service) and service.init("after").status == 200)

    assert told(refused) == {STORAGE}
    assert trouble == ["the database takes no write (ReadOnlySqlTransaction)"]
    assert told_within < HEALS_WITHIN
    assert healed < HEALS_WITHIN


def read_only(admin: "psycopg.Connection[Any]", state: str) -> None:
    # As a standby refuses writes: whatever the session asks for.
    admin.execute(f"ALTER SYSTEM SET default_transaction_read_only = {state}")  # type: ignore[arg-type]
    admin.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("fault", ["killed", "hangs"])
def test_not_ready_while_the_database_is_away(
    service: Service, postgres: Server, fault: str
) -> None:
    assert ready(service)
    (postgres.kill if fault == "killed" else postgres.hang)()

    told_within = time_until(lambda: not ready(service))
    alive = service.get("/livez")
    (postgres.start if fault == "killed" else postgres.go_on)()
    healed = time_until(lambda: ready(service) and service.init("after").status == 200)

    assert told_within < HEALS_WITHIN
    assert (alive.status, alive.seconds < 1) == (200, True)
    assert healed < HEALS_WITHIN
    assert "Traceback" not in service.log


def test_a_lock_is_trouble_only_after_ten_seconds(service: Service, postgres: Server) -> None:
    assert ready(service)
    with session(postgres) as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE provisioning_guestcreation, provisioning_writeprobe")
        with ThreadPoolExecutor(1) as threads:
            load = threads.submit(many, service, 60)  # more than all connections of both processes
            while_it_is_short = [status_and_wait(service) for _ in range(8)]
            replies = load.result()
        lasts = time_until(lambda: not ready(service))
    healed = time_until(lambda: ready(service) and service.init("after").status == 200)

    assert set(while_it_is_short) == {200}
    assert told(replies) == {STORAGE}
    assert slowest(replies) < IN_TIME + 1  # sixty at once on two busy cores
    assert lasts < 20
    assert healed < HEALS_WITHIN


def status_and_wait(service: Service) -> int:
    wait(0.3)
    return service.get("/readyz").status


def test_both_processes_together_write_once_in_five_seconds(
    service: Service, postgres: Server
) -> None:
    written = set()
    with session(postgres) as looks, ThreadPoolExecutor(10) as threads:
        for _ in range(10):
            assert set(threads.map(lambda _: ready(service), range(10))) == {True}
            written.add(looks.execute("SELECT xmin FROM provisioning_writeprobe").fetchone())

    assert len(written) <= 2


def test_ready_while_redis_takes_no_write(
    tmp_path: Path, sandbox: Sandbox, database: str, redis: Server
) -> None:
    in_the_way = tmp_path / "dump.rdb"
    with (
        serving(tmp_path, sandbox, DATABASE_URL=database, CACHE_URL=redis_url(redis)) as service,
        Redis(port=redis.port) as client,
    ):
        service.init("before")
        in_the_way.mkdir()
        client.config_set("save", "3600 1")
        client.config_set("stop-writes-on-bgsave-error", "yes")
        client.bgsave()
        time_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        replies = many(service)
        answers = [service.get("/readyz") for _ in range(30) if wait(0.1) is None]
        in_the_way.rmdir()
        client.bgsave()
        healed = time_until(lambda: service.get("/readyz").json["cache"] == "ok")

    assert told(replies) == {(200, None)}
    assert {(each.status, each.json["cache"][:8]) for each in answers} == {(200, "degraded")}
    assert service.log.count("Redis is gone") == 1
    assert service.log.count("Redis is back") == 1
    assert healed < HEALS_WITHIN


@pytest.mark.parametrize("fault", ["slow", "hangs"])
def test_ready_and_in_time_while_redis_is_of_no_use(
    tmp_path: Path, sandbox: Sandbox, database: str, redis: Server, fault: str
) -> None:
    proxy = Proxy("127.0.0.1", redis.port)
    cache = f"redis://127.0.0.1:{proxy.port}/0"
    with serving(tmp_path, sandbox, DATABASE_URL=database, CACHE_URL=cache) as service:
        service.init("before")
        if fault == "slow":
            proxy.pause = 0.8
        else:
            redis.hang()
        replies = [reply for _ in range(3) for reply in many(service, 5)]
        answer = service.get("/readyz")
        proxy.pause = 0
        redis.go_on()
        healed = time_until(lambda: service.get("/readyz").json["cache"] == "ok")
    proxy.cut()

    assert told(replies) == {(200, None)}
    assert slowest(replies) < IN_TIME
    assert (answer.status, answer.json["cache"][:8]) == (200, "degraded")
    assert healed < HEALS_WITHIN


@pytest.mark.parametrize(("fault", "word"), [("alarm", "blocked"), ("hangs", "down")])
def test_ready_and_in_time_while_the_broker_takes_no_message(
    tmp_path: Path, sandbox: Sandbox, database: str, fault: str, word: str
) -> None:
    with ExitStack() as stack:
        rabbitmq = stack.enter_context(own_rabbitmq(tmp_path))
        url = f"amqp://guest:guest@127.0.0.1:{rabbitmq.port}//"
        service = stack.enter_context(
            serving(tmp_path, sandbox, DATABASE_URL=database, CELERY_BROKER_URL=url)
        )
        before = [ask(service, "before"), service.get("/readyz")]
        if fault == "alarm":
            rabbitmqctl(rabbitmq, "set_vm_memory_high_watermark", "0.0001")
        else:
            rabbitmq.hang()
        replies = [reply for _ in range(2) for reply in many(service, Prefer="respond-async")]
        answer = service.get("/readyz")
        if fault == "alarm":
            rabbitmqctl(rabbitmq, "set_vm_memory_high_watermark", "0.4")
        else:
            rabbitmq.go_on()
        healed = time_until(lambda: ask(service, "after").status == 202)
        after = service.get("/readyz")

    assert [reply.status for reply in before] == [202, 200]
    assert told(replies) == {(200, None)}
    assert slowest(replies) < IN_TIME
    assert answer.status == 200
    assert answer.json["broker"].startswith(word)
    assert healed < HEALS_WITHIN
    assert after.json["broker"] == "ok"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with tiny_disk(tmp_path) as disk:
        yield disk


def test_not_ready_while_the_disk_is_full(tmp_path: Path, disk: Path, sandbox: Sandbox) -> None:
    database = f"sqlite:///{disk}/service.sqlite3"
    with serving(tmp_path, sandbox, DATABASE_URL=database) as service:
        service.init("before")
        before = ready(service)
        filler = fill(disk)
        told_within = time_until(lambda: not ready(service))
        refused = many(service, 3)
        trouble = service.get("/readyz").json["trouble"]
        filler.unlink()
        healed = time_until(lambda: ready(service) and service.init("after").status == 200)

    assert before
    assert told(refused) == {STORAGE}
    assert trouble == ["the database takes no write (SQLITE_FULL)"]
    assert told_within < HEALS_WITHIN
    assert healed < HEALS_WITHIN

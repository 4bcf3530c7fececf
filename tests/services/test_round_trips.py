"""What an init says to PostgreSQL, counted on the wire, and what its session's lock keeps apart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from crm.sessions import hash_session
from tests.services.proxy import Proxy
from tests.services.visitors import time_until
from tests.support.machine import postgres_database
from tests.support.sandbox import Sandbox
from tests.support.service import Service, running_service

pytestmark = pytest.mark.services
MOST_TRIPS = 6
WAITING = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted"


@pytest.fixture
def database() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture
def way(database: str) -> Iterator[Proxy]:
    server = urlsplit(database)
    proxy = Proxy(str(server.hostname), server.port or 5432)
    yield proxy
    proxy.cut()


@pytest.fixture
def service(tmp_path: Path, database: str, way: Proxy, sandbox: Sandbox) -> Iterator[Service]:
    server = urlsplit(database)
    url = f"postgres://{server.username}@127.0.0.1:{way.port}{server.path}"
    settings = {"DATABASE_URL": url, "GUEST_REUSE_SECONDS": "600"}
    with running_service(tmp_path, sandbox.url, **settings) as running:
        yield running


def trips(service: Service, way: Proxy, session_id: str, **fields: object) -> int:
    before = way.asked
    assert service.init(session_id, **fields).status == 200
    return way.asked - before


def test_a_warm_init_takes_six_round_trips_at_most(service: Service, way: Proxy) -> None:
    for number in range(5):
        service.init(f"warm-{number}")

    counted = [trips(service, way, f"counted-{number}") for number in range(5)]

    # The mappings are read at most twice a second, by whoever comes then.
    assert sorted(counted)[2] <= MOST_TRIPS - 1
    assert max(counted) <= MOST_TRIPS


def test_a_session_that_returns_is_served_by_its_guest(service: Service) -> None:
    first, again = service.init("returning"), service.init("returning")

    assert again.json["guestId"] == first.json["guestId"]


def test_the_second_of_two_inits_at_once_sees_the_row_of_the_first(
    service: Service, database: str, sandbox: Sandbox
) -> None:
    # Known to the log already: else two who name it at once would find each other there.
    service.init("both", consentGiven=False)
    made = sandbox.count("guests")
    key = int(hash_session(session_id="both")[:15], 16)
    with psycopg.connect(database) as other, ThreadPoolExecutor(2) as pool:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [key])
        answers = [pool.submit(service.init, "both") for _ in range(2)]
        time_until(lambda: waiting(database) == 2)
        other.commit()
        guests = {answer.result().json["guestId"] for answer in answers}

    assert len(guests) == 1
    assert sandbox.count("guests") == made + 1


def waiting(database: str) -> int:
    """Return how many wait for a lock in this database."""
    name = urlsplit(database).path[1:]
    with psycopg.connect(database) as looking:
        row = looking.execute(f"{WAITING} AND datname = %s", [name]).fetchone()
    return row[0] if row else 0

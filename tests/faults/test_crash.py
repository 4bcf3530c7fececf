"""Killed without warning, or left without a disk, under load: no guest is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from tests.support import messenger
from tests.support.disk import fill, tiny_disk
from tests.support.load import Load, during
from tests.support.machine import postgres_database
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import Service, running_service

pytestmark = pytest.mark.slow
KILLS = 20
DEADLINE = 4
VISITORS = 32  # so many that their transitions are committed together


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Service, Sandbox]]:
    with ExitStack() as stack:
        settings = {"GENESYS_DEADLINE": str(DEADLINE)}
        if request.param == "postgresql":
            settings["DATABASE_URL"] = stack.enter_context(postgres_database())
        sandbox = stack.enter_context(running_sandbox("--latency-ms", "20"))
        yield stack.enter_context(running_service(tmp_path, sandbox.url, **settings)), sandbox


def test_no_guest_is_lost_when_the_service_is_killed(pair: tuple[Service, Sandbox]) -> None:
    service, sandbox = pair

    loads = [killed_under_load(service, after=0.2 + number % 5 * 0.1) for number in range(KILLS)]

    assert len(sandbox.calls(endpoint="guests")) > KILLS
    assert any(load.guests for load in loads)
    assert_no_guest_is_lost(service, sandbox, loads)


def test_every_contact_has_its_row_when_the_service_is_killed(tmp_path: Path) -> None:
    with (
        running_sandbox("--latency-ms", "20", *messenger.OPTIONS) as sandbox,
        running_service(
            tmp_path,
            sandbox.url,
            GENESYS_DEADLINE=str(DEADLINE),
            **messenger.environment(sandbox.url),
        ) as service,
    ):
        loads = [killed_under_load(service, after=0.2 + kill % 5 * 0.1) for kill in range(KILLS)]
        settle(service)
        messenger.settle(service)

        rows = service.rows("guest_id", "status")
        made = {call["guestId"] for call in sandbox.calls(endpoint="enrich")} - {None}
        assert any(load.guests for load in loads)
        assert made <= {row["guest_id"] for row in rows}
        assert {row["status"] for row in rows} <= {"guest_created", "ready", "failed"}
        assert service.manage("verify_audit").returncode == 0


def test_no_guest_is_lost_when_the_disk_fills_up(tmp_path: Path) -> None:
    with (
        tiny_disk(tmp_path) as disk,
        running_sandbox("--latency-ms", "20") as sandbox,
        running_service(
            tmp_path,
            sandbox.url,
            DATABASE_URL=f"sqlite:///{disk}/service.sqlite3",
            GENESYS_DEADLINE=str(DEADLINE),
        ) as service,
    ):
        with during(service.init_url, clients=VISITORS, pause=0) as loads:
            until(lambda: sandbox.count("guests") > VISITORS)
            filler = fill(disk)
            until(lambda: service.log.count("storage_unavailable") > VISITORS)
            filler.unlink()
            until(lambda: service.init("after").status == 200)

        assert set(loads[0].codes) == {"storage_unavailable"}
        assert loads[0].errors == loads[0].statuses[503]
        assert_no_guest_is_lost(service, sandbox, loads)


def assert_no_guest_is_lost(service: Service, sandbox: Sandbox, loads: list[Load]) -> None:
    settle(service)
    rows = service.rows("session_hash", "guest_id", "status", "created_at")
    known = {row["session_hash"][:8]: row for row in rows}
    for call in sandbox.calls(endpoint="guests"):  # a row for each, committed before it arrived
        pseudonym = call["body"]["email"].removeprefix("visitor_")[:8]
        assert moment(known[pseudonym]["created_at"]) <= moment(call["time"])
    given = {guest for load in loads for guest in load.guests}
    assert given <= {row["guest_id"] for row in rows if row["status"] == "ready"}
    assert not {row["status"] for row in rows} & {"pending", "queued"}
    assert service.manage("verify_audit").returncode == 0


def killed_under_load(service: Service, after: float) -> Load:
    """Let visitors come, kill every process of the service in their midst, start it again."""
    with during(service.init_url, clients=VISITORS, pause=0.02) as loads:
        threading.Event().wait(after)
        service.kill()
    service.start_web()
    return loads[0]


def settle(service: Service) -> None:
    """Recover until nothing is left open: at the latest, deadline and grace after the last kill."""

    def settled() -> bool:
        service.manage("recover_pending")
        return all(row["status"] != "pending" for row in service.rows("status"))

    until(settled)
    service.manage("housekeeping", "--once")


def until(good: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE + 15
    while not good():
        assert time.monotonic() < end


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

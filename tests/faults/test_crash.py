"""Killed without warning, under load, again and again: no guest is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.load import Load, during
from tests.support.machine import postgres_database
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import Service, running_service

pytestmark = pytest.mark.slow
KILLS = 20
DEADLINE = 2


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

    settle(service)
    rows = service.rows("session_hash", "guest_id", "status", "created_at")
    known = {row["session_hash"][:8]: row for row in rows}
    calls = sandbox.calls(endpoint="guests")
    given = {guest for load in loads for guest in load.guests}
    assert len(calls) > KILLS
    assert given
    for call in calls:  # a row for every guest call, committed before the call arrived
        pseudonym = call["body"]["email"].removeprefix("visitor_")[:8]
        assert moment(known[pseudonym]["created_at"]) <= moment(call["time"])
    assert given <= {row["guest_id"] for row in rows}
    assert not {row["status"] for row in rows} & {"pending", "queued"}
    assert service.manage("verify_audit").returncode == 0


def killed_under_load(service: Service, after: float) -> Load:
    """Let visitors come, kill every process of the service in their midst, start it again."""
    with during(service.init_url, pause=0.02) as loads:
        threading.Event().wait(after)
        service.kill()
    service.start_web()
    return loads[0]


def settle(service: Service) -> None:
    """Recover until nothing is left open: at the latest, deadline and grace after the last kill."""
    end = time.monotonic() + DEADLINE + 15
    while any(row["status"] == "pending" for row in service.rows("status")):
        assert time.monotonic() < end, "a row stays pending"
        service.manage("recover_pending")
    service.manage("housekeeping", "--once")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

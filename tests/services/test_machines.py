"""Two services and one worker, each on an address of its own, share what must be shared."""

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from tests.services.conftest import broker_url, redis_url
from tests.services.proxy import Proxy
from tests.services.servers import Server
from tests.services.test_queued_init import WORKER, ask, eventually, settled
from tests.support import load
from tests.support.sandbox import Sandbox
from tests.support.service import Service, running_service

pytestmark = pytest.mark.services


@pytest.fixture
def machines(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database: str,
    redis: Server,
    broker: Proxy,
    sandbox: Sandbox,
) -> Iterator[tuple[Service, Service]]:
    """Two services of two processes each, and a worker; further settings by parametrization."""
    settings = {
        "DATABASE_URL": database,
        "CACHE_URL": redis_url(redis),
        "CELERY_BROKER_URL": broker_url(broker),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AUDIT_SIGNING_KEY": secrets.token_hex(32),
        "WEB_CONCURRENCY": "2",
        **getattr(request, "param", {}),
    }
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(running_service(tmp_path, sandbox.url, host=host, **settings))
            for host in ("127.0.0.2", "127.0.0.3")
        )
        first.spawn(*WORKER)
        yield first, second


def test_they_fetch_one_access_token(machines: tuple[Service, Service], sandbox: Sandbox) -> None:
    queued = [ask(machine, f"queued-{machine.url}") for machine in machines]
    statuses = [came.statuses for came in at_once_at_both(machines, 40)]

    done = [settled(machines[0], reply.headers["Location"]) for reply in queued]

    assert statuses == [{200: 40}, {200: 40}]
    assert [reply.json["status"] for reply in done] == ["guest_created"] * 2
    assert sandbox.count("oauth") == 1


@pytest.mark.parametrize(
    "machines", [{"GENESYS_RATE_PER_MINUTE": "120", "GENESYS_DEADLINE": "4"}], indirect=True
)
def test_together_they_keep_to_one_rate(
    machines: tuple[Service, Service], sandbox: Sandbox
) -> None:
    at_once_at_both(machines, 20)

    calls = [call for call in sandbox.calls() if call["endpoint"] in ("guests", "tokens")]
    first, last = (datetime.fromisoformat(calls[end]["time"]) for end in (0, -1))
    allowance, reserved_before = 2, 2  # a full bucket; the last init's own pair
    assert {call["status"] for call in calls} <= {200, 201}
    assert len(calls) <= allowance + reserved_before + 2 * (last - first).total_seconds()


def test_a_limit_that_one_of_them_meets_holds_for_both(
    machines: tuple[Service, Service], sandbox: Sandbox
) -> None:
    first, second = machines
    sandbox.faults(
        [{"endpoint": "guests", "kind": "status", "status": 429, "headers": {"Retry-After": "60"}}]
    )

    met = first.init("meets-the-limit")
    called = sandbox.count("guests")
    spared = second.init("is-spared-it")
    queued = ask(second, "waits-for-it")
    eventually(lambda: "Retry in" in first.log, bool)  # the worker has looked at the gate

    assert (met.status, met.json["code"]) == (503, "platform_busy")
    assert (spared.status, spared.json["code"]) == (503, "platform_busy")
    assert first.get(queued.headers["Location"]).json["status"] == "queued"
    assert sandbox.count("guests") == called == 1
    assert int(spared.headers["Retry-After"]) > 30


def test_a_withdrawal_at_one_holds_at_once_at_both(
    machines: tuple[Service, Service], sandbox: Sandbox
) -> None:
    first, second = machines
    session = {"sessionId": "takes-it-back"}
    guest = first.init("takes-it-back").json["guestId"]

    first.post("/api/webchat/consent/withdraw", session)

    for machine in (second, first):
        token = machine.post("/api/webchat/token", session | {"guestId": guest})
        machine.post("/api/webchat/init", session)
        assert (token.status, token.json["code"]) == (403, "consent_declined")
        assert sandbox.calls(endpoint="guests")[-1]["body"]["consentGiven"] is False


def test_a_mapping_change_is_live_in_both_within_a_second(
    machines: tuple[Service, Service], sandbox: Sandbox
) -> None:
    at_once_at_both(machines, 10)  # whatever they may keep of the mappings, they keep it now

    changed_at = float(machines[0].manage("shell", "--no-imports", "-c", CHANGE).stdout)
    threading.Event().wait(max(0.0, changed_at + 1 - time.time()))
    before = len(sandbox.calls())
    at_once_at_both(machines, 10)

    guests = [call for call in sandbox.calls()[before:] if call["endpoint"] == "guests"]
    sources = [call["body"]["attributes"]["integrationSource"] for call in guests]
    assert sources == ["changed"] * 20


CHANGE = (
    "import time;"
    "from crm.models import AttributeMapping as M;"
    "mapping = M.objects.get(target='integrationSource');"
    "mapping.source = 'changed'; mapping.save(); print(time.time())"
)


def at_once_at_both(machines: tuple[Service, Service], visitors: int) -> list[load.Load]:
    """Start so many chats at each machine, all at the same moment."""

    def visit(machine: Service) -> load.Load:
        return load.run(machine.init_url, clients=visitors, requests=visitors)

    with ThreadPoolExecutor() as threads:
        return list(threads.map(visit, machines))

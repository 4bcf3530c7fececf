"""Two services and one worker, each on an address of its own, share what must be shared."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.load import at_once
from tests.sandbox import Sandbox
from tests.service import Service, running_service
from tests.services.conftest import broker_url, redis_url
from tests.services.proxy import Proxy
from tests.services.servers import Server
from tests.services.test_queued_init import WORKER, ask, settled

pytestmark = pytest.mark.services


@pytest.fixture
def machines(
    tmp_path: Path, database: str, redis: Server, broker: Proxy, sandbox: Sandbox
) -> Iterator[tuple[Service, Service]]:
    settings = {
        "DATABASE_URL": database,
        "CACHE_URL": redis_url(redis),
        "CELERY_BROKER_URL": broker_url(broker),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AUDIT_SIGNING_KEY": secrets.token_hex(32),
        "WEB_CONCURRENCY": "2",
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
    tallies = [
        at_once(machine.url, [f"{machine.url}-{number}" for number in range(40)])
        for machine in machines
    ]

    done = [settled(machines[0], reply.headers["Location"]) for reply in queued]

    assert [tally.statuses[200] for tally in tallies] == [40, 40]
    assert [reply.json["status"] for reply in done] == ["guest_created"] * 2
    assert sandbox.count("oauth") == 1


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

    assert (met.status, met.json["code"]) == (503, "platform_busy")
    assert (spared.status, spared.json["code"]) == (503, "platform_busy")
    assert sandbox.count("guests") == called == 1
    assert int(spared.headers["Retry-After"]) > 30


def test_a_withdrawal_at_one_holds_at_once_at_the_other(
    machines: tuple[Service, Service], sandbox: Sandbox
) -> None:
    first, second = machines
    session = {"sessionId": "takes-it-back"}
    guest = first.init("takes-it-back").json["guestId"]

    first.post("/api/webchat/consent/withdraw", session)
    token = second.post("/api/webchat/token", session | {"guestId": guest})
    second.post("/api/webchat/init", session)

    assert (token.status, token.json["code"]) == (403, "consent_declined")
    assert sandbox.calls(endpoint="guests")[-1]["body"]["consentGiven"] is False


def test_a_mapping_change_is_live_in_both_within_a_second(
    machines: tuple[Service, Service], sandbox: Sandbox
) -> None:
    for machine in machines:
        machine.init("before")  # whatever they may keep of the mappings, they keep it now
    machines[0].manage("shell", "-c", CHANGE)

    changed_at = time.monotonic()
    pending = list(machines)
    while pending:
        pending = [machine for machine in pending if source_sent(machine, sandbox) != "changed"]
        assert time.monotonic() - changed_at < 1


CHANGE = (
    "from crm.models import AttributeMapping as M;"
    "mapping = M.objects.get(target='integrationSource');"
    "mapping.source = 'changed'; mapping.save()"
)


def source_sent(machine: Service, sandbox: Sandbox) -> str:
    machine.init(f"visitor-{time.monotonic_ns()}")
    return sandbox.calls(endpoint="guests")[-1]["body"]["attributes"]["integrationSource"]

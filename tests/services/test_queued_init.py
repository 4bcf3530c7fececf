"""``Prefer: respond-async`` with a real broker and a real worker."""

import hashlib
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from tests.services.conftest import broker_url
from tests.services.proxy import Proxy
from tests.support.sandbox import Sandbox
from tests.support.service import Reply, Service, running_service

pytestmark = pytest.mark.services
WORKER = ("-m", "celery", "-A", "guestportal.celery", "worker", "--loglevel=INFO")


@pytest.fixture
def service(tmp_path: Path, database: str, broker: Proxy, sandbox: Sandbox) -> Iterator[Service]:
    settings = {"DATABASE_URL": database, "CELERY_BROKER_URL": broker_url(broker)}
    with running_service(
        tmp_path, sandbox.url, **settings, QUEUE_LIMIT="3", GENESYS_DEADLINE="8"
    ) as running:
        yield running


def ask(service: Service, session_id: str, **headers: str) -> Reply:
    body = {"sessionId": session_id, "consentGiven": True}
    return service.post("/api/webchat/init", body, Prefer="respond-async", **headers)


def settled(service: Service, location: str) -> Reply:
    """Look until the worker is done with it."""
    return eventually(
        lambda: service.get(location),
        lambda reply: reply.json["status"] not in {"queued", "pending"},
    )


def eventually(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + 20
    while not good(seen := look()):
        assert time.monotonic() < end, seen
        threading.Event().wait(0.1)
    return seen


def test_an_asynchronous_init_is_accepted_done_and_gets_its_token(service: Service) -> None:
    service.spawn(*WORKER)

    accepted = ask(service, "async-visitor")
    done = settled(service, accepted.headers["Location"])
    token = service.post(
        "/api/webchat/token", {"sessionId": "async-visitor", "guestId": done.json["guestId"]}
    )

    assert accepted.status == 202
    assert accepted.headers["Preference-Applied"] == "respond-async"
    assert accepted.headers["Retry-After"]
    assert done.json["status"] == "guest_created"
    assert token.status == 200
    assert token.json["accessToken"]
    assert service.get(accepted.headers["Location"]).json["status"] == "ready"


def test_a_withdrawal_that_comes_first_leaves_no_guest(service: Service, sandbox: Sandbox) -> None:
    accepted = ask(service, "changed-my-mind")
    service.post("/api/webchat/consent/withdraw", {"sessionId": "changed-my-mind"})

    service.spawn(*WORKER)
    done = settled(service, accepted.headers["Location"])

    assert done.json == {"status": "failed", "guestId": None}
    assert sandbox.count("guests") == 0


def test_a_message_that_comes_twice_makes_one_guest(service: Service, sandbox: Sandbox) -> None:
    accepted = ask(service, "delivered-twice")
    (row,) = service.rows("id")
    service.manage(
        "shell",
        "-c",
        f"from provisioning.init.publishing import publish; publish(creation_id='{row['id']}')",
    )

    service.spawn(*WORKER)
    settled(service, accepted.headers["Location"])
    eventually(lambda: queued_messages(service), lambda count: count == 0)

    assert sandbox.count("guests") == 1


def test_what_the_broker_holds_is_the_id_of_the_row(service: Service, broker: Proxy) -> None:
    ask(service, "nothing-of-me-there")

    with Connection(service.env["CELERY_BROKER_URL"]) as connection:
        message = connection.default_channel.basic_get("guestportal")
        (row,) = service.rows("id")

    assert json.loads(message.body)[:2] == [[str(row["id"])], {}]
    assert "nothing-of-me-there" not in str(message.headers)
    assert session_hash("nothing-of-me-there") not in str((message.body, message.headers))


def test_says_overloaded_when_the_queue_is_full(service: Service) -> None:
    accepted = [ask(service, f"waiting-{number}").status for number in range(3)]

    refused = ask(service, "one-too-many")

    assert accepted == [202, 202, 202]
    assert (refused.status, refused.json["code"]) == (503, "overloaded")
    assert refused.headers["Retry-After"]


def test_a_scrape_tells_that_nobody_works_on_the_queue(service: Service, broker: Proxy) -> None:
    before = sample(service, "queued_seconds"), sample(service, "broker_up")
    ask(service, "waits-in-vain")

    waits = eventually(lambda: sample(service, "queued_seconds"), lambda seconds: seconds > 0.5)
    broker.cut()

    assert before == (0, 1)
    assert service.get("/readyz").json["queuedSeconds"] >= round(waits, 1)
    assert sample(service, "broker_up") == 0


def test_answers_at_once_while_the_broker_is_down_and_queues_after_its_return(
    service: Service, broker: Proxy
) -> None:
    ask(service, "before")
    broker.cut()

    during = ask(service, "during")
    broker.restore()
    after = ask(service, "after")

    assert (during.status, after.status) == (200, 202)
    assert during.json["accessToken"]
    assert during.seconds < 5


def test_a_worker_outlives_its_broker(service: Service, broker: Proxy) -> None:
    service.spawn(*WORKER)
    settled(service, ask(service, "first").headers["Location"])

    broker.cut()
    broker.restore()
    started = time.monotonic()
    done = settled(service, ask(service, "second").headers["Location"])

    assert done.json["status"] == "guest_created"
    assert time.monotonic() - started < 10


def test_a_worker_looks_for_its_broker_every_two_seconds_however_long_it_is_gone(
    service: Service, broker: Proxy
) -> None:
    service.spawn(*WORKER)
    settled(service, ask(service, "first").headers["Location"])

    broker.cut()
    waits = eventually(
        lambda: re.findall(r"Trying again in (\S+) seconds", service.log),
        lambda waits: len(waits) >= 4,
    )

    assert set(waits) == {"2.00"}


def test_a_worker_killed_at_work_leaves_a_row_that_recovery_settles(
    service: Service, sandbox: Sandbox
) -> None:
    sandbox.faults([{"endpoint": "guests", "kind": "delay", "seconds": 5}])
    accepted = ask(service, "cut-short")
    worker = service.spawn(*WORKER)
    eventually(lambda: sandbox.count("guests"), lambda count: count == 1)

    os.killpg(worker.pid, signal.SIGKILL)
    service.spawn(*WORKER)
    eventually(lambda: queued_messages(service), lambda count: count == 0)
    eventually(
        lambda: service.manage("recover_pending") and service.get(accepted.headers["Location"]),
        lambda reply: reply.json["status"] == "unknown",
    )

    assert sandbox.count("guests") == 1


def sample(service: Service, name: str) -> float:
    """Return the value of one of the metrics that have no label."""
    found = re.search(rf"^guestportal_{name} (\S+)$", service.get("/metrics").text, re.MULTILINE)
    assert found
    return float(found[1])


def queued_messages(service: Service) -> int:
    """Count what the broker holds, delivered but not acknowledged included."""
    with Connection(service.env["CELERY_BROKER_URL"]) as connection:
        return int(connection.default_channel.queue_declare("guestportal", passive=True)[1])


def session_hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()

"""RabbitMQ killed and started again, under load: what was accepted is done, and all heals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.servers import Server, own_rabbitmq
from tests.services.test_queued_init import WORKER, ask, settled
from tests.services.visitors import HEALS_WITHIN, time_until, wait
from tests.support.load import during
from tests.support.sandbox import Sandbox
from tests.support.service import Service, running_service

pytestmark = [pytest.mark.services, pytest.mark.slow]
DONE = {"guest_created", "ready"}


@pytest.fixture
def rabbitmq(tmp_path: Path) -> Iterator[Server]:
    with own_rabbitmq(tmp_path) as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, database: str, rabbitmq: Server, sandbox: Sandbox) -> Iterator[Service]:
    broker = f"amqp://guest:guest@127.0.0.1:{rabbitmq.port}//"
    settings = {"DATABASE_URL": database, "CELERY_BROKER_URL": broker}
    with running_service(tmp_path, sandbox.url, **settings) as running:
        yield running


def test_what_was_accepted_outlives_a_broker_killed_at_once(
    service: Service, rabbitmq: Server, sandbox: Sandbox
) -> None:
    accepted = [ask(service, f"visitor-{number}") for number in range(5)]
    rabbitmq.kill()
    rabbitmq.start()

    service.spawn(*WORKER)
    done = [settled(service, reply.headers["Location"]) for reply in accepted]

    assert [reply.status for reply in accepted] == [202] * 5
    assert {reply.json["status"] for reply in done} == {"guest_created"}
    assert sandbox.count("guests") == 5


def test_heals_after_the_broker_was_killed_under_load(
    service: Service, rabbitmq: Server, sandbox: Sandbox
) -> None:
    service.spawn(*WORKER)
    settled(service, ask(service, "before").headers["Location"])

    # Fewer than the worker can do: what heals is measured, not how long a queue grew meanwhile.
    headers = {"Prefer": "respond-async"}
    with during(service.init_url, pause=0.5, headers=headers) as loads:
        wait(2)
        rabbitmq.kill()
        wait(2)
        meanwhile = ask(service, "during")
        rabbitmq.start()
        healed = time_until(lambda: queued_and_done(service))

    done = [settled(service, place).json for place in loads[0].places]
    rows = service.rows("guest_id", "status")
    assert meanwhile.status == 200
    assert healed < HEALS_WITHIN
    assert set(loads[0].statuses) == {200, 202}
    assert loads[0].broken == 0
    assert {progress["status"] for progress in done} <= DONE
    assert {*loads[0].guests, *(progress["guestId"] for progress in done)} <= {
        row["guest_id"] for row in rows
    }
    assert sandbox.count("guests") == sum(row["status"] in DONE for row in rows)


def queued_and_done(service: Service) -> bool:
    """Tell whether an init was queued and then done by the worker."""
    reply = ask(service, "after")
    return (
        reply.status == 202 and settled(service, reply.headers["Location"]).json["status"] in DONE
    )

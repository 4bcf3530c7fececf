"""The web processes as an operator handles them: start, count, stop."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.load import Load, run
from tests.support.sandbox import Sandbox
from tests.support.service import ROOT, Service, new_service, running_service

pytestmark = pytest.mark.slow


@pytest.fixture
def service(tmp_path: Path, sandbox: Sandbox) -> Iterator[Service]:
    with running_service(tmp_path, sandbox.url, WEB_CONCURRENCY="2") as running:
        yield running


def test_inits_under_way_end_well_when_the_service_is_told_to_stop(
    service: Service, sandbox: Sandbox
) -> None:
    sandbox.faults([{"endpoint": "guests", "kind": "delay", "seconds": 2}])
    loads: list[Load] = []
    visitors = threading.Thread(
        target=lambda: loads.append(run(service.init_url, clients=10, requests=10))
    )
    visitors.start()
    while sandbox.count("guests") < 10:
        threading.Event().wait(0.05)

    service.kill(signal.SIGTERM)
    visitors.join()

    assert loads[0].statuses == {200: 10}
    assert {row["status"] for row in service.rows("status")} == {"ready"}


def test_two_processes_count_together(service: Service) -> None:
    run(service.init_url, clients=30, requests=30)

    text = service.get("/metrics").text

    assert 'guestportal_answers_total{call="init",outcome="ok"} 30.0' in text
    assert "guestportal_in_flight 0.0" in text


def test_before_the_migrations_it_lives_and_is_not_ready(tmp_path: Path, sandbox: Sandbox) -> None:
    service = new_service(tmp_path, sandbox.url)
    service.start_web()

    lives, ready = service.get("/livez"), service.get("/readyz")
    service.manage("migrate", "--verbosity=0")
    after = service.get("/readyz")
    service.kill(signal.SIGTERM)

    assert (lives.status, ready.status, after.status) == (200, 503, 200)
    assert ready.json["trouble"] == ["migrations are missing: run manage.py migrate"]


def test_imports_nothing_of_django_before_gevent_has_patched() -> None:
    """Woken half-way through the patch, Django's settings import psycopg: it stops the loop."""
    found = subprocess.check_output(
        [
            sys.executable,
            "-c",
            "import guestportal.serving.gunicorn_config, sys;"
            "print([name for name in ('django', 'psycopg', 'redis') if name in sys.modules])",
        ],
        cwd=ROOT,
        text=True,
    )

    assert found == "[]\n"

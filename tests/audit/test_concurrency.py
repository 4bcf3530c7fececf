"""Writers beside writers, sealers beside sealers, and sealers that are killed."""

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from django.conf import settings
from django.db import connection, transaction

from audit import log, verify
from audit.models import AuditEvent, AuditLeaf
from audit.sealing import seals

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="run with DATABASE_URL=postgres://…"
)
WRITERS, EACH = (int(part) for part in os.environ.get("AUDIT_WRITERS", "10x100").split("x"))


def _write(events: int) -> None:
    """Record one event a transaction, giving the connection back to the pool after each."""
    for _ in range(events):
        with transaction.atomic():
            log.record(kind="guest.created")
        connection.close()


def _seal_until(done: Event) -> None:
    while not done.is_set():
        seals.seal(limit=500)
        connection.close()
        done.wait(0.05)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_seals_every_event_of_many_writers_once_with_two_sealers_beside_them():
    done = Event()
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        sealers = [pool.submit(_seal_until, done) for _ in range(2)]
        for writer in [pool.submit(_write, EACH) for _ in range(WRITERS)]:
            writer.result()
        done.set()
        for sealer in sealers:
            sealer.result()

    seals.seal()

    assert AuditEvent.objects.count() == WRITERS * EACH == AuditLeaf.objects.count()
    assert verify.verify().problems == []


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_takes_an_event_whose_transaction_ended_after_a_younger_one_was_sealed():
    recorded, sealed = Event(), Event()

    def slow_writer() -> None:
        with transaction.atomic():
            log.record(kind="slow")
            recorded.set()
            sealed.wait(10)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(slow_writer)
        recorded.wait(10)
        _write(1)
        first = seals.seal()
        sealed.set()
        writer.result()

    assert [seal.count for seal in first + seals.seal()] == [1, 1]
    assert AuditLeaf.objects.order_by("position").last().event.kind == "slow"


@pytest.fixture
def process_environment(tmp_path):
    """The environment of processes that share a SQLite file with 6,000 unsealed events."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/log.sqlite3",
        "AUDIT_ANCHORS": f"{tmp_path}/anchors.jsonl",
    }
    _output(_manage(environment, "migrate", "--verbosity=0"))
    fill = (
        "from django.db import transaction; from audit import log\n"
        "with transaction.atomic():\n"
        "    for _ in range(6000): log.record(kind='guest.created')"
    )
    _output(_manage(environment, "shell", "--command", fill))
    return environment


SEAL_BY_100 = "from audit.sealing import seals; print('ready', flush=True); seals.seal(limit=100)"


def _manage(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, text=True, stdout=pipe, stderr=subprocess.STDOUT
    )


def _output(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    return output


@pytest.mark.slow
def test_two_sealing_processes_seal_every_event_once(process_environment):
    rivals = [_manage(process_environment, "shell", "--command", SEAL_BY_100) for _ in range(2)]
    for rival in rivals:
        _output(rival)

    _output(_manage(process_environment, "seal_audit"))

    told = _output(_manage(process_environment, "verify_audit"))
    assert "verified: 6000 events" in told


@pytest.mark.slow
def test_a_sealer_killed_anywhere_leaves_a_log_that_verifies_and_goes_on(process_environment):
    for _ in range(5):
        sealer = _manage(process_environment, "shell", "--command", SEAL_BY_100)
        next(line for line in sealer.stdout or () if "ready" in line)
        with suppress(subprocess.TimeoutExpired):
            sealer.communicate(timeout=random.uniform(0.0, 0.2))
        sealer.kill()
        sealer.communicate()

    _output(_manage(process_environment, "seal_audit"))

    told = _output(_manage(process_environment, "verify_audit"))
    assert "verified: 6000 events" in told

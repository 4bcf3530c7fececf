"""The drill of docs/operators.md: disk lost, backup restored elsewhere, service started again."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from tests.services.production import own_role
from tests.services.test_backup import pointed_at
from tests.support.machine import postgres_database
from tests.support.sandbox import Sandbox
from tests.support.service import ROOT, Reply, Service, running_service

pytestmark = pytest.mark.slow

SESSIONS = ("erased", "withdrawn", "stated again", "held", "quiet")
FORGE_EVENT = """
from django.db import connection
from audit import triggers
from audit.models import AuditEvent, AuditLeaf
with connection.cursor() as cursor:
    for trigger in triggers.wanted():
        table = f" ON {trigger.table}" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}{table}")
first = AuditLeaf.objects.get(position=0).event_id
AuditEvent.objects.filter(id=first).update(actor="forged")
triggers.install()
"""
FORGE_SEAL = """
from datetime import UTC, datetime
from hashlib import sha256
from audit.models import AuditLog, AuditSeal
from audit.sealing import seals
last = seals.latest()
seal = AuditSeal(
    number=last.number + 1, first_position=last.first_position + last.count, count=1,
    root="0" * 64, previous_hash=last.hash, time=datetime.now(UTC), key_id=last.key_id,
)
seal.hash = sha256(seals.header(seal=seal, log_id=AuditLog.objects.get().log_id)).hexdigest()
seal.signature = "00" * 64
seal.save(force_insert=True)
"""
REMOVE_SEAL = (
    FORGE_EVENT.partition("first =")[0]
    + """
from audit.models import AuditSeal
last = AuditSeal.objects.latest("number").number
AuditLeaf.objects.filter(seal_id=last)._raw_delete("default")
AuditSeal.objects.filter(number=last)._raw_delete("default")
triggers.install()
"""
)


def back_up(service: Service, folder: Path) -> Path:
    """Make a backup of the running service, as the nightly job does; return where it is."""
    folder.mkdir()
    script = [sys.executable, str(ROOT / "deploy" / "backup.py"), str(folder)]
    done = subprocess.run(script, env=service.env, check=True, capture_output=True, text=True)
    (made,) = folder.iterdir()
    assert done.stdout.startswith(f"{made}: ")
    return made


def onto_another_disk(service: Service, backup: Path) -> Service:
    """Restore an SQLite file; return the service's commands on it."""
    restored = backup.with_name("restored.sqlite3")
    shutil.copy(backup / "guestportal.sqlite3", restored)
    return pointed_at(service, f"sqlite:///{restored}")


def into(elsewhere: str, service: Service, backup: Path) -> Service:
    """Restore a dump into the database `elsewhere`; return the service's commands on it."""
    restore = ["pg_restore", "--exit-on-error", "--no-owner", f"--dbname={elsewhere}"]
    subprocess.run([*restore, str(backup / "guestportal.dump")], check=True)
    return pointed_at(service, elsewhere)


@pytest.fixture
def on_sqlite(tmp_path: Path, sandbox: Sandbox) -> Iterator[Service]:
    """A service that has lost its disk, on the backup of before the last acts, not started."""
    with running_service(tmp_path, sandbox.url, **listing_in(tmp_path)) as service:
        yield from _after_the_loss(service, tmp_path, onto_another_disk)


@pytest.fixture
def on_postgresql(tmp_path: Path, sandbox: Sandbox) -> Iterator[Service]:
    """The same, by dumps."""
    if not shutil.which("pg_dump"):
        pytest.skip("pg_dump is not installed")
    with (
        postgres_database() as database,
        postgres_database() as empty,
        own_role(empty) as (elsewhere, _),  # restored as the service's role, as the docs say
        running_service(
            tmp_path, sandbox.url, DATABASE_URL=database, **listing_in(tmp_path)
        ) as service,
    ):
        yield from _after_the_loss(service, tmp_path, partial(into, elsewhere))


def listing_in(folder: Path) -> dict[str, str]:
    return {
        "RESTORE_LIST": f"{folder}/restore-list.jsonl",
        "BACKUP_MARKER": f"{folder}/backup-made",
    }


def _after_the_loss(
    service: Service, folder: Path, restore: Callable[[Service, Path], Service]
) -> Iterator[Service]:
    for session in SESSIONS:
        assert service.init(session).status == 200
    service.manage("seal_audit")
    backup = back_up(service, folder / "backups")
    assert (folder / "backup-made").exists()
    service.init("younger than the backup")
    service.manage("erase_subject", "--session-hash", key("erased"))
    service.manage("legal_hold", "--place", "case-7", "--session-hash", key("held"))
    for session in ("withdrawn", "stated again"):
        service.post("/api/webchat/consent/withdraw", {"sessionId": session})
    service.init("stated again")
    service.manage("seal_audit")
    service.kill(signal.SIGKILL)
    restored = restore(service, backup)
    try:
        yield restored
    finally:
        restored.kill(signal.SIGTERM)


def key(session: str) -> str:
    return sha256(session.encode()).hexdigest()


def verify(service: Service) -> tuple[int, str]:
    done = service.manage("verify_audit", check=False)
    return done.returncode, done.stdout + done.stderr


def basis_of_silence(service: Service, session: str) -> str:
    """Return what a new init of `session` that says nothing of consent is taken for."""
    assert service.post("/api/webchat/init", {"sessionId": session}).status == 200
    return str(service.rows("consent_basis")[-1]["consent_basis"])


def token(service: Service, session: str) -> Reply:
    (guest,) = (
        row["guest_id"]
        for row in service.rows("guest_id", "session_hash")
        if row["session_hash"] == key(session)
    )
    return service.post("/api/webchat/token", {"sessionId": session, "guestId": guest})


def test_a_service_restored_from_an_sqlite_copy_goes_on_where_backup_and_list_leave_it(
    on_sqlite: Service,
) -> None:
    drill(on_sqlite)


@pytest.mark.services
def test_a_service_restored_from_a_dump_goes_on_where_backup_and_list_leave_it(
    on_postgresql: Service,
) -> None:
    drill(on_postgresql)


def drill(restored: Service) -> None:
    status, said = verify(restored)
    assert (status, "was cut off" in said) == (1, True), said
    assert restored.manage("audit_restored", check=False).returncode == 1  # nobody agreed

    restored.manage("audit_restored", "--yes", "--actor", "operator")

    status, said = verify(restored)
    assert (status, "restored from a backup" in said) == (0, True), said
    assert "Nothing to do" in restored.manage("audit_restored", "--yes").stdout
    held = restored.manage("erase_subject", "--session-hash", key("held"), check=False)
    assert (held.returncode, "legal hold restored-" in held.stderr) == (1, True), held.stderr
    assert key("erased") not in [row["session_hash"] for row in restored.rows("session_hash")]

    restored.start_web()
    assert restored.get("/readyz").json["anchors"] == "ok"
    assert token(restored, "quiet").status == 200
    assert token(restored, "withdrawn").json["code"] == "consent_declined"
    assert basis_of_silence(restored, "withdrawn") == "withdrawn"
    assert basis_of_silence(restored, "stated again") == "assumed"
    for session in ("after", "younger than the backup", "erased"):
        assert restored.init(session).status == 200
    restored.manage("seal_audit")
    status, said = verify(restored)
    assert (status, "restored from a backup" in said) == (0, True), said


def test_a_service_that_starts_before_the_restore_is_announced_serves_and_says_so(
    on_sqlite: Service,
) -> None:
    on_sqlite.start_web()
    on_sqlite.init("too early")
    on_sqlite.manage("housekeeping", "--once")

    ready = on_sqlite.get("/readyz")
    assert (ready.status, "audit_restored" in ready.json["anchors"]) == (200, True)
    assert verify(on_sqlite)[0] == 1

    on_sqlite.manage("audit_restored", "--yes")
    status, said = verify(on_sqlite)
    assert (status, "restored from a backup" in said) == (0, True), said


def test_an_altered_restore_is_found(on_sqlite: Service) -> None:
    on_sqlite.manage("audit_restored", "--yes")

    # Each is found before the one that came first.
    for alteration, sentence in (
        (REMOVE_SEAL, "was cut off"),
        (FORGE_SEAL, "its signature is not ours"),
        (FORGE_EVENT, "its column actor was edited"),
    ):
        on_sqlite.manage("shell", "--no-imports", "-c", alteration)
        status, said = verify(on_sqlite)
        assert (status, sentence in said) == (1, True), said

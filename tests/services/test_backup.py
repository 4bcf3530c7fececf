"""The backup and restore that docs/operators.md describes, done."""

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.support.machine import postgres_database
from tests.support.sandbox import Sandbox
from tests.support.service import Service, running_service

pytestmark = pytest.mark.slow


def test_a_sqlite_backup_taken_from_the_running_service_verifies(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with running_service(tmp_path, sandbox.url) as service:
        guest = service.init("kept").json["guestId"]
        service.manage("seal_audit")
        source = sqlite3.connect(service.env["DATABASE_URL"].removeprefix("sqlite:///"))
        with source, sqlite3.connect(tmp_path / "backup.sqlite3") as copy:
            source.backup(copy)
        source.close()
        copy.close()

        restored = pointed_at(service, f"sqlite:///{tmp_path}/backup.sqlite3")

        assert [row["guest_id"] for row in restored.rows("guest_id")] == [guest]
        assert restored.manage("verify_audit").returncode == 0


@pytest.mark.services
def test_a_postgresql_dump_restored_elsewhere_verifies(tmp_path: Path, sandbox: Sandbox) -> None:
    if not shutil.which("pg_dump"):
        pytest.skip("pg_dump is not installed")
    with (
        postgres_database() as database,
        postgres_database() as elsewhere,
        running_service(tmp_path, sandbox.url, DATABASE_URL=database) as service,
    ):
        guest = service.init("kept").json["guestId"]
        service.manage("seal_audit")
        dump = tmp_path / "guestportal.dump"
        subprocess.run(
            ["pg_dump", "--format=custom", "--no-owner", f"--file={dump}", database], check=True
        )
        restore = ["pg_restore", "--exit-on-error", "--no-owner", f"--dbname={elsewhere}"]
        subprocess.run([*restore, str(dump)], check=True)

        restored = pointed_at(service, elsewhere)

        assert [row["guest_id"] for row in restored.rows("guest_id")] == [guest]
        assert restored.manage("verify_audit").returncode == 0
        assert "trigger" not in restored.manage("check", "--database=default").stderr


def pointed_at(service: Service, database: str) -> Service:
    """Return the same service's commands, on another database."""
    env = service.env | {"DATABASE_URL": database}
    return Service(service.url, env, service.log_path)

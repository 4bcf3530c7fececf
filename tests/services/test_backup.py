"""The backup and restore that docs/operators.md describes, done."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine import postgres_database
from tests.support.sandbox import Sandbox
from tests.support.service import ROOT, Service, environment, running_service

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


def back_up(env: dict[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
    script = [sys.executable, str(ROOT / "deploy" / "backup.py"), str(folder)]
    return subprocess.run(script, env=env, capture_output=True, text=True, check=False)


def test_a_backup_into_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    ended = back_up(environment(tmp_path, "http://127.0.0.1:9"), tmp_path / "nowhere")

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"{tmp_path}/nowhere/" in ended.stderr
    assert "No such file or directory" in ended.stderr


def test_a_backup_without_pg_dump_says_so_and_leaves_nothing_half_made(tmp_path: Path) -> None:
    url = "postgres://nobody@127.0.0.1:1/nowhere"
    env = environment(tmp_path, "http://127.0.0.1:9", DATABASE_URL=url) | {"PATH": "/nowhere"}
    folder = tmp_path / "backups"
    folder.mkdir()

    ended = back_up(env, folder)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "pg_dump is not in PATH" in ended.stderr
    assert [*folder.iterdir()] == []


def test_a_backup_says_what_it_wrote(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with running_service(tmp_path, sandbox.url) as service:
        ended = back_up(service.env, folder)

    (made,) = folder.iterdir()
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"{made}: ")
    assert "guestportal.sqlite3" in ended.stdout


def pointed_at(service: Service, database: str) -> Service:
    """Return the same service's commands, on another database."""
    env = service.env | {"DATABASE_URL": database}
    return Service(service.url, env, service.log_path)

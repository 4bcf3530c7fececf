"""What `manage.py` makes of troubles that every command may meet."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.production import own_role
from tests.support.machine import postgres_database
from tests.support.service import ROOT, environment, free_port

pytestmark = pytest.mark.thorough

PRODUCT = ("guestportal", "provisioning", "crm", "audit", "backoffice", "sandbox")
COMMANDS = [
    ["migrate", "--verbosity=0"],
    ["setup_roles"],
    ["verify_audit"],
    ["seal_audit"],
    ["recover_pending"],
    ["issue_api_token", "somebody"],
    ["createsuperuser", "--no-input", "--username=a", "--email=a@example.com"],
]


def run(folder: Path, database: str, *argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *argv],
        cwd=ROOT,
        env=environment(folder, "http://127.0.0.1:9", DATABASE_URL=database),
        capture_output=True,
        text=True,
        check=False,
    )


def unreachable() -> str:
    return f"postgres://user:pass-word@127.0.0.1:{free_port()}/guests?connect_timeout=1"


def not_a_database(folder: Path) -> str:
    path = folder / "torn.sqlite3"
    path.write_bytes(b"this is no database" * 100)
    return f"sqlite:///{path}"


@pytest.mark.parametrize("argv", COMMANDS, ids=lambda argv: argv[0])
def test_says_in_one_sentence_that_the_database_cannot_be_used(
    argv: list[str], tmp_path: Path
) -> None:
    ended = run(tmp_path, not_a_database(tmp_path), *argv)

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1] == (
        "guestportal: the database cannot be used: file is not a database"
    )


def test_says_so_of_a_server_that_is_not_there(tmp_path: Path) -> None:
    ended = run(tmp_path, unreachable(), "migrate")

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("guestportal: the database cannot be used: ")
    assert "pass-word" not in ended.stderr


@pytest.fixture
def of_another(tmp_path: Path) -> Iterator[str]:
    """A database whose tables belong to the administrator, as one who restored it leaves it."""
    with postgres_database() as database, own_role(database) as (url, _):
        run(tmp_path, database, "migrate", "--verbosity=0").check_returncode()
        yield url


@pytest.mark.services
@pytest.mark.parametrize("argv", COMMANDS[:4], ids=lambda argv: argv[0])
def test_says_in_one_sentence_that_the_tables_belong_to_another_role(
    argv: list[str], tmp_path: Path, of_another: str
) -> None:
    ended = run(tmp_path, of_another, *argv)

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "permission denied for table" in ended.stderr.splitlines()[-1]
    assert "the role of DATABASE_URL must own the tables" in ended.stderr.splitlines()[-1]


@pytest.mark.services
def test_doctor_says_so_too(tmp_path: Path, of_another: str) -> None:
    told = json.loads(run(tmp_path, of_another, "doctor", "--json").stdout)["findings"]

    found = {each["name"]: each for each in told}["migrations"]
    assert found["state"] == "fault"
    assert "permission denied" in found["said"]
    assert "restore as the role of DATABASE_URL" in found["remedy"]


@pytest.mark.services
def test_says_in_one_sentence_that_there_are_no_tables(tmp_path: Path) -> None:
    with postgres_database() as database:
        ended = run(tmp_path, database, "verify_audit")

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.endswith("does not exist; run: manage.py migrate\n")


def test_shows_the_traceback_to_those_who_ask(tmp_path: Path) -> None:
    ended = run(tmp_path, not_a_database(tmp_path), "setup_roles", "--traceback")

    assert ended.returncode == 1
    assert "Traceback" in ended.stderr


def test_every_text_file_and_every_pipe_names_its_encoding() -> None:
    assert [*_without_encoding()] == []


def _without_encoding() -> Iterator[str]:
    """Yield where the product opens text in the encoding of the locale."""
    paths = [ROOT / "manage.py", *(p for app in PRODUCT for p in (ROOT / app).rglob("*.py"))]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if not isinstance(node, ast.Call) or not _is_text(node):
                continue
            if not {"encoding", None} & {keyword.arg for keyword in node.keywords}:
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


# Names of what is no path: its `open` opens no text file.
_NO_FILE = {"os.open", "self.open", "server.open", "backend.open"}


def _is_text(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in {"read_text", "write_text"}:
        return True
    if name in {"run", "Popen", "check_output"}:
        return any(keyword.arg in {"text", "universal_newlines"} for keyword in call.keywords)
    if name not in {"open", "fdopen"} or _module(call) in _NO_FILE:
        return False
    # The mode of open(path, mode), or of path.open(mode); archive.open(name, mode) is binary.
    at = 0 if isinstance(call.func, ast.Attribute) and name == "open" else 1
    mode = getattr(call.args[at], "value", "") if len(call.args) > at else "r"
    return isinstance(mode, str) and bool(re.fullmatch("[rwax+]+t?", mode))


def _module(call: ast.Call) -> str:
    return f"{getattr(getattr(call.func, 'value', None), 'id', '')}.open"

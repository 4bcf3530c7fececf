"""Nothing that must not be kept is in the log, at DEBUG too, nor in the database's files."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Live, new_address
from tests.support.service import Reply
from tests.support.webchat import session_hash

pytestmark = pytest.mark.thorough

SESSION = "a-session-id-like-no-other"
EMAIL, NAME = "jane.doe@customer.example", "Janequelyn"


@pytest.fixture(scope="module")
def reader(live: Live) -> Iterator[sqlite3.Connection]:
    """Hold the database open: when its last connection closes, SQLite removes the WAL."""
    database = sqlite3.connect(live.folder / "service.sqlite3")
    database.execute("SELECT count(*) FROM provisioning_guestcreation").fetchall()
    yield database
    database.close()


@pytest.fixture(scope="module")
def answers(live: Live, reader: sqlite3.Connection) -> list[Reply]:
    """A known visitor's inits: one that works, and one for each kind of trouble."""
    csv = live.folder / "crm.csv"
    csv.write_text(
        f"session_id,email,first_name,tier,previous_tickets\n{SESSION},{EMAIL},{NAME},A,1\n"
    )
    live.service.manage("import_crm", str(csv))
    csv.unlink()
    found = [live.init(SESSION, Idempotency_Key="the-key-of-the-page") for _ in range(2)]
    echo = {"message": f"{EMAIL} {SESSION}", "code": "bad.request"}
    for fault in (
        {"kind": "status", "status": 400, "body": echo},
        {"kind": "garbage", "shape": "html"},
        {"kind": "reset"},
    ):
        live.sandbox.faults([{"endpoint": "guests", **fault}])
        found.append(live.init(SESSION))
    live.sandbox.faults([])
    live.service.post("/api/webchat/init", b'{"sessionId": "%b", ' % SESSION.encode())
    fields = {"sessionId": SESSION, "guestId": found[0].json["guestId"]}
    for path in ("token", "consent/withdraw"):
        found.append(
            live.service.post(f"/api/webchat/{path}", fields, X_Forwarded_For=new_address())
        )
    return found


@pytest.fixture
def secrets(live: Live, answers: list[Reply]) -> list[str]:
    """What must be found nowhere; the bearer token is looked for by the secret that bought it."""
    tokens = [reply.json["accessToken"] for reply in answers if "accessToken" in reply.text]
    assert len(tokens) == 3
    client_secret = live.service.env["GENESYS_CLIENT_SECRET"]
    return [SESSION, client_secret, "the-key-of-the-page", *tokens]


def test_meets_each_kind_of_trouble(answers: list[Reply]) -> None:
    statuses = [reply.status for reply in answers]

    assert statuses == [200, 200, 502, 502, 503, 200, 200]


def test_logs_json_lines_at_debug(live: Live, answers: list[Reply]) -> None:
    levels = {json.loads(line)["level"] for line in live.service.log.splitlines()}

    assert "DEBUG" in levels


def test_logs_no_secret_no_session_no_address(
    live: Live, answers: list[Reply], secrets: list[str]
) -> None:
    log = live.service.log

    for secret in [*secrets, session_hash(SESSION), session_hash(SESSION)[:8], EMAIL, NAME]:
        assert secret not in log
    assert "Bearer " not in log
    assert "Traceback" not in log


def database_files(live: Live) -> list[Path]:
    return sorted(live.folder.glob("service.sqlite3*"))


def test_keeps_no_secret_and_no_session_id_on_disk(live: Live, secrets: list[str]) -> None:
    files = database_files(live)

    assert "service.sqlite3-wal" in {file.name for file in files}
    for file in files:
        content = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content


def test_finds_what_is_meant_to_be_kept(live: Live, answers: list[Reply]) -> None:
    kept = b"".join(file.read_bytes() for file in database_files(live))

    assert session_hash(SESSION).encode() in kept


def test_sends_the_platform_no_session_and_no_secret_of_ours(
    live: Live, answers: list[Reply]
) -> None:
    sent = json.dumps(live.sandbox.calls())

    assert EMAIL in sent
    assert SESSION not in sent
    assert session_hash(SESSION) not in sent
    assert live.service.env["SECRET_KEY"] not in sent


def test_writes_each_init_down_once(answers: list[Reply], reader: sqlite3.Connection) -> None:
    sql = "SELECT status FROM provisioning_guestcreation WHERE session_hash = ? ORDER BY id"

    rows = reader.execute(sql, [session_hash(SESSION)]).fetchall()

    assert [status for (status,) in rows] == ["ready", "failed", "unknown", "unknown"]

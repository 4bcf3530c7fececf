"""After an erasure no byte of the person is left: files, write-ahead log, dump, export, log."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import stores
from tests.support.machine import postgres_database, redis_database
from tests.support.messenger import OPTIONS, environment
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import ROOT, Service, running_service

SESSION = "browser-session-of-janette"
HASH = hashlib.sha256(SESSION.encode()).hexdigest()
CSV = (
    "session_id,email,first_name,tier,previous_tickets,city\n"
    f"{SESSION},janette.doe@example.com,Janette,Platinum-Tier,4711,Wuppertal\n"
    "session-of-john,john@example.com,Johnny,Standard,3,Essen\n"
)
TRACES = [SESSION, HASH, "janette.doe@example.com", "Janette", "Platinum-Tier", "Wuppertal"]


@dataclass
class Installation:
    """A running service and how to read all the bytes of its database."""

    service: Service
    sandbox: Sandbox
    folder: Path
    stores: Callable[[], bytes]

    def bytes_anywhere(self) -> bytes:
        """Return stores, sessions, every file, the service's log and an export of the audit."""
        bundle = self.folder / "bundle"
        shutil.rmtree(bundle, ignore_errors=True)
        self.service.manage("export_audit", f"--output={bundle}", "--actor=test")
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        held = self.stores() + stores.sessions(self.service)
        return held + b"".join(file.read_bytes() for file in files)


@pytest.fixture
def on_sqlite(tmp_path: Path, sandbox: Sandbox) -> Iterator[Installation]:
    with running_service(tmp_path, sandbox.url, LOG_LEVEL="DEBUG") as service:
        yield Installation(service, sandbox, tmp_path, lambda: b"")  # its files are in the folder


@pytest.fixture
def on_postgres(tmp_path: Path, sandbox: Sandbox) -> Iterator[Installation]:
    if not shutil.which("pg_dump"):
        pytest.skip("no pg_dump on this machine")
    with postgres_database() as url, redis_database(8) as cache:
        dump = ["pg_dump", "--dbname", url.replace("postgres://", "postgresql://")]
        settings = {"LOG_LEVEL": "DEBUG", "DATABASE_URL": url, "CACHE_URL": cache}
        with running_service(tmp_path, sandbox.url, **settings) as service:
            yield Installation(
                service,
                sandbox,
                tmp_path,
                lambda: subprocess.check_output(dump) + stores.redis_bytes(cache),
            )


def live(installation: Installation) -> None:
    """Do all that can leave a trace of a person."""
    service = installation.service
    crm = installation.folder / "crm.csv"
    crm.write_text(CSV)
    service.manage("import_crm", str(crm))
    crm.unlink()
    body = {"sessionId": SESSION, "consentGiven": True, "noticeVersion": "Janette"}
    for _ in range(2):
        assert service.post("/api/webchat/init", body, Idempotency_Key="once").status == 200
    service.init(SESSION, consentGiven=False)
    service.init("session-of-john")
    fail_at_the_platform(installation)
    script = STAFF % {"hash": HASH, "session": SESSION}
    done = service.manage("shell", "--no-imports", "-c", script, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    service.manage("housekeeping", "--once")
    assert service.post("/api/webchat/consent/withdraw", {"sessionId": SESSION}).status == 200


# A reviewer searches, reviews and places a hold; a stranger types the address into the sign-in.
STAFF = """
from urllib.parse import urlencode
from django.conf import settings
settings.STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
)
from django.contrib.auth.models import User
from django.test import Client
from provisioning.models import GuestCreation, LegalHold
staff = User.objects.create_superuser("dpo", password="secret")
backend = "django.contrib.auth.backends.ModelBackend"
def signed_in():
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(staff, backend=backend)
    return client
def ok(answer, *statuses):
    assert answer.status_code in statuses, (answer.status_code, answer.content[-2000:])
client = signed_in()
stranger = Client(SERVER_NAME="127.0.0.1")
for name in ("janette.doe@example.com", "Janette", "%(hash)s"):
    form = urlencode({"username": name, "password": "Janette"})
    type_ = "application/x-www-form-urlencoded"
    ok(stranger.post("/admin/login/", form, content_type=type_), 200)
creations, records = "/admin/provisioning/guestcreation/", "/admin/crm/crmrecord/"
for term in ("janette.doe@example.com", "%(session)s", "%(hash)s"):
    ok(client.post(creations + "find/", {"term": term}), 302)
    ok(client.post(records + "find/", {"term": term}), 302)
row = GuestCreation.objects.filter(session_hash="%(hash)s").first()
said = {"do": "review", "verdict": "follow_up", "reason": "Janette, janette.doe@example.com"}
ok(client.post(f"{creations}{row.pk}/change/", said), 302)
ok(client.post(f"{creations}{row.pk}/change/", {"do": "reveal"}), 200)
holds = "/admin/provisioning/legalhold/"
found = client.post(creations + "person/", {"term": "%(hash)s"})
ok(found, 302)
person = found.headers["Location"]
ok(client.post(person, {"do": "hold", "reference": "case-7"}), 302)
lift = f"{holds}{LegalHold.objects.get().pk}/delete/"
said = client.get(lift).context_data["question"].digest
ok(client.post(lift, {"confirm_said": said, "confirm_tick": "on"}), 302)
ok(client.post(person, {"do": "export"}), 200)
asked = {"do": "withdraw", "channel": "letter", "received": "2026-01-01", "case": "Janette"}
said = client.post(person, asked).context_data["question"].digest
ok(client.post(person, asked | {"confirm_said": said, "confirm_tick": "on"}), 302)
"""


@pytest.mark.slow
def test_leaves_no_byte_of_the_person_on_messenger(tmp_path: Path) -> None:
    with (
        running_sandbox(*OPTIONS) as sandbox,
        running_service(
            tmp_path, sandbox.url, LOG_LEVEL="DEBUG", **environment(sandbox.url)
        ) as service,
    ):
        installation = Installation(service, sandbox, tmp_path, lambda: b"")
        sought = [*TRACES, *live_on_messenger(installation)]
        before = traces(installation.bytes_anywhere(), sought)

        erase(installation)

        content = installation.bytes_anywhere()

    assert {HASH, sought[-1], "Janette"} <= set(before)
    assert traces(content, sought) == []


def live_on_messenger(installation: Installation) -> list[str]:
    """Do what can leave a trace there; return external id, token and contact."""
    service, sandbox = installation.service, installation.sandbox
    crm = installation.folder / "crm.csv"
    crm.write_text(CSV)
    service.manage("import_crm", str(crm))
    crm.unlink()
    made = service.init(SESSION, consentGiven=True).json
    sandbox.faults([{"endpoint": "enrich", "kind": "close", "process": True}])
    assert service.init(SESSION, consentGiven=True).status == 503
    sandbox.faults([])
    assert service.post("/api/webchat/consent/withdraw", {"sessionId": SESSION}).status == 200
    service.manage("housekeeping", "--once")
    (first, *_) = sandbox.calls(endpoint="enrich")
    external = first["body"]["matchingIdentifiers"][0]["value"]
    return [external, made["accessToken"], made["guestId"]]


def fail_at_the_platform(installation: Installation) -> None:
    """Have the platform refuse the person, and repeat to us whom it refused."""
    body = {"code": "bad.request", "message": "Janette, janette.doe@example.com, is unwelcome"}
    rule = {"endpoint": "guests", "kind": "status", "status": 400, "body": body}
    installation.sandbox.faults([rule])
    assert installation.service.init(SESSION, notice="x").status == 502
    installation.sandbox.faults([])


def erase(installation: Installation) -> None:
    """Erase the person by the raw session id, while the service goes on running."""
    command = [sys.executable, "manage.py", "erase_subject", "--session-id-stdin"]
    subprocess.run(
        command, cwd=ROOT, env=installation.service.env, input=SESSION, text=True, check=True
    )
    listed = installation.service.manage("platform_deletions").stdout
    subprocess.run(
        [sys.executable, "manage.py", "platform_deletions", "--done"],
        cwd=ROOT,
        env=installation.service.env,
        input=listed,
        text=True,
        check=True,
    )


def traces(content: bytes, sought: list[str]) -> list[str]:
    return [trace for trace in sought if trace.lower().encode() in content.lower()]


def guest_ids(sandbox: Sandbox) -> list[str]:
    """Return the ids of all guests of the person, from the platform's own journal."""
    johns = [c for c in sandbox.calls(endpoint="guests") if c["body"].get("name") == "Johnny"]
    ids = {call["guestId"] for call in sandbox.calls(endpoint="guests") if call["guestId"]}
    return sorted(ids - {call["guestId"] for call in johns})


def check_nothing_is_left(installation: Installation, sandbox: Sandbox) -> None:
    live(installation)
    sought = [*TRACES, *guest_ids(sandbox)]
    before = traces(installation.bytes_anywhere(), sought)

    erase(installation)

    content = installation.bytes_anywhere()
    assert set(sought) - set(before) == {SESSION}  # the raw id was nowhere to begin with
    assert traces(content, sought) == []
    assert b"john@example.com" in content
    assert installation.service.manage("verify_audit").returncode == 0


@pytest.mark.slow
def test_leaves_no_byte_of_the_person_on_sqlite(on_sqlite: Installation, sandbox: Sandbox) -> None:
    check_nothing_is_left(on_sqlite, sandbox)


@pytest.mark.services
def test_leaves_no_byte_of_the_person_in_a_dump_of_postgresql(
    on_postgres: Installation, sandbox: Sandbox
) -> None:
    check_nothing_is_left(on_postgres, sandbox)

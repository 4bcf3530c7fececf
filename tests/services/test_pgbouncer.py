"""PgBouncer in transaction mode in front of PostgreSQL, set up as docs/operators.md says."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.services.servers import Server, own_pgbouncer, own_postgres
from tests.services.visitors import HEALS_WITHIN, time_until
from tests.support.load import during
from tests.support.sandbox import Sandbox
from tests.support.service import ROOT, Service, running_service

pytestmark = [pytest.mark.services, pytest.mark.slow]
DEADLINE = 4


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Server]:
    """A server with the role and database of the operators' page."""
    with own_postgres(tmp_path) as server:
        with psycopg.connect(direct(server, "postgres", "postgres"), autocommit=True) as admin:
            admin.execute("CREATE ROLE guestportal LOGIN")
            admin.execute("CREATE DATABASE guestportal OWNER guestportal")
            for statement in documented():
                admin.execute(statement)  # type: ignore[call-overload]
        yield server


@pytest.fixture
def bouncer(tmp_path: Path, postgres: Server) -> Iterator[Server]:
    with own_pgbouncer(tmp_path, postgres) as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, bouncer: Server, sandbox: Sandbox) -> Iterator[Service]:
    url = f"{direct(bouncer, 'guestportal', 'guestportal')}?pgbouncer=on"
    with running_service(
        tmp_path, sandbox.url, DATABASE_URL=url, GENESYS_DEADLINE=str(DEADLINE)
    ) as running:
        yield running


def direct(server: Server, user: str, name: str) -> str:
    return f"postgres://{user}@127.0.0.1:{server.port}/{name}"


def documented() -> list[str]:
    """Return the statements that the operators' page gives for the role."""
    page = (ROOT / "docs" / "operators.md").read_text()
    return re.findall(r"^(ALTER ROLE guestportal SET .+);$", page, re.MULTILINE)


def test_visitors_commands_and_the_audit_log_pass_through_it(service: Service) -> None:
    with during(service.init_url) as loads:
        sealed = [service.manage("seal_audit").returncode for _ in range(2)]
        verified = service.manage("verify_audit").returncode
    ready = service.get("/readyz")

    assert set(loads[0].statuses) == {200}
    assert loads[0].broken == 0
    assert (sealed, verified) == ([0, 0], 0)
    assert ready.json["trouble"] == []
    assert "Traceback" not in service.log


def test_the_waits_of_the_role_are_those_of_the_page(service: Service) -> None:
    shown = service.manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.db import connection as c; cursor = c.cursor();"
        "cursor.execute('SHOW lock_timeout'); print(cursor.fetchone()[0])",
    )

    assert len(documented()) == 3
    assert shown.stdout.strip() == "5s"


def test_answers_in_time_while_the_database_behind_it_hangs(
    service: Service, postgres: Server
) -> None:
    service.init("before")
    postgres.hang()
    refused = [service.init(f"during-{number}") for number in range(2)]
    told_within = time_until(lambda: service.get("/readyz").status == 503)
    postgres.go_on()
    healed = time_until(
        lambda: service.get("/readyz").status == 200 and service.init("after").status == 200
    )

    assert {reply.json["code"] for reply in refused} == {"storage_unavailable"}
    assert max(reply.seconds for reply in refused) < DEADLINE + 0.5
    assert told_within < HEALS_WITHIN
    assert healed < HEALS_WITHIN

"""Doctor ends green on the documented production settings, and names each fault put in."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.services.production import Production, production, tls_before
from tests.services.servers import rabbitmqctl
from tests.support.machine import POSTGRES
from tests.support.service import ROOT

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with production(tmp_path_factory.mktemp("doctor")) as made:
        yield made


def bad(found: dict[str, dict[str, str]]) -> set[str]:
    return {name for name, each in found.items() if each["state"] in ("warning", "fault")}


def test_says_of_a_fresh_installation_that_it_has_no_tables(made: Production) -> None:
    # Static files are there where another test has collected them.
    assert bad(made.stages["fresh"]) - {"static files"} == {"migrations", "worker", "backup"}
    assert made.stages["fresh"]["migrations"]["remedy"] == "Run: manage.py migrate"


def test_says_after_the_migration_what_is_left_to_do(made: Production) -> None:
    assert bad(made.stages["migrated"]) == {
        *("roles", "reviewers", "administrator", "notice", "housekeeping", "worker", "backup")
    }


def test_ends_green_on_the_documented_settings(made: Production) -> None:
    status, found = made.doctor("--fail-level", "warning")

    assert bad(found) == set(), [found[name] for name in bad(found)]
    assert status == 0
    assert {name for name, each in found.items() if each["state"] == "not checked"} <= {
        *("mail", "restore list", "platform")
    }


@dataclass(frozen=True)
class Fault:
    """What is put in: other settings, or something done; and what doctor then says."""

    finding: str
    said: str
    remedy: str
    settings: Callable[[Production], dict[str, str]] = lambda made: {}
    done: Callable[[Production], AbstractContextManager[Any]] = lambda made: nullcontext()
    state: str = "fault"


def having(**settings: str) -> Callable[[Production], dict[str, str]]:
    return lambda made: settings


@contextmanager
def in_sql(made: Production, put_in: str, taken_out: str) -> Iterator[None]:
    made.sql(put_in.format(role=made.role))
    try:
        yield
    finally:
        made.sql(taken_out.format(role=made.role))


def sql(put_in: str, taken_out: str) -> Callable[[Production], AbstractContextManager[None]]:
    return lambda made: in_sql(made, put_in, taken_out)


@contextmanager
def redis_refuses_writes(made: Production) -> Iterator[None]:
    with Redis(port=made.redis.port) as client:
        client.replicaof("127.0.0.1", "1")
        try:
            yield
        finally:
            client.replicaof("NO", "ONE")


@contextmanager
def broker_is_short_of_memory(made: Production) -> Iterator[None]:
    rabbitmqctl(made.rabbitmq, "set_vm_memory_high_watermark", "0.0001")
    try:
        yield
    finally:
        rabbitmqctl(made.rabbitmq, "set_vm_memory_high_watermark", "0.4")


@contextmanager
def worker_is_stopped(made: Production) -> Iterator[None]:
    made.stop(made.worker)
    try:
        yield
    finally:
        made.start_worker()


@contextmanager
def housekeeping_died_hours_ago(made: Production) -> Iterator[None]:
    made.stop(made.housekeeping)
    made.sql("UPDATE provisioning_writeprobe SET written_at = now() - interval '3 hours'")
    try:
        yield
    finally:
        made.start_housekeeping()


@contextmanager
def backup_is_two_days_old(made: Production) -> Iterator[None]:
    marker, long_ago = made.folder / "backup-done", time.time() - 48 * 3600
    os.utime(marker, (long_ago, long_ago))
    try:
        yield
    finally:
        marker.touch()


def a_superuser_s_address(made: Production) -> dict[str, str]:
    return {"DATABASE_URL": POSTGRES + "/" + made.database.rpartition("/")[2]}


def _server(user: str) -> str:
    return f"postgres://{user}@{POSTGRES.rpartition('@')[2]}"


def broker_with(user: str = "guest:guest", vhost: str = "/") -> Callable[[Production], Any]:
    return lambda made: {
        "CELERY_BROKER_URL": f"amqp://{user}@127.0.0.1:{made.rabbitmq.port}/{vhost}"
    }


DISABLE = "ALTER TABLE audit_auditevent DISABLE TRIGGER audit_auditevent_no_change"
ENABLE = "ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER audit_auditevent_no_change"
READ_ONLY = 'ALTER ROLE "{role}" SET default_transaction_read_only = '
FORGOTTEN = "DELETE FROM django_migrations WHERE app = 'crm' AND name = '0008_api_token_scope'"
RECORDED = (
    "INSERT INTO django_migrations (app, name, applied)"
    " VALUES ('crm', '0008_api_token_scope', now())"
)
WEAK = "0123456789" * 6
FAULTS: dict[str, Fault] = {
    "weak key": Fault("SECRET_KEY", "weak", "openssl rand -base64 48", having(SECRET_KEY="weak")),
    "one key twice": Fault(
        "keys",
        "IDENTITY_SECRET and METRICS_TOKEN have the same value",
        "a value of its own",
        having(IDENTITY_SECRET=WEAK, METRICS_TOKEN=WEAK),
    ),
    "no shared cache": Fault(
        "WEB_CONCURRENCY", "without a shared", "Set CACHE_URL", having(CACHE_URL="locmem://")
    ),
    "database away": Fault(
        "database",
        "Connection refused",
        "DATABASE_URL",
        having(DATABASE_URL="postgres://u:pass-word@127.0.0.1:1/nowhere"),
    ),
    "role missing": Fault(
        "database",
        'role "nobody_of_ours" does not exist',
        "CREATE ROLE … LOGIN",
        lambda made: {"DATABASE_URL": f"{_server('nobody_of_ours')}/nowhere"},
    ),
    "database missing": Fault(
        "database",
        'database "nowhere_of_ours" does not exist',
        "createdb --owner=",
        lambda made: {"DATABASE_URL": f"{_server(made.role)}/nowhere_of_ours"},
    ),
    "database superuser": Fault(
        "database role", "is a superuser", "CREATE ROLE", a_superuser_s_address, state="warning"
    ),
    "database read-only": Fault(
        "database writes",
        "cannot be written (ReadOnlySqlTransaction)",
        "standby",
        done=sql(READ_ONLY + "on", READ_ONLY + "off"),
    ),
    "right missing": Fault(
        "database role",
        "lacks rights on 1 tables, such as crm_crmrecord",
        "GRANT ALL",
        done=sql(
            'REVOKE DELETE ON crm_crmrecord FROM "{role}"', 'GRANT ALL ON crm_crmrecord TO "{role}"'
        ),
    ),
    "migration missing": Fault(
        "migrations", "crm.0008_api_token_scope", "migrate", done=sql(FORGOTTEN, RECORDED)
    ),
    "trigger off": Fault("audit triggers", "can be changed", "migrate", done=sql(DISABLE, ENABLE)),
    "pepper": Fault(
        "SESSION_HASH_PEPPER",
        "not the one of this database",
        "rekey_sessions",
        having(SESSION_HASH_PEPPER="0123456789abcdef" * 4),
    ),
    "cache away": Fault(
        "cache", "cannot be used", "CACHE_URL", having(CACHE_URL="redis://127.0.0.1:1/0")
    ),
    "cache read-only": Fault("cache", "refuses writes", "Redis' log", done=redis_refuses_writes),
    "broker password": Fault("broker", "refuses our user", "CELERY_", broker_with("guest:wrong")),
    "broker vhost": Fault("broker", "no such virtual host", "add_vhost", broker_with(vhost="none")),
    "broker alarm": Fault(
        "broker", "takes no message", "list_alarms", done=broker_is_short_of_memory
    ),
    "no worker": Fault("worker", "nobody takes from", "celery -A", done=worker_is_stopped),
    "platform secret": Fault(
        "platform",
        "does not accept our client credentials",
        "GENESYS_CLIENT_SECRET",
        having(GENESYS_CLIENT_SECRET="another-secret"),
    ),
    "platform away": Fault(
        "platform",
        "nothing listens there",
        "host and port",
        having(GENESYS_OAUTH_URL="https://127.0.0.1:1/oauth/token"),
    ),
    "certificate not trusted": Fault(
        "certificate", "not trusted", "GENESYS_CA_BUNDLE", having(GENESYS_CA_BUNDLE="")
    ),
    "no housekeeping": Fault(
        "housekeeping", "has not run for 3 hours", "serve", done=housekeeping_died_hours_ago
    ),
    "old backup": Fault("backup", "48 hours old", "backup job", done=backup_is_two_days_old),
    "anchors in memory": Fault(
        "anchors", "is in memory", "AUDIT_ANCHORS", having(AUDIT_ANCHORS="/dev/shm/anchors.jsonl")
    ),
    "another signing key": Fault(
        "AUDIT_VERIFY_KEYS",
        "seals are signed with key",
        "give back",
        having(AUDIT_SIGNING_KEY="0123456789abcdef" * 4),
    ),
    "mail server away": Fault(
        "mail",
        "cannot be used",
        "EMAIL_URL",
        having(
            DIGEST_TO="a@example.com", EMAIL_FROM="b@example.com", EMAIL_URL="smtp://127.0.0.1:1"
        ),
    ),
    "role gone": Fault(
        "roles",
        "Auditor (4, such as audit.export_log)",
        "setup_roles",
        done=sql(
            "UPDATE auth_group SET name = 'away' WHERE name = 'Auditor'",
            "UPDATE auth_group SET name = 'Auditor' WHERE name = 'away'",
        ),
    ),
    "administrator without codes": Fault(
        "administrator",
        "one-time codes",
        "enrol_mfa",
        done=sql(
            "UPDATE otp_totp_totpdevice SET confirmed = false",
            "UPDATE otp_totp_totpdevice SET confirmed = true",
        ),
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_names_the_fault(made: Production, fault: Fault) -> None:
    with fault.done(made):
        status, found = made.doctor(**fault.settings(made))

    named = found[fault.finding]
    assert named["state"] == fault.state, named
    assert fault.said in named["said"]
    assert fault.remedy in named["remedy"]
    assert status == (1 if fault.state == "fault" or bad(found) != {fault.finding} else 0)
    assert "pass-word" not in str(found)


def test_warns_of_a_certificate_that_ends_soon(made: Production, tmp_path: Path) -> None:
    with tls_before("http://127.0.0.1:1", tmp_path / "tls", days=5) as (bundle, url):
        found = made.doctor(GENESYS_BASE_URL=url, GENESYS_CA_BUNDLE=bundle)[1]

    assert found["certificate"]["state"] == "warning"
    assert "ends in 5 days" in found["certificate"]["said"]


AN_HOUR_AHEAD = """
import time
ours = time.time
time.time = lambda: ours() + 3600
import runpy, sys
sys.argv = ["manage.py", "doctor"]
runpy.run_path("manage.py", run_name="__main__")
"""


def test_names_a_clock_that_is_ahead(made: Production) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AN_HOUR_AHEAD],
        cwd=ROOT,
        env=made.env,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    for store in ("database", "cache"):
        assert f"clock of the {store}" in done.stderr
    assert "seconds behind ours" in done.stdout


def test_is_readable_on_a_narrow_terminal(made: Production) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=made.env | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
    )

    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[-1].endswith("not checked")
    assert max(len(line) for line in lines if "/" not in line) <= 80  # no path is broken

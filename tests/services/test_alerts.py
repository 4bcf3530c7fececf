"""Every alert fires in a real Prometheus when its cause is there, and ends when it is gone."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.services.conftest import broker_through_a_proxy, broker_url, redis_url
from tests.services.prometheus import RULES, WINDOW, Prometheus, own_prometheus, until
from tests.services.proxy import Proxy
from tests.services.servers import Server, own_postgres, own_redis
from tests.services.test_queued_init import ask
from tests.support import messenger
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import ROOT, Service, running_service

pytestmark = [pytest.mark.services, pytest.mark.slow]
DEADLINE = 5
WRITING = "-c default_transaction_read_only=off"  # whatever the server's default has become
REVIEWED = "UPDATE provisioning_guestcreation SET reviewed_at = now() WHERE status = 'unknown'"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "guestportal.json").read_text())
# Makes it, yields once, and undoes it.
Cause = Callable[["Site"], Iterator[None]]


@dataclass(frozen=True)
class Site:
    """A service with all its stores and the platform, under watch."""

    service: Service
    postgres: Server
    redis: Server
    broker: Proxy
    sandbox: Sandbox
    backup: Path
    prometheus: Prometheus

    def sql(self, statement: str) -> list[Any]:
        """Do what only a database administrator can; return what comes back."""
        url = f"postgres://postgres@127.0.0.1:{self.postgres.port}/postgres"
        with psycopg.connect(url, autocommit=True, options=WRITING) as admin:
            done = admin.execute(statement)
            return done.fetchall() if done.description else []

    def restart(self, env: dict[str, str]) -> None:
        """Start the web processes anew under other settings."""
        self.service.kill()
        self.service.env = env
        self.service.start_web()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("watched")
    backup = folder / "backup-done"
    backup.touch()
    with ExitStack() as running:
        enter = running.enter_context
        postgres, redis = enter(own_postgres(folder)), enter(own_redis(folder))
        broker, sandbox = (
            enter(broker_through_a_proxy()),
            enter(running_sandbox(*messenger.OPTIONS)),
        )
        settings = {
            "DATABASE_URL": f"postgres://postgres@127.0.0.1:{postgres.port}/postgres",
            "CACHE_URL": redis_url(redis),
            "CELERY_BROKER_URL": broker_url(broker),
            "WEB_CONCURRENCY": "2",
            "GENESYS_DEADLINE": str(DEADLINE),
            "QUEUE_LIMIT": "1",
            "BACKUP_MARKER": str(backup),
            "RESTORE_LIST": str(folder / "restore-list.jsonl"),
        }
        service = enter(running_service(folder, sandbox.url, **settings))
        prometheus = enter(own_prometheus(folder, service.url.removeprefix("http://")))
        assert service.init("the-first-visitor").status == 200
        service.manage("housekeeping", "--once")
        service.manage("verify_audit")
        yield Site(service, postgres, redis, broker, sandbox, backup, prometheus)


def down(site: Site) -> Iterator[None]:
    site.service.kill()
    yield
    site.service.start_web()


def database_down(site: Site) -> Iterator[None]:
    site.postgres.kill()
    yield
    site.postgres.start()


def read_only(site: Site) -> Iterator[None]:
    site.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    site.sql("SELECT pg_reload_conf()")
    yield
    site.sql("ALTER SYSTEM RESET default_transaction_read_only")
    site.sql("SELECT pg_reload_conf()")


def visited(site: Site, **fault: Any) -> Iterator[None]:
    """Let visitors come while the platform has a fault."""
    site.sandbox.faults([{"endpoint": "guests", **fault}])
    gone = threading.Event()

    def come() -> None:
        while not gone.wait(0.2):
            site.service.init("another-visitor")

    visitors = [threading.Thread(target=come) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    try:
        yield
    finally:
        gone.set()
        site.sandbox.faults([])
        for visitor in visitors:
            visitor.join()
    until(lambda: site.service.init("the-first-after").status == 200)


def failing(**fault: Any) -> Cause:
    return lambda site: visited(site, **fault)


def queued(site: Site) -> Iterator[None]:
    assert ask(site.service, "a-visitor").status == 202
    yield
    site.sql("UPDATE provisioning_guestcreation SET status = 'failed' WHERE status = 'queued'")


def housekeeping_dead(site: Site) -> Iterator[None]:
    site.sql("UPDATE provisioning_writeprobe SET written_at = now() - interval '1 h' WHERE id = 2")
    yield
    site.service.manage("housekeeping", "--once")


def unsealed(site: Site) -> Iterator[None]:
    assert site.service.init("a-visitor").status == 200
    yield
    site.service.manage("seal_audit")


def altered(site: Site) -> Iterator[None]:
    kept = "SELECT id, body FROM audit_auditevent ORDER BY id LIMIT 1"
    ((event, body),) = site.sql(kept)
    site.sql("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
    site.sql(f"UPDATE audit_auditevent SET body = body || ' ' WHERE id = '{event}'")
    assert site.service.manage("verify_audit", check=False).returncode == 1
    yield
    site.sql(f"UPDATE audit_auditevent SET body = $body${body}$body$ WHERE id = '{event}'")
    site.service.manage("migrate", "--verbosity=0")
    site.service.manage("verify_audit")


def long_unverified(site: Site) -> Iterator[None]:
    moved = (
        "UPDATE audit_auditevent SET time = time {} interval '3 days' WHERE kind = 'audit.verified'"
    )
    site.sql("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
    site.sql(moved.format("-"))
    yield
    site.sql(moved.format("+"))
    site.service.manage("migrate", "--verbosity=0")


def killed_at_work(site: Site) -> Iterator[None]:
    site.sandbox.faults([{"endpoint": "guests", "kind": "hang"}])
    before = site.sandbox.count("guests")
    visitor = threading.Thread(target=_ignoring_errors(lambda: site.service.init("cut-short")))
    visitor.start()
    until(lambda: site.sandbox.count("guests") > before)
    site.restart(site.service.env)
    visitor.join()
    yield
    site.sandbox.faults([])
    site.service.manage("recover_pending")


def _ignoring_errors(call: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        with suppress(OSError):  # the service was killed
            call()

    return run


def redis_gone(site: Site) -> Iterator[None]:
    site.redis.kill()
    yield
    site.redis.start()


def broker_gone(site: Site) -> Iterator[None]:
    site.broker.cut()
    yield
    site.broker.restore()


def unknown(site: Site) -> Iterator[None]:
    site.sandbox.faults([{"endpoint": "guests", "kind": "hang"}])
    assert site.service.init("waits-in-vain").status == 504
    site.sandbox.faults([])
    yield
    site.sql(REVIEWED)


def unreviewed(site: Site) -> Iterator[None]:
    """A creation that waits, and has been there for longer than this test can wait."""
    for _ in unknown(site):
        old = "created_at = now() - interval '8 days'"
        site.sql(f"UPDATE provisioning_guestcreation SET {old} WHERE status = 'unknown'")
        yield


def untold(site: Site) -> Iterator[None]:
    env = site.service.env
    site.restart(env | messenger.environment(site.sandbox.url))
    assert site.service.init("takes-it-back").status == 200
    site.service.post("/api/webchat/consent/withdraw", {"sessionId": "takes-it-back"})
    yield
    site.restart(env)


def to_delete_by_hand(site: Site) -> Iterator[None]:
    guest = site.service.init("wants-to-be-forgotten").json["guestId"]
    site.service.manage("erase_subject", "--guest-id", guest)
    yield
    site.sql(
        "UPDATE provisioning_platformdeletion SET state = 'done', done_at = now(), guest_id = ''"
    )


def backup_old(site: Site) -> Iterator[None]:
    long_ago = time.time() - 27 * 3600
    os.utime(site.backup, (long_ago, long_ago))
    yield
    site.backup.touch()


def seals_lost(site: Site) -> Iterator[None]:
    anchors = Path(site.service.env["AUDIT_ANCHORS"])
    kept = anchors.read_text()
    newest = json.loads(kept.splitlines()[-1])
    anchors.write_text(f"{kept}{json.dumps(newest | {'seal': newest['seal'] + 1})}\n")
    yield
    anchors.write_text(kept)


def list_broken(site: Site) -> Iterator[None]:
    entries = Path(site.service.env["RESTORE_LIST"])
    entries.unlink(missing_ok=True)
    entries.mkdir()
    yield
    entries.rmdir()


def provider_gone(site: Site) -> Iterator[None]:
    env = site.service.env
    oidc = {"ADMIN_LOGIN": "both", "OIDC_ISSUER": "http://127.0.0.1:9", "OIDC_CLIENT_ID": "client"}
    oidc |= {"OIDC_CLIENT_SECRET": "secret", "OIDC_GROUP_MAP": "theirs=Auditor"}
    site.restart(env | oidc)
    gone = threading.Event()

    def try_it() -> None:
        while not gone.wait(1.5):  # ten tries a minute are an address's share
            site.service.get("/admin/oidc/start")

    person = threading.Thread(target=try_it)
    person.start()
    yield
    gone.set()
    person.join()
    site.restart(env)


CAUSES: dict[str, Cause] = {
    "GuestportalDown": down,
    "GuestportalDatabaseDown": database_down,
    "GuestportalNotReady": read_only,
    "GuestportalGateClosed": failing(kind="status", status=503),
    "GuestportalCredentialsRefused": failing(kind="status", status=401),
    "GuestportalVisitorsSentAway": failing(kind="garbage"),
    "GuestportalInitsSlow": failing(kind="delay", seconds=3.5),
    "GuestportalQueueWaits": queued,
    "GuestportalQueueFull": queued,
    "GuestportalHousekeepingDead": housekeeping_dead,
    "GuestportalUnsealed": unsealed,
    "GuestportalVerificationFailed": altered,
    "GuestportalVerificationOld": long_unverified,
    "GuestportalOverdue": killed_at_work,
    "GuestportalCacheGone": redis_gone,
    "GuestportalBrokerDown": broker_gone,
    "GuestportalUnknownOutcomes": unknown,
    "GuestportalReviewsOld": unreviewed,
    "GuestportalWithdrawalsUntold": untold,
    "GuestportalDeletionsForAPerson": to_delete_by_hand,
    "GuestportalBackupOld": backup_old,
    "GuestportalSealsLost": seals_lost,
    "GuestportalRestoreListBroken": list_broken,
    "GuestportalSignInsRefused": provider_gone,
}


def test_every_alert_has_a_cause_here() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]

    assert list(CAUSES) == [rule["alert"] for rule in rules]


@pytest.mark.parametrize("alert", CAUSES)
def test_fires_while_its_cause_is_there_and_ends_after_it(site: Site, alert: str) -> None:
    cause = CAUSES[alert](site)
    next(cause)
    try:
        until(lambda: alert in site.prometheus.firing())
        said = site.prometheus.firing()[alert]
    finally:
        next(cause, None)

    until(lambda: alert not in site.prometheus.firing())
    assert said["runbook_url"].endswith(f"#{alert.lower()}")
    assert "error expanding" not in said["summary"] + said["description"]


def test_nothing_fires_while_all_is_well(site: Site) -> None:
    site.service.manage("housekeeping", "--once")
    site.sql(REVIEWED)  # what other tests left behind

    until(lambda: site.prometheus.firing() == {})


# Series that begin with the first person who signs in by an identity provider.
EMPTY = {"Sign-ins by outcome", "Looks at groups by outcome"}


def test_every_query_of_the_dashboard_has_an_answer(site: Site) -> None:
    asked = [
        (panel["title"] in EMPTY, filled(target["expr"]))
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
    ]

    def unanswered() -> list[str]:
        return [each for may_be, each in asked if not site.prometheus.query(each) and not may_be]

    until(lambda: not unanswered(), meanwhile=lambda: site.service.init("a-visitor"))


def filled(expression: str) -> str:
    """Return a panel's expression as Grafana asks it."""
    return expression.replace("$job", "guestportal").replace("$__rate_interval", WINDOW)

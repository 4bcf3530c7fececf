"""The documented production settings on services of this machine, set up as the docs say."""

import json
import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.services.conftest import redis_url
from tests.services.servers import Server, own_rabbitmq, own_redis
from tests.support.machine import POSTGRES, postgres_database
from tests.support.rawserver import certificate, raw_server
from tests.support.sandbox import running_sandbox
from tests.support.service import ROOT, Service, new_service

EXAMPLE = ROOT / "deploy" / "production.env.example"
WORKER = ("-m", "celery", "-A", "guestportal.celery", "worker", "--loglevel=INFO")
NOTICE = """
from datetime import timedelta
from django.utils import timezone
from provisioning.consent import notices
from provisioning.models import NoticeDraft
draft = NoticeDraft.objects.create(version="1", language="en", text="What we do.",
    purposes=["chat"], controller="Example Ltd", effective_at=timezone.now() - timedelta(days=1))
notices.publish(draft=draft, actor="staff:1")
"""
STAFF = """
from django.contrib.auth.models import Group, User
User.objects.create_superuser("root", password="a long pass phrase")
reviewer = User.objects.create_user("reviewer", password="another pass phrase", is_staff=True)
reviewer.groups.add(Group.objects.get(name="Compliance reviewer"))
"""
Findings = dict[str, dict[str, str]]
_RANK = {"not checked": 0, "ok": 1, "warning": 2, "fault": 3}


@dataclass
class Production:
    """A service under the documented settings; `env` is what all of its processes get."""

    service: Service
    role: str
    database: str
    redis: Server
    rabbitmq: Server
    folder: Path
    housekeeping: Any = None
    worker: Any = None
    stages: dict[str, Findings] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return self.service.env

    def doctor(self, *options: str, **settings: str) -> tuple[int, Findings]:
        """Run doctor, with other `settings`; return its exit status and the worst of each name."""
        changed = Service(self.service.url, self.env | settings, self.service.log_path)
        done = changed.manage("doctor", "--json", *options, check=False)
        try:
            found = json.loads(done.stdout)["findings"]
        except ValueError:
            raise AssertionError(done.stderr) from None
        ranked = sorted(found, key=lambda each: _RANK[each["state"]])
        return done.returncode, {each["name"]: each for each in ranked}

    def sql(self, *statements: str) -> None:
        """Do something to the database that only its administrator can."""
        url = urlsplit(self.database)
        with psycopg.connect(f"{POSTGRES}{url.path}", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    def start_worker(self) -> None:
        self.worker = self.service.spawn(*WORKER)
        self.wait_until("worker")

    def start_housekeeping(self) -> None:
        self.housekeeping = self.service.spawn("manage.py", "housekeeping")
        self.wait_until("housekeeping")

    def stop(self, process: Any) -> None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
        self.service.processes.remove(process)

    def wait_until(self, name: str) -> None:
        """Wait until doctor finds `name` in order."""
        end = time.monotonic() + 90
        while (finding := self.doctor()[1][name])["state"] != "ok":
            assert time.monotonic() < end, f"{finding}\n{self.service.log}"


@contextmanager
def production(folder: Path) -> Iterator[Production]:
    """Lead a fresh installation to where nothing is left to do; `stages` holds what doctor said."""
    with ExitStack() as stack:
        made = stack.enter_context(_installed(folder, stack))
        made.stages["fresh"] = made.doctor()[1]
        made.service.manage("collectstatic", "--no-input", "--verbosity=0")
        made.service.manage("migrate", "--verbosity=0")
        made.stages["migrated"] = made.doctor()[1]
        made.service.manage("setup_roles")
        made.service.manage("shell", "-v0", "-c", STAFF)
        made.service.manage("enrol_mfa", "root")
        made.service.manage("shell", "-v0", "-c", NOTICE)
        records = folder / "records.csv"
        records.write_text(
            "session_id,email,first_name,tier,previous_tickets\ns-1,j@example.com,J,Gold,1\n"
        )
        made.service.manage("import_crm", str(records))
        made.service.spawn("manage.py", "serve", "--no-housekeeping")
        made.start_housekeeping()
        made.start_worker()
        made.service.manage("seal_audit")
        made.service.manage("verify_audit")
        (folder / "backup-done").touch()
        yield made


@contextmanager
def _installed(folder: Path, stack: ExitStack) -> Iterator[Production]:
    """Fill in the settings: nothing is made in the database yet, and nothing runs."""
    database, role = stack.enter_context(own_role(stack.enter_context(postgres_database())))
    redis = stack.enter_context(own_redis(folder))
    rabbitmq = stack.enter_context(own_rabbitmq(folder))
    secret = secrets.token_hex(16)
    sandbox = stack.enter_context(running_sandbox("--client-secret", secret))
    bundle, platform = stack.enter_context(tls_before(sandbox.url, folder / "tls"))
    filled = {
        # Names of one's own, as far as a test has any (RFC 2606).
        "ALLOWED_HOSTS": "chat.test",
        "CORS_ALLOWED_ORIGINS": "https://www.test",
        "CSRF_TRUSTED_ORIGINS": "https://chat.test",
        "GUEST_EMAIL_DOMAIN": "visitors.test",
        "GENESYS_CLIENT_ID": "an-oauth-client-of-ours",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AUDIT_SIGNING_KEY": secrets.token_hex(32),
        "SESSION_HASH_PEPPER": secrets.token_hex(32),
        "IDENTITY_SECRET": secrets.token_hex(32),
        "METRICS_TOKEN": secrets.token_hex(16),
        "GENESYS_CLIENT_SECRET": secret,
        "DATABASE_URL": database,
        "CACHE_URL": redis_url(redis),
        "CELERY_BROKER_URL": f"amqp://guest:guest@127.0.0.1:{rabbitmq.port}//",
        "AUDIT_ANCHORS": str(folder / "anchors.jsonl"),
        "BACKUP_MARKER": str(folder / "backup-done"),
        "GENESYS_BASE_URL": platform,
        "GENESYS_CA_BUNDLE": bundle,
    }
    service = new_service(folder, platform)
    here = {name: service.env[name] for name in ("PATH", "ENV_FILE", "BIND", "PORT")}
    service.env = documented() | filled | here
    try:
        yield Production(service, role, database, redis, rabbitmq, folder)
    finally:
        service.kill(signal.SIGTERM)


def documented() -> dict[str, str]:
    """Return the documented settings that are filled in already."""
    lines = EXAMPLE.read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: value for name, value in pairs if value}


@contextmanager
def own_role(url: str) -> Iterator[tuple[str, str]]:
    """Give the database to a role that can do nothing else; answer its URL and the role."""
    name = urlsplit(url).path[1:]
    role = name.replace("test", "role")
    server = urlsplit(POSTGRES)
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE ROLE "{role}" LOGIN')  # type: ignore[arg-type]
        connection.execute(f'ALTER DATABASE "{name}" OWNER TO "{role}"')  # type: ignore[arg-type]
    try:
        yield f"postgres://{role}@{server.hostname}:{server.port or 5432}/{name}", role
    finally:
        with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" OWNER TO CURRENT_USER')  # type: ignore[arg-type]
        with psycopg.connect(f"{POSTGRES}/{name}", autocommit=True) as connection:
            connection.execute(f'DROP OWNED BY "{role}"')  # type: ignore[arg-type]
            connection.execute(f'DROP ROLE "{role}"')  # type: ignore[arg-type]


@contextmanager
def tls_before(url: str, folder: Path, *, days: int = 90) -> Iterator[tuple[str, str]]:
    """Put TLS before a server that speaks plain http; answer the CA's file and the address."""
    folder.mkdir()
    context, bundle = certificate(folder, days=days)
    host, port = urlsplit(url).hostname, urlsplit(url).port

    def relay(connection: socket.socket, asked: bytes) -> None:
        head, _, body = asked.partition(b"\r\n\r\n")
        kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection((host, port)) as beyond:
            beyond.sendall(b"\r\n".join([*kept, b"Connection: close", b"", body]))
            while content := beyond.recv(65536):
                connection.sendall(content)

    with raw_server(relay, tls=context) as server:
        yield bundle, server.url.removesuffix("/guests")

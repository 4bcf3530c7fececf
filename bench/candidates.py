"""What is measured: our service, its floor and its peer, each on a database of its own.

The floor (`floor.py`) is our stack without what makes an init ours; the equal-work peer
(`peer/server.js`) does the floor's work in Node. The tutorial's program, which keeps nothing, comes
beside them where SEED names it.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

import psutil

from tests.support.machine import REDIS, postgres_database
from tests.support.service import ROOT, Service, new_service

Stores = Callable[[], AbstractContextManager[dict[str, str]]]

OURS, FLOOR, PEER, SEED = "ours", "floor", "peer", "tutorial"
_REDIS_NUMBER = os.environ.get("BENCH_REDIS_NUMBER", "15")
_PEER = ROOT / "bench" / "peer"
# The web server as ours is started, with the named application in it.
_WEB = """
import os, sys, django
django.setup()
from guestportal.serving.processes import web
argv = [sys.argv[1] if each == "guestportal.wsgi" else each for each in web().argv]
os.execv(argv[0], argv)
"""
# A creation as it is opened, and an event of each kind that an init records.
_TEMPLATE = """
import json
from django.db import connection
def plain(value):
    return int(value) if connection.vendor == "sqlite" and value in (True, False) else value
def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, map(plain, row))) for row in cursor.fetchall()]
creation = rows("SELECT * FROM provisioning_guestcreation")[0]
creation |= {"status": "pending", "guest_id": "", "token_expires_at": ""}
events = {event["kind"]: event for event in rows("SELECT * FROM audit_auditevent")}
print(json.dumps({"creation": creation, "events": events}, default=str))
"""


@dataclass(frozen=True)
class Candidate:
    """A running program that answers inits, in the environment of `service`."""

    name: str
    service: Service
    process: psutil.Process

    @property
    def init_url(self) -> str:
        return self.service.init_url

    def tree(self) -> list[psutil.Process]:
        """Return the process and all that it started."""
        return [self.process, *self.process.children(recursive=True)]

    def memory(self) -> int:
        """Return the resident bytes of the whole tree; shared pages count for each process."""
        return sum(each.memory_info().rss for each in self.tree())

    def servers(self) -> list[psutil.Process]:
        """Return the PostgreSQL processes that work for its database, and Redis'."""
        url = self.service.env["DATABASE_URL"]
        if not url.startswith("postgres"):
            return []
        database = url.rpartition("/")[2]
        return [each for each in psutil.process_iter() if _serves(each, database)]


def _serves(process: psutil.Process, database: str) -> bool:
    try:
        title = " ".join(process.cmdline())
        ours = title.startswith("postgres:") and database in title
        return ours or process.name() == "redis-server"
    except psutil.NoSuchProcess:
        return False


def sqlite() -> AbstractContextManager[dict[str, str]]:
    """Answer no settings: without any, the database is a file of the service's own."""
    return nullcontext({})


@contextmanager
def postgresql_and_redis() -> Iterator[dict[str, str]]:
    """Make an empty database; answer the settings that name it and Redis."""
    with postgres_database() as url:
        yield {"DATABASE_URL": url, "CACHE_URL": f"{REDIS}/{_REDIS_NUMBER}"}


@contextmanager
def running(
    folder: Path,
    platform_url: str,
    *,
    stores: Stores = sqlite,
    processes: int = 1,
    application: str = "{}",
) -> Iterator[list[Candidate]]:
    """Run all candidates, ours first, each with the settings that its call of `stores` yields.

    `application`: how gunicorn finds what it serves, ``{}`` being the module of the candidate.
    """
    with ExitStack() as stack:

        def start(name: str, argv: Sequence[str], **settings: str) -> Candidate:
            settings |= stack.enter_context(stores())
            settings["WEB_CONCURRENCY"] = str(processes)
            at = folder / name
            return stack.enter_context(program(name, at, platform_url, argv, **settings))

        found = [start(OURS, web(application.format("guestportal.wsgi")))]
        template = _template(found[0])
        found.append(start(FLOOR, web(application.format("bench.floor")), TEMPLATE=template))
        if packages := _peer_packages():
            node = ["node", str(_PEER / "server.js")]
            found.append(start(PEER, node, TEMPLATE=template, NODE_PATH=packages))
        if path := seed_path():
            found.append(start(SEED, ["node", path]))
        yield found


@contextmanager
def ours(folder: Path, platform_url: str, **settings: str) -> Iterator[Candidate]:
    """Run our web processes and housekeeping beside them; the figures are the web's."""
    argv = web("guestportal.wsgi")
    with program(OURS, folder, platform_url, argv, **settings) as candidate:
        candidate.service.spawn("manage.py", "housekeeping")
        yield candidate


@contextmanager
def seed(folder: Path, platform_url: str, **settings: str) -> Iterator[Candidate]:
    """Run the tutorial's program."""
    with program(SEED, folder, platform_url, ["node", seed_path()], **settings) as candidate:
        yield candidate


@contextmanager
def program(
    name: str, folder: Path, platform_url: str, argv: Sequence[str], **settings: str
) -> Iterator[Candidate]:
    """Run a program in a service's environment, our tables in its database."""
    folder.mkdir(parents=True)
    service = new_service(folder, platform_url, **settings)
    service.manage("migrate", "--verbosity=0")
    try:
        with service.log_path.open("ab") as log:
            process = subprocess.Popen(
                argv, cwd=ROOT, env=service.env, stdout=log, stderr=log, start_new_session=True
            )
        service.processes.append(process)
        _wait_for(service, process)
        yield Candidate(name, service, psutil.Process(process.pid))
    finally:
        service.kill(SIGTERM)


def web(application: str) -> list[str]:
    """Return the command that serves a WSGI application as ours is served."""
    return [sys.executable, "-c", _WEB, application]


def _template(candidate: Candidate) -> str:
    """Return the path of a file with the columns of one of our inits, for the others to copy."""
    candidate.service.init("template")
    printed = candidate.service.manage("shell", "--no-imports", "-c", _TEMPLATE).stdout
    path = candidate.service.log_path.with_name("template.json")
    path.write_text(json.dumps(json.loads(printed.splitlines()[-1])))
    return str(path)


def _peer_packages() -> str:
    """Return where the peer's packages lie, installed if need be; empty where they cannot be."""
    folder, lock = ROOT / "var" / "peer", (_PEER / "package-lock.json").read_bytes()
    installed = folder / "installed.json"
    if not (shutil.which("node") and shutil.which("npm")):
        print("without the peer: there is no Node, or no npm")
        return ""
    if not installed.exists() or installed.read_bytes() != lock:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_PEER / name, folder)
        done = subprocess.run(["npm", "ci", "--no-audit"], cwd=folder, capture_output=True)
        if done.returncode:
            print(f"without the peer: `npm ci` in {folder} failed")
            return ""
        installed.write_bytes(lock)
    return str(folder / "node_modules")


def seed_path() -> str:
    """Return where the tutorial's program is, its packages beside it; empty where it cannot run."""
    path = os.environ.get("SEED", "")
    return path if path and shutil.which("node") and Path(path).is_file() else ""


def _wait_for(service: Service, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            service.get("/api/")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"did not start:\n{service.log}")

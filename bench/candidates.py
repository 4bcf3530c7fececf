"""What is measured: our service as `make serve` starts it, and the seed's program."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.machine import REDIS, postgres_database
from tests.support.service import free_port, running_service

REDIS_NUMBER = os.environ.get("BENCH_REDIS_NUMBER", "15")


@dataclass(frozen=True)
class Candidate:
    """A running program that answers inits."""

    name: str
    url: str
    process: psutil.Process

    @property
    def init_url(self) -> str:
        return f"{self.url}/api/webchat/init"

    def cpu_seconds(self) -> float:
        """Return the user and system time of the whole process tree so far."""
        return sum(t.user + t.system for t in (each.cpu_times() for each in self.tree()))

    def memory(self) -> int:
        """Return the resident bytes of the whole tree; shared pages count for each process."""
        return sum(each.memory_info().rss for each in self.tree())

    def tree(self) -> list[psutil.Process]:
        """Return the process and all that it started."""
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def ours(
    folder: Path, platform_url: str, *, name: str = "guestportal", **settings: str
) -> Iterator[Candidate]:
    """Run our web processes and housekeeping beside them; the figures are the web's."""
    folder.mkdir()
    with running_service(folder, platform_url, **settings) as service:
        web = service.processes[0]
        service.spawn("manage.py", "housekeeping")
        yield Candidate(name, service.url, psutil.Process(web.pid))


@contextmanager
def embedded(folder: Path, platform_url: str, **settings: str) -> Iterator[Candidate]:
    """One process on SQLite (``synchronous=FULL``), the audit log on."""
    with ours(folder, platform_url, name="guestportal SQLite ×1", **settings) as candidate:
        yield candidate


@contextmanager
def production(folder: Path, platform_url: str, **settings: str) -> Iterator[Candidate]:
    """Two processes on PostgreSQL and Redis."""
    stores = {"CACHE_URL": f"{REDIS}/{REDIS_NUMBER}", "WEB_CONCURRENCY": "2"}
    with postgres_database() as url:
        stores["DATABASE_URL"] = url
        name = "guestportal PostgreSQL+Redis ×2"
        with ours(folder, platform_url, name=name, **(stores | settings)) as candidate:
            yield candidate


@contextmanager
def seed(path: str, platform_url: str) -> Iterator[Candidate]:
    """Run the seed's program: its path comes from SEED, and its packages lie beside it."""
    port = free_port()
    node = shutil.which("node") or "node"
    process = subprocess.Popen(
        [node, Path(path).name],
        cwd=Path(path).parent,
        env={
            "PATH": os.environ["PATH"],
            "PORT": str(port),
            "GENESYS_BASE_URL": platform_url,
            "GENESYS_CLIENT_ID": "bench",
            "GENESYS_CLIENT_SECRET": "bench",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield Candidate("seed (Node ×1)", url, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=10)


def seed_path() -> str:
    """Return where the seed's program is, empty without one or without Node."""
    path = os.environ.get("SEED", "")
    return path if path and shutil.which("node") and Path(path).is_file() else ""


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the seed's program did not start: are its packages beside it?")

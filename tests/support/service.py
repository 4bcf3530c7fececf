"""The real service as processes: gunicorn on a free loopback port, with a database of its own."""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, its JSON decoded where it is JSON."""

    status: int
    headers: Mapping[str, str]
    text: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Service:
    """A running service: `env` is what it was started with, `root` whose code, `log` its words."""

    url: str
    env: dict[str, str]
    log_path: Path
    root: Path = ROOT
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def post(self, path: str, body: Any, *, timeout: float = 30, **headers: str) -> Reply:
        """POST `body` (bytes as they are, else as JSON); header names with _ for -."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(
            "POST", path, content, {"Content-Type": "application/json", **named}, timeout
        )

    @property
    def init_url(self) -> str:
        return f"{self.url}/api/webchat/init"

    def init(self, session_id: str, timeout: float = 30, **fields: Any) -> Reply:
        body = {"sessionId": session_id, "consentGiven": True, **fields}
        return self.post("/api/webchat/init", body, timeout=timeout)

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, None, headers, 30)

    def request(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], timeout: float
    ) -> Reply:
        address = urlsplit(self.url)
        started = time.monotonic()
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)  # type: ignore[arg-type]
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        return Reply(response.status, response.headers, text, time.monotonic() - started)

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def manage(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command under this service's environment."""
        return subprocess.run(
            [sys.executable, "manage.py", *argv],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            check=check,
        )

    def rows(self, *fields: str) -> list[dict[str, Any]]:
        """Read `fields` of every creation, oldest first, as a process of its own sees them."""
        script = (
            "import json; from provisioning.models import GuestCreation as G; "
            f"print(json.dumps(list(G.objects.order_by('id').values(*{fields!r})), default=str))"
        )
        return list(json.loads(self.manage("shell", "--no-imports", "-c", script).stdout))

    def spawn(self, *argv: str) -> subprocess.Popen[bytes]:
        """Start one more process of the service, such as ``manage.py housekeeping``."""
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *argv],
                cwd=self.root,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def start_web(self) -> subprocess.Popen[bytes]:
        """Start the web server and wait until it answers."""
        process = self.spawn("-c", _WEB)
        end = time.monotonic() + 20
        while time.monotonic() < end and process.poll() is None:
            try:
                self.get("/api/")  # waits in the backlog until a worker answers
            except OSError:  # not listening yet, or a killed worker's socket still is
                time.sleep(0.05)
            else:
                return process
        raise AssertionError(f"the service did not start:\n{self.log}")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal every process of the service, workers included, and wait."""
        for process in self.processes:
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                continue
        for process in self.processes:
            process.wait(timeout=60)
        self.processes.clear()


# The web server as `manage.py serve` starts it, without the refusals and without housekeeping.
_WEB = """
import os, sys, django
django.setup()
from guestportal.serving.processes import web
argv = list(web().argv)
os.execv(argv[0], argv)
"""


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, platform_url: str, **settings: str) -> dict[str, str]:
    """Return the environment of a service with its SQLite file in `folder`."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "guestportal.settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AUDIT_SIGNING_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1,localhost,127.0.0.2,127.0.0.3",
        "SECURE_SSL_REDIRECT": "off",
        "DATABASE_URL": f"sqlite:///{folder}/service.sqlite3",
        "AUDIT_ANCHORS": f"{folder}/anchors.jsonl",
        "GENESYS_BASE_URL": platform_url,
        "GENESYS_CLIENT_ID": "test-client",
        "GENESYS_CLIENT_SECRET": "test-client-secret",
        "GENESYS_RATE_PER_MINUTE": "0",
        "INIT_RATE": "1000000/min",
        **settings,
    }


@contextmanager
def running_service(
    folder: Path, platform_url: str, *, host: str = "127.0.0.1", **settings: str
) -> Iterator[Service]:
    """Migrate, start the web server on a free port of `host`, and stop it all afterwards."""
    service = new_service(folder, platform_url, host=host, **settings)
    service.manage("migrate", "--verbosity=0")
    try:
        service.start_web()
        yield service
    finally:
        service.kill(signal.SIGTERM)


def new_service(
    folder: Path,
    platform_url: str,
    *,
    host: str = "127.0.0.1",
    root: Path = ROOT,
    **settings: str,
) -> Service:
    """Return a service that is neither migrated nor started; the caller must kill() it."""
    port = free_port(host)
    env = environment(folder, platform_url, **settings) | {"BIND": host, "PORT": str(port)}
    service = Service(f"http://{host}:{port}", env, folder / f"service-{port}.log", root)
    service.log_path.touch()
    return service

"""One real service for the tests that only a real server and real files can answer.

It believes one proxy, so that each test can be a client address of its own under the limit of ten
calls a minute, and it logs all that DEBUG knows.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import Reply, Service, running_service

LIMIT = 10
_addresses = count(1)


@dataclass(frozen=True)
class Live:
    """The service, the platform behind it, and its files."""

    service: Service
    sandbox: Sandbox
    folder: Path

    def init(self, session_id: str, *, client: str = "", **headers: str) -> Reply:
        """Ask for a guest as `client`, by default one that nobody was before."""
        body = {"sessionId": session_id, "consentGiven": True}
        headers = {"X_Forwarded_For": client or new_address(), **headers}
        return self.service.post("/api/webchat/init", body, **headers)

    def send(self, head: str, body: bytes = b"", *, half: bool = False) -> tuple[str, bytes]:
        """Send raw bytes to init; return the answer's head and body. `half`: hang up at once.

        `head` is what follows Host and Content-Type, lines parted by newlines.
        """
        address = urlsplit(self.service.url)
        lines = ["POST /api/webchat/init HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"X-Forwarded-For: {new_address()}", *head.split("\n"), "", ""]
        with socket.create_connection((str(address.hostname), int(address.port or 0))) as client:
            client.settimeout(20)
            client.sendall("\r\n".join(lines).encode("latin-1") + body)
            if half:
                return "", b""
            answer = client.makefile("rb").read()
        told, _, content = answer.partition(b"\r\n\r\n")
        return told.decode("latin-1"), content


def new_address() -> str:
    return f"192.0.2.{next(_addresses)}"


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    settings = {"LOG_LEVEL": "DEBUG", "NUM_PROXIES": "1", "INIT_RATE": f"{LIMIT}/min"}
    with (
        running_sandbox() as sandbox,
        running_service(folder, sandbox.url, **settings) as service,
    ):
        yield Live(service, sandbox, folder)

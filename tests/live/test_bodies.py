"""A body that does not end, or that nobody asked for, over a real socket."""

import contextlib
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live.test_over_the_wire import chunks
from tests.support.sandbox import running_sandbox
from tests.support.service import Service, running_service

pytestmark = pytest.mark.thorough

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
LENGTH, CHUNKED = "Content-Length: 5000", "Transfer-Encoding: chunked"
UPLOAD = 'multipart/form-data; boundary="b"'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("bodies")
    (folder / "tmp").mkdir()
    settings = {"BODY_SECONDS": "0.5", "TMPDIR": str(folder / "tmp")}
    with running_sandbox() as sandbox, running_service(folder, sandbox.url, **settings) as running:
        yield running


def exchange(
    service: Service, path: str, kind: str, head: str, body: bytes, *, drip: bytes = b""
) -> tuple[int, bytes]:
    """Send a request, then `drip` until the service hangs up; return its status and body."""
    address = urlsplit(service.url)
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", head, "", ""]
    answer = b""
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as client:
        client.sendall("\r\n".join(lines).encode() + body)
        client.settimeout(0.05 if drip else 20)
        with contextlib.suppress(ConnectionError):
            while True:
                try:
                    if not (more := client.recv(65536)):
                        break
                    answer += more
                except TimeoutError:
                    assert drip, "the service waits for more"
                    client.sendall(drip)
    told, _, content = answer.partition(b"\r\n\r\n")
    return int(told.split()[1]), content


@pytest.mark.parametrize(("head", "drip"), [(LENGTH, b" "), (CHUNKED, b"1\r\n \r\n")])
def test_hangs_up_on_a_body_that_never_ends(head: str, drip: bytes, service: Service) -> None:
    paths = {
        "/api/webchat/init": (JSON, 400),
        "/api/webchat/token": (JSON, 400),
        "/api/crm/records": (JSON, 401),
        "/api/docs": (JSON, 405),
        "/admin/login/": (FORM, 400),
        "/admin/crm/crmrecord/import/": (FORM, 400),
        "/admin/logout/": (UPLOAD, 415),
        "/nothing": (FORM, 404),
        "/livez": (FORM, 404),
    }

    with ThreadPoolExecutor(len(paths)) as threads:
        answers = threads.map(
            lambda path: exchange(service, path, paths[path][0], head, b"", drip=drip), paths
        )
        found = dict(zip(paths, answers, strict=True))

    assert {path: status for path, (status, _) in found.items()} == {
        path: status for path, (_, status) in paths.items()
    }
    error = json.loads(found["/api/webchat/init"][1])
    assert error["code"] == "invalid_request"
    assert error["error"] == "The request body is incomplete."
    assert "Traceback" not in service.log


def test_takes_a_body_that_comes_slowly_but_in_time(service: Service) -> None:
    body = b'{"sessionId": "slow", "consentGiven": true}'
    address = urlsplit(service.url)
    head = f"POST /api/webchat/init HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as client:
        client.settimeout(20)
        for part in (head.encode(), body[:10], body[10:]):
            client.sendall(part)
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("path", "kind", "size", "status"),
    [
        ("/admin/login/", FORM, 9_000, 413),
        ("/admin/login/", FORM, 100, 403),  # read, and without a token
        ("/admin/login/", UPLOAD, 100, 415),
        ("/admin/crm/crmrecord/import/", UPLOAD, 3_000_000, 415),
        ("/api/webchat/init", UPLOAD, 60_000, 415),
        ("/api/crm/records", JSON, 17_000_000, 401),
        ("/api/webchat/init", JSON, 1_000_000, 413),
    ],
)
def test_holds_chunked_bodies_to_the_same_limits(
    path: str, kind: str, size: int, status: int, service: Service
) -> None:
    body = chunks(b"x" * size, 65_536)

    answered, _ = exchange(service, path, kind, f"Connection: close\r\n{CHUNKED}", body)

    assert answered == status
    assert list(Path(service.env["TMPDIR"]).iterdir()) == []


def test_answers_the_next_request_behind_a_body_that_it_refused(service: Service) -> None:
    refused = b"x" * 100_000
    following = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    _, content = exchange(
        service, "/api/webchat/init", JSON, f"Content-Length: {len(refused)}", refused + following
    )

    assert b"too_large" in content
    assert b"HTTP/1.1 200 OK" in content

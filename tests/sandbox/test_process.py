"""The sandbox as an HTTP server and as a process."""

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.sandbox.platform_calls import (
    FORM,
    GUEST,
    GUESTS,
    bearer,
    call,
    connect,
)
from tests.support.sandbox import Sandbox, running_sandbox

pytestmark = pytest.mark.thorough

_DJANGO = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}


def test_answers_many_requests_on_one_connection_in_order(sandbox: Sandbox) -> None:
    authorization = bearer(sandbox)
    connection = connect(sandbox)
    headers = {"Authorization": authorization, "Content-Type": "application/json"}

    names = []
    for number in range(5):
        connection.request("POST", GUESTS, json.dumps({**GUEST, "name": str(number)}), headers)
        names.append(json.load(connection.getresponse())["name"])
    connection.close()

    assert names == ["0", "1", "2", "3", "4"]


def test_answers_pipelined_requests_in_order_though_the_first_takes_longer(
    sandbox: Sandbox,
) -> None:
    sandbox.faults([{"endpoint": "oauth", "kind": "delay", "seconds": 0.05}])
    connection = connect(sandbox)
    connection.connect()

    for path in (b"/oauth/token", b"/nowhere"):
        connection.sock.sendall(b"POST " + path + b" HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    with connection.sock.makefile("rb") as received:
        first = received.readline()
        received.read(int(http.client.parse_headers(received)["Content-Length"]))
        second = received.readline()
    connection.close()

    assert first.startswith(b"HTTP/1.1 400")
    assert second.startswith(b"HTTP/1.1 404")


def test_takes_a_chunked_body(sandbox: Sandbox) -> None:
    data = json.dumps(GUEST).encode()
    connection = connect(sandbox)
    headers = {"Authorization": bearer(sandbox), "Content-Type": "application/json"}

    connection.request("POST", GUESTS, iter([data[:7], data[7:]]), headers, encode_chunked=True)
    status = connection.getresponse().status
    connection.close()

    assert status == 201


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", b"400"),
        (b"X" * 40_000, b"431"),
    ],
)
def test_refuses_what_is_no_bounded_request_and_closes(
    sandbox: Sandbox, raw: bytes, status: bytes
) -> None:
    connection = connect(sandbox)
    connection.connect()

    connection.sock.sendall(raw)
    received = connection.sock.makefile("rb").read()
    connection.close()

    assert received.split(b" ")[1] == status


def test_holds_every_answer_back_for_the_latency_it_is_told() -> None:
    with running_sandbox("--latency-ms", "60000") as sandbox:
        with pytest.raises(TimeoutError):
            call(sandbox, "/oauth/token", timeout=0.1)
        served = sandbox.count("oauth")

    assert served == 1


def test_serves_five_hundred_waiting_clients_at_once() -> None:
    with running_sandbox("--latency-ms", "200") as sandbox:
        connections = [connect(sandbox) for _ in range(500)]
        for connection in connections:
            connection.request("POST", "/oauth/token", urlencode(FORM))
        statuses = {connection.getresponse().status for connection in connections}
        for connection in connections:
            connection.close()

    assert statuses == {200}


def test_lets_pages_from_loopback_control_it_and_no_others(sandbox: Sandbox) -> None:
    ours = call(sandbox, "/_sandbox/faults", [], Origin="http://127.0.0.1:8000")
    foreign = call(sandbox, "/_sandbox/faults", [], Origin="https://evil.example")

    assert ours.status == 200
    assert ours.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:8000"
    assert foreign.status == 403


# --- The process --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_on_a_signal_while_a_client_waits(number: signal.Signals) -> None:
    with running_sandbox() as sandbox:
        sandbox.faults([{"kind": "hang"}])
        waiting = connect(sandbox)
        waiting.request("POST", GUESTS, b"{}")

        os.kill(sandbox.process.pid, number)

        assert sandbox.process.wait(timeout=5) == 0
        waiting.close()


def test_starts_from_manage_py_with_faults_from_a_file(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text('[{"kind": "status", "status": 418}]')
    command = [sys.executable, "manage.py", "genesys_sandbox", "--faults", str(script)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_DJANGO)
    assert process.stdout is not None

    sandbox = Sandbox(url=process.stdout.readline().split()[-1], process=process)
    reply = call(sandbox, GUESTS, GUEST)

    assert reply.status == 418
    assert sandbox.stop() == 0


def test_does_not_start_with_a_wrong_fault_file(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text('[{"kind": "explode"}]')
    command = [sys.executable, "-m", "sandbox", "--faults", str(script)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "rule 1: kind must be one of" in ended.stderr


def test_says_so_when_the_port_is_taken(sandbox: Sandbox) -> None:
    port = str(urlsplit(sandbox.url).port)
    command = [sys.executable, "-m", "sandbox", "--port", port]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_explains_the_fault_file_in_its_help() -> None:
    command = [sys.executable, "manage.py", "genesys_sandbox", "--help"]

    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=_DJANGO)

    assert '{"endpoint": "guests", "call": 1, "kind": "status"' in ended.stdout


def test_needs_neither_django_nor_requests() -> None:
    program = (
        "import sys, sandbox.__main__\n"
        "print(sorted({'django', 'rest_framework', 'requests', 'crm'} & set(sys.modules)))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ended.stdout == "[]\n"

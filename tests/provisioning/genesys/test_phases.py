"""What may have arrived is known by the phase of a call, over real sockets and real TLS."""

import os
import socket
import ssl
import struct
import threading

import pytest
import requests
import responses

from provisioning.genesys import adapter
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError, TimedOut, Unavailable
from provisioning.genesys.gate import Gate
from provisioning.genesys.retry import send
from provisioning.genesys.transport import Answer, Transport
from tests.support.rawserver import GUEST, OK, Behaviour, certificate, raw_server, tunnel

Tls = tuple[ssl.SSLContext, str]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return certificate(tmp_path_factory.mktemp("tls"))


def a_transport(**options: str) -> Transport:
    return Transport(connect_timeout=2, read_timeout=2, pool_size=4, **options)  # type: ignore[arg-type]


def post(transport: Transport, url: str, *, seconds: float = 5) -> Answer:
    """POST as a guest is posted: repeated only where nothing can have arrived."""
    deadline, gate = Deadline(seconds=seconds), Gate(rate_per_minute=0)
    return send(
        lambda: transport.send("POST", url, deadline=deadline, json={"name": "Jane"}),
        gate=gate,
        reservation=gate.reserve(calls=2, deadline=deadline),
        deadline=deadline,
        attempts=3,
        repeatable=False,
    )


def undecryptable(connection: socket.socket, asked: bytes) -> None:
    """Answer with a record that nobody can decrypt."""
    noise = os.urandom(64)
    os.write(connection.fileno(), b"\x17\x03\x03" + struct.pack(">H", len(noise)) + noise)
    end(connection)


def plain_into_tls(connection: socket.socket, asked: bytes) -> None:
    os.write(connection.fileno(), GUEST)
    end(connection)


def half_a_body(connection: socket.socket, asked: bytes) -> None:
    connection.sendall(OK + b'{"id"')
    end(connection)


def nothing_at_all(connection: socket.socket, asked: bytes) -> None:
    end(connection)


def end(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def answer(connection: socket.socket, asked: bytes) -> None:
    connection.sendall(GUEST)


@pytest.mark.parametrize("breaks", [undecryptable, plain_into_tls, half_a_body, nothing_at_all])
def test_never_repeats_what_the_platform_has_read_over_tls(breaks: Behaviour, tls: Tls) -> None:
    context, bundle = tls

    with (
        raw_server(breaks, tls=context) as server,
        pytest.raises(PlatformError) as raised,
    ):
        post(a_transport(ca_bundle=bundle), server.url)

    assert raised.value.arrived
    assert len(server.requests) == 1


def test_repeats_a_handshake_that_failed_and_says_that_nothing_arrived(tls: Tls) -> None:
    context, _ = tls

    with (
        raw_server(nothing_at_all, tls=context) as server,
        pytest.raises(Unavailable, match="certificate is not trusted") as raised,
    ):
        post(a_transport(), server.url)

    assert not raised.value.arrived
    assert (server.connections, server.requests) == (3, [])


@pytest.mark.parametrize(
    ("url", "proxy", "words"),
    [
        ("http://127.0.0.1:{unused}/guests", "", "nothing listens there"),
        ("http://no-such-host.invalid/guests", "", "name was not found"),
        ("https://platform.invalid/guests", "http://127.0.0.1:{unused}", "proxy did not let us"),
    ],
)
def test_says_what_stood_in_the_way_of_a_connection(url: str, proxy: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        unused = listener.getsockname()[1]
    transport = a_transport(proxy=proxy.format(unused=unused))

    with pytest.raises(Unavailable, match=words) as raised:
        transport.send("POST", url.format(unused=unused), deadline=Deadline(seconds=5), json={})

    assert not raised.value.arrived


def test_reaches_a_platform_behind_a_private_ca_and_a_proxy(tls: Tls) -> None:
    context, bundle = tls

    with raw_server(answer, tls=context) as server, tunnel() as (proxy, tunnelled):
        answered = post(a_transport(ca_bundle=bundle, proxy=proxy), server.url)

    assert answered.status == 201
    assert len(tunnelled) == 1


def test_counts_a_proxy_that_breaks_its_tunnel_as_not_arrived() -> None:
    with raw_server(nothing_at_all) as proxy:
        transport = a_transport(proxy=proxy.url.removesuffix("/guests"))
        with pytest.raises(Unavailable) as raised:
            post(transport, "https://platform.invalid/guests")

    assert not raised.value.arrived
    assert all(asked.startswith(b"CONNECT ") for asked in proxy.requests)


def test_times_out_without_repeating_a_guest_that_was_sent() -> None:
    silent = threading.Event()

    def wait(connection: socket.socket, asked: bytes) -> None:
        silent.wait(10)

    with raw_server(wait) as server, pytest.raises(TimedOut) as raised:
        post(a_transport(), server.url, seconds=0.3)
    silent.set()

    assert raised.value.arrived
    assert len(server.requests) == 1


def test_sends_no_guest_on_a_connection_that_was_idle_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transport = a_transport()
    with raw_server(answer) as server:
        post(transport, server.url)
        post(transport, server.url)
        reused = server.connections
        monkeypatch.setattr(adapter, "MAX_IDLE_SECONDS", -1)
        post(transport, server.url)

    assert (reused, server.connections) == (1, 2)


def test_passes_over_interim_answers() -> None:
    def hints_first(connection: socket.socket, asked: bytes) -> None:
        hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" + hint + GUEST)

    with raw_server(hints_first) as server:
        answered = post(a_transport(), server.url)

    assert (answered.status, answered.body) == (201, {"id": "g-1"})


def test_takes_no_end_of_interim_answers_for_an_answer() -> None:
    def only_hints(connection: socket.socket, asked: bytes) -> None:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20)

    with raw_server(only_hints) as server, pytest.raises(Unavailable) as raised:
        post(a_transport(), server.url)

    assert raised.value.arrived
    assert len(server.requests) == 1


def test_keeps_an_idle_connection_alive() -> None:
    options = []

    class Watching(adapter._Connection):
        def connect(self) -> None:
            super().connect()
            options.append(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    transport = a_transport()
    with raw_server(answer) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter._Pool, "ConnectionCls", Watching)
        post(transport, server.url)

    assert options == [1]


@pytest.mark.parametrize(
    "stubbed",
    [
        requests.exceptions.SSLError(),
        requests.ConnectTimeout(),
        requests.exceptions.ProxyError(),
        RuntimeError("anything"),
    ],
    ids=lambda stubbed: type(stubbed).__name__,
)
@responses.activate
def test_believes_no_exception_about_what_arrived(stubbed: Exception) -> None:
    calls = responses.post("https://platform.example/guests", body=stubbed)

    with pytest.raises(PlatformError) as raised:
        post(a_transport(), "https://platform.example/guests")

    assert raised.value.arrived
    assert calls.call_count == 1

"""Servers that break off wherever a test says, over TCP or TLS, in threads of this process."""

import datetime as dt
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# Gets the connection, TLS or not, and what was asked.
Behaviour = Callable[[socket.socket, bytes], None]
OK = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
GUEST = OK + b'{"id": "g-1"}'


@dataclass
class RawServer:
    """A listening server: what it was asked, and its address."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextmanager
def raw_server(
    behaviour: Behaviour, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[RawServer]:
    """Listen on loopback; each request that was read whole is recorded, then `behaviour` acts."""
    listener = socket.create_server((host, 0))
    scheme = "https" if tls else "http"
    server = RawServer(f"{scheme}://{host}:{listener.getsockname()[1]}/guests")
    thread = threading.Thread(target=_accept, args=(listener, server, behaviour, tls), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.close()


def certificate(folder: Path, *, days: int = 1) -> tuple[ssl.SSLContext, str]:
    """Return a server's TLS context for 127.0.0.1 and the file that trusts its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a private CA")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    bundle, chain = folder / "ca.pem", folder / "server.pem"
    bundle.write_bytes(pem)
    chain.write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, str(bundle)


@contextmanager
def tunnel() -> Iterator[tuple[str, list[bytes]]]:
    """Run an HTTP proxy that knows CONNECT; gives its address and the tunnels it opened."""
    tunnelled: list[bytes] = []

    def connect(connection: socket.socket, asked: bytes) -> None:
        host, _, port = asked.split()[1].decode().partition(":")
        tunnelled.append(asked)
        with socket.create_connection((host, int(port))) as beyond:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=_pump, args=(beyond, connection), daemon=True).start()
            _pump(connection, beyond)

    with raw_server(connect) as proxy:
        yield proxy.url.removesuffix("/guests"), tunnelled


def _accept(
    listener: socket.socket, server: RawServer, behaviour: Behaviour, tls: ssl.SSLContext | None
) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            server.connections += 1
            arguments = (connection, server, behaviour, tls)
            threading.Thread(target=_serve, args=arguments, daemon=True).start()


def _serve(
    tcp: socket.socket, server: RawServer, behaviour: Behaviour, tls: ssl.SSLContext | None
) -> None:
    with suppress(OSError), tls.wrap_socket(tcp, server_side=True) if tls else tcp as connection:
        while asked := _request(connection):
            server.requests.append(asked)
            behaviour(connection, asked)
    tcp.close()


def _request(connection: socket.socket) -> bytes:
    """Return one whole request, or nothing where the client has gone."""
    asked = b""
    while b"\r\n\r\n" not in asked:
        if not (more := connection.recv(65536)):
            return b""
        asked += more
    head, _, body = asked.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while content := source.recv(65536):
            sink.sendall(content)
    except OSError:
        return

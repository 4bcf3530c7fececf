"""Origins as visitors meet them: names and TLS for Chromium, all of it on loopback.

`https://chat.example.com` is the real service, `https://shop.example` a website that embeds it.
Chromium maps the names to our ports and trusts our certificate, so pages, CORS and mixed content
behave as on the internet, and the guide's snippets run unchanged.
"""

import asyncio
import datetime
import queue
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
    # Pages on the internet would not be on loopback, nor asked whether they may go there.
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
)


@contextmanager
def chromium(*, names: Mapping[str, str] | None = None) -> Iterator[Browser]:
    """Run headless Chromium; `names` maps host names to the URLs that serve them on loopback."""
    rules = [f"MAP {name}:443 {urlsplit(url).netloc}" for name, url in (names or {}).items()]
    options = [*_OPTIONS, f"--host-resolver-rules={','.join(rules)}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


def make_certificate(folder: Path) -> Path:
    """Write a key and a certificate of its own signing to one PEM file and return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "guestportal tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "tls.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return pem


@contextmanager
def website(folder: Path, certificate: Path) -> Iterator[str]:
    """Serve a folder over TLS, as a website that knows nothing of us; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def behind_tls(url: str, certificate: Path) -> Iterator[str]:
    """Put TLS in front of `url`, as a proxy would; yield the address of the front."""
    back = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    started: queue.Queue[tuple[int, Callable[[], object]]] = queue.Queue()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(back.hostname, back.port)
        await asyncio.gather(_pour(reader, there[1]), _pour(there[0], writer))

    async def serve() -> None:
        server = await asyncio.start_server(join, "127.0.0.1", 0, ssl=context)
        stop = asyncio.Event()
        wake = partial(asyncio.get_running_loop().call_soon_threadsafe, stop.set)
        started.put((server.sockets[0].getsockname()[1], wake))
        await stop.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=[serve()], daemon=True)
    thread.start()
    port, stop = started.get(timeout=5)
    yield f"https://127.0.0.1:{port}"
    stop()
    thread.join()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:  # the other side left
        pass
    finally:
        writer.close()

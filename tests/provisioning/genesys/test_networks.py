"""`check_genesys` over real sockets: private CAs, proxies, names; each obstacle by its own name."""

import base64
import socket
import ssl
import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from provisioning.genesys.platform import get_platform
from tests.support.rawserver import RawServer, certificate, raw_server, tunnel

TOKEN = b'{"access_token": "t", "expires_in": 3600}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.GENESYS_DEADLINE, settings.GENESYS_MAX_ATTEMPTS = 5.0, 1


def give_token(connection: socket.socket, asked: bytes) -> None:
    connection.sendall(HEAD % len(TOKEN) + TOKEN)


def check(settings: Any, url: str, *, ca_bundle: str = "", proxy: str = "") -> str:
    """Run the command as a process would that was started with these settings."""
    settings.GENESYS_OAUTH_URL = url
    settings.GENESYS_CA_BUNDLE, settings.GENESYS_PROXY = ca_bundle, proxy
    get_platform.cache_clear()
    out = StringIO()
    call_command("check_genesys", stdout=out)
    return out.getvalue()


def unused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def test_reaches_a_platform_behind_a_private_ca_and_a_proxy(
    tls: tuple[ssl.SSLContext, str], settings: Any
) -> None:
    context, bundle = tls

    with raw_server(give_token, tls=context) as server, tunnel() as (proxy, tunnelled):
        known = proxy.replace("http://", "http://user:p%40ss@")
        said = check(settings, server.url, ca_bundle=bundle, proxy=known)

    assert "gave a token for 3600 s" in said
    assert b"Basic " + base64.b64encode(b"user:p@ss") in tunnelled[0]


def test_names_a_certificate_that_is_not_trusted(
    tls: tuple[ssl.SSLContext, str], settings: Any
) -> None:
    with raw_server(give_token, tls=tls[0]) as server:
        assert "Set GENESYS_CA_BUNDLE to the PEM file" in refusal(settings, server.url)


def test_trusts_the_bundle_in_the_place_of_the_public_authorities(
    tls: tuple[ssl.SSLContext, str], settings: Any, tmp_path: Any
) -> None:
    _, another = certificate(tmp_path)

    with raw_server(give_token, tls=tls[0]) as server:
        assert "is not trusted" in refusal(settings, server.url, ca_bundle=another)


def test_names_a_proxy_that_is_not_there(settings: Any) -> None:
    told = refusal(settings, "https://platform.invalid/token", proxy=f"http://u:pw@{unused()}")

    assert "Check GENESYS_PROXY" in told
    assert "pw" not in told


def test_names_a_proxy_that_asks_for_credentials(settings: Any) -> None:
    def refuse(connection: socket.socket, asked: bytes) -> None:
        connection.sendall(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")

    with raw_server(refuse) as proxy:
        address = proxy.url.removesuffix("/guests")
        told = refusal(settings, "https://platform.invalid/token", proxy=address)

    assert "the proxy did not let us through" in told
    assert "credentials" in told


def test_names_a_host_that_is_not_found(settings: Any) -> None:
    told = refusal(settings, "https://no-such-host.invalid/token")

    assert "its name was not found" in told
    assert "DNS" in told


def test_names_a_port_where_nothing_listens(settings: Any) -> None:
    assert "nothing listens there" in refusal(settings, f"http://{unused()}/token")


def test_names_an_address_that_speaks_no_tls(settings: Any) -> None:
    def answer_plainly(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_plainly, args=(listener,), daemon=True).start()
        told = refusal(settings, f"https://127.0.0.1:{listener.getsockname()[1]}/token")

    assert "no TLS could be agreed on" in told


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "REQUESTS_CA_BUNDLE"])
def test_reads_nothing_of_it_from_the_environment(
    name: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, f"http://{unused()}")

    with raw_server(give_token) as server:
        assert "gave a token" in check(settings, server.url)


def refusal(settings: Any, url: str, **options: str) -> str:
    """Return what the command says of an address that gives no token."""
    with pytest.raises(CommandError) as failed:
        check(settings, url, **options)
    return str(failed.value)


@pytest.mark.parametrize("secret", ["s\u00e9cret", "\u0436"])
def test_sends_a_secret_in_any_script_with_http_basic(secret: str, settings: Any) -> None:
    settings.GENESYS_OAUTH_AUTH, settings.GENESYS_CLIENT_SECRET = "basic", secret
    asked: RawServer

    with raw_server(give_token) as asked:
        check(settings, asked.url)

    credentials = base64.b64encode(f"test-client:{secret}".encode())
    assert b"Authorization: Basic " + credentials in asked.requests[0]

"""requests' HTTPAdapter, over connections that know an init's deadline and how far a request got.

requests' read timeout counts from byte to byte, so a server that drips a byte a second outlives
it. Here the socket's file re-arms its timeout before each read with what the deadline leaves,
headers included. And each connection says when it connects and when it sends: whether a request
may have arrived is decided by that, never by an exception. Everything else is requests' own.
"""

import enum
import http.client
import io
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import gevent
import requests
from gevent.monkey import get_original, is_module_patched
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from provisioning.genesys.deadline import Deadline

# A firewall on the way may forget a connection that is idle, and says so only once we have sent.
MAX_IDLE_SECONDS = 30
MAX_INTERIM_ANSWERS = 10
_KEEPALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *((socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in (
        ("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 2),
    ) if hasattr(socket, name)),
]  # fmt: skip
# The system's own, which under gevent would start a timer in order to wait for nothing.
_poll = get_original("select", "poll")


class Phase(enum.Enum):
    """How far a request got. Of one in `UNKNOWN` nobody said, so it may have arrived."""

    UNKNOWN = "unknown"
    CONNECTING = "connecting"  # name, proxy and TLS included: nothing was sent
    SENDING = "sending"  # from the first byte on


@dataclass
class Exchange:
    """One request under way: until when, and how far it got."""

    deadline: Deadline
    phase: Phase = Phase.UNKNOWN


# Set around one request, read where bytes move: requests has no argument for it.
current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class _DeadlineFile(io.RawIOBase):
    """A socket's raw file whose every read ends with the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline | None) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline
        self._read_timeout = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline.remaining()
            self._sock.settimeout(min(left, self._read_timeout or left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        exchange = current.get()
        self.fp = io.BufferedReader(_DeadlineFile(sock, exchange.deadline if exchange else None))

    def _read_status(self) -> tuple[str, int, str]:
        """Pass over interim answers (102, 103); http.client knows 100 alone (RFC 9110, 15.2)."""
        for _ in range(MAX_INTERIM_ANSWERS):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 101 < status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("nothing but interim answers")


class _Connection(HTTPConnection):
    """A connection that says when it connects and when it sends."""

    response_class = _DeadlineResponse
    _connecting = False
    _used_at = 0.0

    def connect(self) -> None:
        _enter(Phase.CONNECTING)
        self._connecting = True
        try:
            with _all_in_time():
                super().connect()
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self._connecting:  # what it sends to a proxy to get through is not yet the request
            _enter(Phase.SENDING)
            self._used_at = time.monotonic()
        super().send(data)

    @property
    def is_connected(self) -> bool:
        """Tell whether it may be used again: not idle for long, and nothing came, not its end."""
        if self.sock is None or time.monotonic() - self._used_at > MAX_IDLE_SECONDS:
            return False
        poller = _poll()
        poller.register(self.sock, select.POLLIN)
        return not poller.poll(0)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS, handshake included."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """requests' own adapter, over connections of ours."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        options = [*HTTPConnection.default_socket_options, *_KEEPALIVE]
        super().init_poolmanager(*args, **kwargs, socket_options=options)
        self._pools: dict[str, Any] = {}
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools behind a proxy, of our connections too."""
        options = [*HTTPConnection.default_socket_options, *_KEEPALIVE]
        manager = super().proxy_manager_for(proxy, **kwargs, socket_options=options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, *args: Any, **kwargs: Any
    ) -> Any:
        # A stub in the place of our connections never gets here, and never says how far it got.
        _enter(Phase.CONNECTING)
        # Ours all go to one or two hosts, with the same certificates: looked up once for each.
        url = str(request.url)
        origin = url[: url.index("/", len("https://"))]
        if origin not in self._pools:
            pool = super().get_connection_with_tls_context(request, verify, *args, **kwargs)
            self._pools[origin] = pool
        return self._pools[origin]


def _enter(phase: Phase) -> None:
    if exchange := current.get():
        exchange.phase = phase


@contextmanager
def _all_in_time() -> Iterator[None]:
    """End a connect with the deadline: name, each of several addresses and handshake together.

    Only under gevent can a wait be ended from outside; elsewhere each has a timeout of its own.
    """
    exchange = current.get()
    if exchange is None or not is_module_patched("socket"):
        yield
        return
    with gevent.Timeout(exchange.deadline.remaining(), TimeoutError("connecting took too long")):
        yield

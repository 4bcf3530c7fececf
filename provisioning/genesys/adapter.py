"""requests' HTTPAdapter, over connections that read with the deadline of an init.

requests' read timeout counts from byte to byte, so a server that drips a byte a second outlives
it. Here the socket's file re-arms its timeout before each read with what the deadline leaves,
headers included. Everything else is requests' own, with the certificates that its users know.
"""

import http.client
import io
import select
import socket
from typing import Any

import requests
from gevent.monkey import get_original
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from provisioning.genesys.deadline import Deadline, current

# The system's own, which under gevent would start a timer in order to wait for nothing.
_poll = get_original("select", "poll")


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
        self.fp = io.BufferedReader(_DeadlineFile(sock, current.get()))


class _Connection(HTTPConnection):
    response_class = _DeadlineResponse

    @property
    def is_connected(self) -> bool:
        return _is_connected(self.sock)


class _SecureConnection(HTTPSConnection):
    response_class = _DeadlineResponse

    @property
    def is_connected(self) -> bool:
        return _is_connected(self.sock)


def _is_connected(sock: socket.socket | None) -> bool:
    """Tell whether a connection may be used again: nothing has come on it, not even its end."""
    if sock is None:
        return False
    poller = _poll()
    poller.register(sock, select.POLLIN)
    return not poller.poll(0)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """requests' own adapter, over connections that read with the deadline."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._pools: dict[str, Any] = {}
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, *args: Any, **kwargs: Any
    ) -> Any:
        # Ours all go to one or two hosts, with the same certificates: looked up once for each.
        url = str(request.url)
        origin = url[: url.index("/", len("https://"))]
        if origin not in self._pools:
            pool = super().get_connection_with_tls_context(request, verify, *args, **kwargs)
            self._pools[origin] = pool
        return self._pools[origin]

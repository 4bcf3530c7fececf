"""One POST to the platform, bounded in time and in bytes.

requests' read timeout counts from byte to byte, so a server that drips a byte a second outlives
it. Here the socket's file re-arms its timeout before each read with what the deadline leaves,
headers included. Everything else is requests' own HTTPAdapter, with the proxies and certificates
that its users know.
"""

import http.client
import io
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from provisioning.genesys.deadline import Deadline, current
from provisioning.genesys.errors import PlatformError, Protocol, TimedOut, Unavailable

MAX_ANSWER_BYTES = 256 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back: `body` is the decoded JSON, or None where it was not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)

    @property
    def correlation_id(self) -> str:
        """Return the platform's name for this exchange, at most 64 characters."""
        context = self.body.get("contextId") if isinstance(self.body, dict) else None
        return str(self.headers.get("ININ-Correlation-Id") or context or "")[:64]


class Transport:
    """requests' adapter with one pool for the whole process.

    Without a `requests.Session` around it, which would read proxies and .netrc from the
    environment, keep cookies and follow redirects: nothing an API client wants, for a third of the
    CPU of a request.
    """

    def __init__(self, *, connect_timeout: float, read_timeout: float, pool_size: int) -> None:
        self._timeouts = (connect_timeout, read_timeout)
        self._adapter = _DeadlineAdapter(pool_connections=4, pool_maxsize=pool_size)

    def post(self, url: str, *, deadline: Deadline, **request: Any) -> Answer:
        """POST and return the answer, whatever its status.

        `request` is what `requests.post` takes (json, data, auth, headers). Raises TimedOut,
        Unavailable or Protocol; `arrived` on them tells whether the request may have got there.
        """
        connect, read = self._timeouts
        left = deadline.remaining()
        armed = current.set(deadline)
        try:
            prepared = requests.Request("POST", url, **request).prepare()
            timeout = (min(connect, left), min(read, left))
            with self._adapter.send(prepared, timeout=timeout, stream=True) as response:
                content = _read(response, deadline)
                return Answer(response.status_code, response.headers, _decode(content))
        except (requests.RequestException, OSError, http.client.HTTPException) as exc:
            raise _explain(exc) from exc
        except TimedOut as exc:  # the deadline passed between two bytes of the answer
            raise TimedOut("the platform's answer came too slowly", arrived=True) from exc
        finally:
            current.reset(armed)


def _read(response: requests.Response, deadline: Deadline) -> bytes:
    content = b""
    for chunk in response.iter_content(8192):
        deadline.remaining()
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise Protocol("the platform's answer is too large", arrived=True)
    return content


def _decode(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _explain(exc: Exception) -> PlatformError:
    """Sort a failure by the one question that matters: may the request have arrived?"""
    if isinstance(exc, requests.ConnectTimeout | requests.exceptions.SSLError):
        return Unavailable("no connection to the platform")
    if isinstance(exc, requests.exceptions.ProxyError | requests.exceptions.InvalidURL):
        return Unavailable("no connection to the platform")
    if isinstance(exc, requests.Timeout | TimeoutError):
        return TimedOut("the platform did not answer in time", arrived=True)
    if isinstance(exc, requests.exceptions.ContentDecodingError):
        return Protocol("the platform's answer cannot be decoded", arrived=True)
    if isinstance(exc, requests.ConnectionError) and _never_connected(exc):
        return Unavailable("no connection to the platform")
    if "timed out" in str(exc):  # urllib3 wraps a read timeout in the middle of a body
        return TimedOut("the platform's answer came too slowly", arrived=True)
    return Unavailable("the connection to the platform broke", arrived=True)


def _never_connected(exc: requests.ConnectionError) -> bool:
    reason = getattr(exc.args[0], "reason", None) if exc.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError"}


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


class _SecureConnection(HTTPSConnection):
    response_class = _DeadlineResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _DeadlineAdapter(HTTPAdapter):
    """requests' own adapter, over connections that read with the deadline."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

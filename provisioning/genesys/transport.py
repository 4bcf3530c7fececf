"""One POST to the platform, bounded in time and in bytes.

What goes out and what comes back; the connections are those of `provisioning.genesys.adapter`.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from provisioning.genesys.adapter import DeadlineAdapter
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
        self._adapter = DeadlineAdapter(pool_connections=4, pool_maxsize=pool_size)

    def post(self, url: str, *, deadline: Deadline, **request: Any) -> Answer:
        """POST and return the answer, whatever its status.

        `request` holds json or data, auth and headers, as `requests.post` takes them. Raises
        TimedOut, Unavailable or Protocol; `arrived` on them tells whether the request may have got
        there.
        """
        connect, read = self._timeouts
        left = deadline.remaining()
        armed = current.set(deadline)
        try:
            prepared = _prepare(url, **request)
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


def _prepare(
    url: str,
    *,
    json: Any = None,
    data: Any = None,
    auth: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> requests.PreparedRequest:
    """Return the request as requests sends it, for an address that is one already.

    Its own `prepare` takes an address apart and puts it together again, and looks for cookies: a
    quarter of a call's CPU.
    """
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url = "POST", url
    prepared.headers = CaseInsensitiveDict(headers or {})
    prepared.prepare_body(data, None, json)
    prepared.prepare_auth(auth, url)
    return prepared


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

"""One request to the platform, bounded in time and in bytes.

What goes out and what comes back; the connections are those of `provisioning.genesys.adapter`.
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from backoffice.foreign import storable
from provisioning.genesys.adapter import DeadlineAdapter, Exchange, Phase, current
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError, Protocol, TimedOut, Unavailable

MAX_ANSWER_BYTES = 256 * 1024
# What stood in the way of a connection, and what to do. The first row that fits: a proxy's refusal
# is also a connection error, and so on.
_OBSTACLES: tuple[tuple[type[BaseException], str, str], ...] = (
    (
        ssl.SSLCertVerificationError,
        "its certificate is not trusted (GENESYS_CA_BUNDLE)",
        "Set GENESYS_CA_BUNDLE to the PEM file of the CA that signed it (a proxy that opens TLS "
        "has one of its own); look at the certificate's name and dates.",
    ),
    (
        requests.exceptions.ProxyError,
        "the proxy did not let us through (GENESYS_PROXY)",
        "Check GENESYS_PROXY (scheme, host, port, credentials) and that the proxy allows CONNECT "
        "to the platform.",
    ),
    (
        socket.gaierror,
        "its name was not found",
        "Check the host in the address and this machine's DNS; where only a proxy can reach it, "
        "set GENESYS_PROXY.",
    ),
    (
        ConnectionRefusedError,
        "nothing listens there",
        "Check host and port of the address; a firewall may refuse in its place.",
    ),
    (
        ssl.SSLError,
        "no TLS could be agreed on",
        "Check that the address speaks https on that port, and whether something between changes "
        "TLS.",
    ),
    (
        TimeoutError,
        "it took too long",
        "A firewall may drop what we send: open the way to it, or set GENESYS_PROXY.",
    ),
)


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
        return storable(self.headers.get("ININ-Correlation-Id") or context, limit=64)


class Transport:
    """requests' adapter with one pool for the whole process.

    Without a `requests.Session` around it, which would read proxies and .netrc from the
    environment, keep cookies and follow redirects: nothing an API client wants, for a third of the
    CPU of a request. `ca_bundle` is a PEM file to trust instead of certifi's list, `proxy` the
    address of an HTTP proxy; each may be empty.
    """

    def __init__(
        self,
        *,
        connect_timeout: float,
        read_timeout: float,
        pool_size: int,
        ca_bundle: str = "",
        proxy: str = "",
    ) -> None:
        self._timeouts = (connect_timeout, read_timeout)
        self._adapter = DeadlineAdapter(pool_connections=4, pool_maxsize=pool_size)
        self._verify: bool | str = ca_bundle or True
        self._proxies = {"http": proxy, "https": proxy} if proxy else None

    def send(self, method: str, url: str, *, deadline: Deadline, **request: Any) -> Answer:
        """Send a request and return the answer, whatever its status.

        `request` holds json or data, auth and headers, as `requests.request` takes them. Raises
        TimedOut, Unavailable or Protocol; `arrived` on them tells whether the request may have got
        there, by the phase it was in (`provisioning.genesys.adapter`).
        """
        connect, read = self._timeouts
        left = deadline.remaining()
        prepared = _prepare(method, url, **request)
        exchange = Exchange(deadline)
        under_way = current.set(exchange)
        try:
            timeout = (min(connect, left), min(read, left))
            with self._adapter.send(
                prepared,
                timeout=timeout,
                stream=True,
                verify=self._verify,
                proxies=self._proxies,
            ) as response:
                content = _read(response, deadline)
                return Answer(response.status_code, response.headers, _decode(content))
        except Protocol:
            raise
        except Exception as exc:  # whatever it is: the phase tells what may have arrived
            raise failure(exc, phase=exchange.phase) from exc
        finally:
            current.reset(under_way)


def _prepare(
    method: str,
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
    prepared.method, prepared.url = method, url
    prepared.headers = CaseInsensitiveDict(headers or {})
    prepared.prepare_body(data, None, json)
    # As UTF-8 (RFC 7617): requests would take a str for Latin-1, and break on the rest.
    prepared.prepare_auth(auth and (auth[0].encode(), auth[1].encode()), url)
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


def failure(exc: BaseException, *, phase: Phase) -> PlatformError:
    """Return what a request that ended with `exc` in `phase` comes to.

    The phase alone says whether it may have arrived; `exc` only chooses the words.
    """
    causes = list(_causes(exc))
    if phase is Phase.CONNECTING:
        words, remedy = _obstacle(causes)
        return Unavailable(f"no connection to the platform: {words}", remedy=remedy)
    if any(isinstance(cause, TimeoutError | TimedOut | requests.Timeout) for cause in causes):
        return TimedOut("the platform did not answer in time", arrived=True)
    if isinstance(exc, requests.exceptions.ContentDecodingError):
        return Protocol("the platform's answer cannot be decoded", arrived=True)
    return Unavailable("the connection to the platform broke", arrived=True)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield `exc` and what it was made of: wrapped by cause, by context or as an argument."""
    waiting, seen = [exc], set[int]()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inside = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        waiting += [each for each in inside if isinstance(each, BaseException)]


def _obstacle(causes: list[BaseException]) -> tuple[str, str]:
    """Return what stood in the way of a connection and its remedy, in an operator's words."""
    for kind, words, remedy in _OBSTACLES:
        if any(isinstance(cause, kind) for cause in causes):
            return words, remedy
    return "it was not made", ""

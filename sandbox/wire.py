"""HTTP/1.1 on bytes (RFC 9112): as much of it as a client of the platform uses.

The standard library's `http.server` costs more per request than all of the platform's work: it
parses headers as e-mail and keeps a thread for each connection. The benchmark shares two cores
with this, so it reads requests off a buffer instead.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

MAX_HEAD = 32 * 1024
MAX_BODY = 1024 * 1024
_encoder = json.JSONEncoder(separators=(",", ":"))
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_HEX = re.compile(rb"[0-9A-Fa-f]{1,12}")


class UnreadableRequest(Exception):
    """The bytes are no request this server takes; `status` says why. The connection must close."""

    def __init__(self, *, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case; `head` is the raw head, for the call list."""

    method: str
    path: str
    query: str
    version: str
    headers: dict[str, str]
    head: bytes
    body: bytes = b""

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection stays open after the answer (RFC 9112, 9.3)."""
        option = self.headers.get("connection", "").lower()
        return option != "close" if self.version == "HTTP/1.1" else option == "keep-alive"

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty where none is given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json_object(self) -> dict[str, Any] | None:
        """Return the body where it is a JSON object, else None."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


def new_id() -> str:
    """Return a random UUID as text, as the platform uses for ids of every kind."""
    return str(uuid.uuid4())


def timestamp(moment: datetime) -> str:
    """Return a UTC time as the platform writes it: ISO 8601, milliseconds, Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. `content` is bytes as they are, or anything else as JSON."""

    status: int
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    correlation_id: str = field(default_factory=new_id)

    def with_headers(self, headers: Mapping[str, str]) -> "Answer":
        """Return this answer with further headers, which win over its own."""
        return replace(self, headers={**self.headers, **headers}) if headers else self

    def encode(self, *, keep_alive: bool, version: str = "HTTP/1.1") -> tuple[bytes, bytes]:
        """Return head and body, ready to be sent."""
        body = self.content if isinstance(self.content, bytes) else to_json(self.content)
        lines = [
            f"{version} {self.status} {_REASONS.get(self.status, 'Unknown')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(body)}",
            f"ININ-Correlation-Id: {self.correlation_id}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        if not keep_alive:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1"), body


def to_json(value: object) -> bytes:
    """Return compact JSON; lone surrogates stay escaped."""
    return _encoder.encode(value).encode()


class RequestReader:
    """Collects one connection's bytes and cuts complete requests off their front."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Request | None = None  # a head whose body has not arrived in full

    def feed(self, data: bytes) -> int:
        """Add received bytes; return how many are waiting to be taken."""
        self._buffer += data
        return len(self._buffer)

    def take(self) -> Request | None:
        """Return the next complete request, or None while there is none.

        Raises UnreadableRequest with 400 (malformed), 413 (body too large) or 431 (head too large).
        """
        head = self._head = self._head or self._take_head()
        if head is None:
            return None
        body = self._take_body(head)
        if body is None:
            return None
        self._head = None
        return replace(head, body=body)

    def _take_head(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise UnreadableRequest(status=431)
        if end < 0:
            return None
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        return parse_head(head)

    def _take_body(self, head: Request) -> bytes | None:
        if "transfer-encoding" in head.headers:
            return self._take_chunks()
        length = head.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise UnreadableRequest(status=400)
        if len(length) > 12 or int(length) > MAX_BODY:
            raise UnreadableRequest(status=413)
        if len(self._buffer) < int(length):
            return None
        return self._cut(int(length))

    def _take_chunks(self) -> bytes | None:
        """Decode a chunked body (RFC 9112, 7.1); trailers are not expected, extensions ignored."""
        body, position = bytearray(), 0
        while (line_end := self._buffer.find(b"\r\n", position)) >= 0:
            size = _chunk_size(self._buffer[position:line_end])
            position = line_end + 2 + size + 2
            if len(body) + size > MAX_BODY:
                raise UnreadableRequest(status=413)
            if len(self._buffer) < position:
                return None
            if size == 0:
                self._cut(position)
                return bytes(body)
            body += self._buffer[line_end + 2 : position - 2]
        if len(self._buffer) > 2 * MAX_BODY:
            raise UnreadableRequest(status=413)
        return None

    def _cut(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken


def parse_head(head: bytes) -> Request:
    """Parse request line and headers. Raises UnreadableRequest where it is no HTTP/1.x head."""
    request_line, *lines = head.decode("latin-1").split("\r\n")
    parts = request_line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise UnreadableRequest(status=400)
    method, target, version = parts
    path, _, query = target.partition("?")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, path, query, version, headers, head)


def _chunk_size(line: bytearray) -> int:
    digits = line.partition(b";")[0].strip()
    if not _HEX.fullmatch(digits):
        raise UnreadableRequest(status=400)
    return int(digits, 16)

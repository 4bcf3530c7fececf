"""How a request's body comes in: whole, in time, no longer than its address takes.

Nothing is read before somebody asks for it, so what is refused by its size, its type or its sender
is refused unread. Django and DRF know only lengths: a request without one counts as empty, and a
chunked body would be dropped in silence. Here it is announced as the longest that may come.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import gevent
from django.conf import settings
from django.utils.http import parse_header_parameters
from gevent.monkey import is_module_patched

WEBCHAT_LIMIT = 64 * 1024
SYNC_LIMIT = 16 * 1024 * 1024
# A form of somebody nobody knows, such as a sign-in; outside /api/ also whatever comes in chunks.
FORM_LIMIT = 8 * 1024
_PIECE = 64 * 1024
_MOST_DIGITS = 12
_OPAQUE = "application/octet-stream"


class Incomplete(OSError):
    """The body ended, broke off or stalled before it was whole."""


class TooLarge(OSError):
    """More came than this address takes."""


def body_limit(path: str) -> int:
    """Return how many bytes a request to `path` may carry: under /api/, or in chunks."""
    if path.startswith("/api/crm/"):
        return SYNC_LIMIT
    return WEBCHAT_LIMIT if f"{path}/".startswith("/api/") else FORM_LIMIT


def is_too_large(exc: BaseException | None) -> bool:
    """Tell why a body could not be read; Django passes exceptions of its own on, around ours."""
    while exc is not None and not isinstance(exc, TooLarge):
        exc = exc.__cause__
    return exc is not None


class Body:
    """A WSGI input that holds `announced` bytes or, in `chunks`, at most so many.

    Its methods raise Incomplete or TooLarge.
    """

    def __init__(self, stream: Any, *, announced: int, chunks: bool) -> None:
        self._stream, self._left, self._chunks = stream, announced, chunks
        self._ends_at = time.monotonic() + settings.BODY_SECONDS

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, or all; fewer only at the end."""
        return self._take(self._stream.read, size)

    def readline(self, size: int | None = -1) -> bytes:
        """Return what is left of a line."""
        return self._take(self._stream.readline, size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def finish(self) -> bool:
        """Pass over what nobody wanted; tell whether the next request begins behind it.

        A client that is still sending would lose an answer behind which we hang up.
        """
        try:
            while self._in_time_from(self._stream.read, _PIECE):
                time.sleep(0)  # a client that sends faster than we read would keep the loop
        except Incomplete:
            return False
        return True

    def _take(self, take: Callable[[int], bytes], size: int | None) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        if self._chunks and wanted == self._left:
            wanted += 1  # one more would be too many
        content = self._in_time_from(take, wanted)
        if len(content) > self._left:
            raise TooLarge
        if not content and wanted and not self._chunks:
            raise Incomplete
        self._left -= len(content)
        return content

    def _in_time_from(self, take: Callable[[int], bytes], size: int) -> bytes:
        """Take from the server. Only under gevent can a wait be ended from outside."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise Incomplete
        try:
            with gevent.Timeout(left, Incomplete) if is_module_patched("socket") else nullcontext():
                return take(size)
        except Exception as exc:
            # The server's own kinds too, for chunks that are none.
            raise Incomplete from exc


def with_safe_body(
    app: Callable[..., Iterable[bytes]],
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Wrap a WSGI `app`: a `Body`, always a CONTENT_LENGTH, a CONTENT_TYPE that can be read.

    One that Django cannot parse breaks it before any middleware is there to word the error.
    """

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        chunks = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunks:
            environ["CONTENT_LENGTH"] = str(body_limit(environ.get("PATH_INFO", "")))
        if announced := length_of(environ):
            environ["wsgi.input"] = Body(environ["wsgi.input"], announced=announced, chunks=chunks)
        environ["CONTENT_TYPE"] = _readable(environ.get("CONTENT_TYPE", ""))
        return app(environ, start_response)

    return wrapped


def length_of(environ: dict[str, Any]) -> int | None:
    """Return the length that a request announces; None where it is no number.

    Python's int() refuses thousands of digits with an error of its own; so many count as a lot.
    """
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return None
    digits = length.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _readable(content_type: str) -> str:
    """Return a Content-Type by which Django reads address and form as UTF-8, or not at all.

    It may name any encoding that Python has: one that is none for text, or whose letters cannot be
    stored. Django would break on the former before any middleware is there to word the error.
    """
    try:
        kind, parameters = parse_header_parameters(content_type)
    except (ValueError, LookupError):  # such as an unknown encoding of RFC 2231
        return _OPAQUE
    if parameters.pop("charset", "utf-8").lower() in ("utf-8", "utf8"):
        return content_type
    if any(sign in value for value in parameters.values() for sign in '"\\'):
        return _OPAQUE
    return "".join([kind, *(f'; {name}="{value}"' for name, value in parameters.items())])

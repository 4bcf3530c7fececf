"""The WSGI wrapper that makes a request's body safe for Django to take.

Django and DRF take a request without Content-Length for an empty one, and would drop a chunked
body in silence. Reading at most one byte over the limit keeps memory bounded; the middleware then
refuses what is longer (413), as it does a Content-Length over the limit, unread.

A Content-Type that Django cannot parse breaks it before any middleware is there to word the error.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.utils.http import parse_header_parameters

WEBCHAT_LIMIT = 64 * 1024
SYNC_LIMIT = 16 * 1024 * 1024


def body_limit(path: str) -> int:
    """Return how many bytes a request to `path` may carry under /api/."""
    return SYNC_LIMIT if path.startswith("/api/crm/") else WEBCHAT_LIMIT


def with_safe_body(
    app: Callable[..., Iterable[bytes]],
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Wrap a WSGI `app`: a readable CONTENT_TYPE, and under /api/ always a CONTENT_LENGTH."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked and path.startswith("/api/"):
            body = environ["wsgi.input"].read(body_limit(path) + 1)
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        if not _is_readable(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = "application/octet-stream"
        return app(environ, start_response)

    return wrapped


def _is_readable(content_type: str) -> bool:
    try:
        parse_header_parameters(content_type)
    except (ValueError, LookupError):  # such as an unknown encoding of RFC 2231
        return False
    return True

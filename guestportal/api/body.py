"""The WSGI wrapper that gives a chunked body a length.

Django and DRF take a request without Content-Length for an empty one, and would drop a chunked
body in silence. Reading at most one byte over the limit keeps memory bounded; the middleware then
refuses what is longer (413), as it does a Content-Length over the limit, unread.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

WEBCHAT_LIMIT = 64 * 1024
SYNC_LIMIT = 16 * 1024 * 1024


def body_limit(path: str) -> int:
    """Return how many bytes a request to `path` may carry under /api/."""
    return SYNC_LIMIT if path.startswith("/api/crm/") else WEBCHAT_LIMIT


def with_length(
    app: Callable[..., Iterable[bytes]],
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Wrap a WSGI `app` so that under /api/ every body has a CONTENT_LENGTH."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked and path.startswith("/api/"):
            body = environ["wsgi.input"].read(body_limit(path) + 1)
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return app(environ, start_response)

    return wrapped

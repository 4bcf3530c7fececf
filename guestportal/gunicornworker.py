"""Gunicorn's gevent worker, whose own refusals have the contract's shape too."""

import json
import uuid
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.ggevent import GeventWorker

_ANSWER = (
    "HTTP/1.1 400 Bad Request\r\n"
    "Connection: close\r\n"
    "Content-Type: application/json\r\n"
    "Cache-Control: no-store\r\n"
    "X-Request-ID: {id}\r\n"
    "Content-Length: {length}\r\n"
    "\r\n"
    "{body}"
)


class Worker(GeventWorker):  # type: ignore[misc]
    """Answer what is no HTTP with JSON; gunicorn's own answer is HTML that quotes the request."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse a malformed request; leave what is our own fault to gunicorn."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.info("malformed request: %s", type(exc).__name__)
        try:
            client.sendall(_refusal())
        except OSError:
            self.log.debug("the client is gone")


def _refusal() -> bytes:
    current = uuid.uuid4().hex
    error = {"error": "The request is not valid HTTP.", "code": "invalid_request"}
    body = json.dumps(error | {"requestId": current})
    return _ANSWER.format(id=current, length=len(body), body=body).encode()

"""What gunicorn is given of ours: a worker, a logger, and the folder that its workers count in.

`guestportal.serving.processes` names this module as its configuration file, in which gunicorn finds
the functions below by their names (its *server hooks*).

It is read before gevent patches the standard library, and must not import Django: gevent looks at
every object there is, which wakes Django's lazy settings, and with them psycopg, half-way through.
psycopg then waits for the database with selectors that stop the whole loop.
"""

import gc
import json
import logging
import os
import shutil
import tempfile
import uuid
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.workers.ggevent import GeventWorker

from guestportal.watch.logs import JsonFormatter

# An init makes thousands of short-lived objects; looking through them every 700 costs an eighth.
GC_THRESHOLD = (25_000, 20, 20)
_COUNTERS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's: where processes share their counters
_REFUSAL = (
    "HTTP/1.1 400 Bad Request\r\n"
    "Connection: close\r\n"
    "Content-Type: application/json\r\n"
    "Cache-Control: no-store\r\n"
    "X-Request-ID: {id}\r\n"
    "Content-Length: {length}\r\n"
    "\r\n"
    "{body}"
)


def on_starting(server: Any) -> None:
    """Make the folder in which several workers add up their counters."""
    if server.cfg.workers > 1:
        os.environ[_COUNTERS] = tempfile.mkdtemp(prefix="guestportal-metrics-")


def post_request(worker: Any, req: Any, environ: dict[str, Any], resp: Any) -> None:
    """Hang up behind an answer whose request does not end."""
    from guestportal.api.body import Body

    body = environ.get("wsgi.input")
    if isinstance(body, Body) and not body.finish():
        req.force_close()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that has ended."""
    if _COUNTERS in os.environ:
        # Not above: where it is imported before the folder is made, each worker counts for itself.
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the folder."""
    if _COUNTERS in os.environ:
        shutil.rmtree(os.environ[_COUNTERS], ignore_errors=True)


class Worker(GeventWorker):  # type: ignore[misc]
    """Answer what is no HTTP with JSON; gunicorn's own answer is HTML that quotes the request."""

    def load_wsgi(self) -> None:
        """Load the application, then keep the garbage collector off what will never be garbage."""
        super().load_wsgi()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLD)

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


class GunicornLogger(Logger):  # type: ignore[misc]
    """Write gunicorn's error log as JSON, redacted; there is no access log."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        logging.captureWarnings(True)  # a library's warnings are lines of the log like any other
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())


def _refusal() -> bytes:
    current = uuid.uuid4().hex
    error = {"error": "The request is not valid HTTP.", "code": "invalid_request"}
    body = json.dumps(error | {"requestId": current})
    return _REFUSAL.format(id=current, length=len(body), body=body).encode()

"""A WSGI application and how many statements it gives SQLite, commits among them.

gunicorn finds it as ``bench.traced:traced("guestportal.wsgi")``; `COUNTS` answers the counts.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

COUNTS = "/counts"
_counts: Counter[str] = Counter()


def traced(module: str) -> Callable[..., Iterable[bytes]]:
    """Return the application of `module`, each of whose connections is counted."""
    connect = sqlite3.connect

    def counted(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection = connect(*args, **kwargs)
        connection.set_trace_callback(_Note())
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = counted  # before whoever connects is imported
    served = import_module(module).application

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != COUNTS:
            return served(environ, start_response)
        body = json.dumps(_counts).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    return application


class _Note:
    """Count one connection's statements, each once: its triggers' come under its own text again."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, statement: str) -> None:
        if statement != self._last:
            _counts["statements"] += 1
            _counts["commits"] += statement.startswith("COMMIT")
        self._last = statement

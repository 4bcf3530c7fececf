"""One JSON object a line on standard error, without what a log must not hold.

No app logs session ids, hashes, addresses or tokens. Redaction is the second safeguard, for text
that a library put into a message or a traceback (PostgreSQL quotes the conflicting key).
"""

import logging
import re
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")

_SECRETS = re.compile(
    r"(?P<hash>\b[0-9a-fA-F]{64}\b)"
    r"|(?P<token>\b(?:Bearer|Basic)\s+[\w.~+/=-]+|\beyJ[\w-]+\.[\w-]+\.?[\w-]*)"
    r"|(?P<address>[\w.+%-]+@[\w-]+(?:\.[\w-]+)+)"
)


class BugsOnly(logging.Filter):
    """Let through only what carries a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


class JsonFormatter(_JsonFormatter):
    """Format a record as JSON with time, level, logger, request id and a redacted message."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger"},
        )

    def add_fields(self, log_data: dict, record: logging.LogRecord, message_dict: dict) -> None:  # type: ignore[type-arg]
        super().add_fields(log_data, record, message_dict)
        if request_id.get():
            log_data.setdefault("requestId", request_id.get())

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub(lambda found: f"[{found.lastgroup}]", super().format(record))

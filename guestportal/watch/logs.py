"""One JSON object a line on standard error, without what a log must not hold.

No app logs session ids, hashes, addresses or tokens. Redaction is the second safeguard, for text
that a library put into a message or a traceback (PostgreSQL quotes the conflicting key).
"""

import logging
import re
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")

# In the JSON of a line a letter beyond ASCII is written out, and its end is a letter, too. All of
# it begins where a word does, and is gone through once: the time that a long line takes must not
# grow with its square.
_BEGIN = r"(?:(?<![\w.+%\\-])|(?<=%40)|(?<=\\[nrtbf])|(?<=\\\\))"
_LETTER = r"(?:[\w-]|\\u[0-9a-f]{4})"
_HASH = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_SECRETS = re.compile(
    rf"(?P<token>{_BEGIN}(?:(?:Bearer|Basic)\s+[\w.~+/=-]+"
    r"|eyJ(?>[\w-]+)\.[\w-]+\.?[\w-]*|gpat_[\w-]+))"
    # Also as the query of an address has one, which Django's own lines quote.
    rf"|(?P<address>{_BEGIN}(?>(?:[\w.+-]|%(?!40)|\\u[0-9a-f]{{4}})+)"
    rf"(?:@|%40){_LETTER}+(?:\.{_LETTER}+)+)"
)
# Without one of them there is none of those; nearly every line is without.
_SIGNS = ("@", "%40", "eyJ", "gpat_", "Bearer", "Basic")


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
        line = super().format(record)
        if any(sign in line for sign in _SIGNS):
            line = _SECRETS.sub(lambda found: f"[{found.lastgroup}]", line)
        return _HASH.sub("[hash]", line)

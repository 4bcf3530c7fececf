"""Gunicorn's own lines, in the shape of ours. Apart from `logs`, which must not need gunicorn."""

import logging

from gunicorn.config import Config
from gunicorn.glogging import Logger

from guestportal.logs import JsonFormatter


class GunicornLogger(Logger):  # type: ignore[misc]
    """Write gunicorn's error log as JSON, redacted; there is no access log."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        logging.captureWarnings(True)  # a library's warnings are lines of the log like any other
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())

"""Gunicorn's configuration file: where several web processes count together.

prometheus-client keeps each process's counters in files of one folder, named by an environment
variable that has to stand before the first worker imports it, and be empty at the start.
"""

import os
import shutil
import tempfile
from typing import Any

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def on_starting(server: Any) -> None:
    if server.cfg.workers > 1:
        os.environ[_VARIABLE] = tempfile.mkdtemp(prefix="guestportal-metrics-")


def child_exit(server: Any, worker: Any) -> None:
    if _VARIABLE in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    if _VARIABLE in os.environ:
        shutil.rmtree(os.environ[_VARIABLE], ignore_errors=True)

"""Stores that take a connection and say nothing do not keep doctor from its end."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import ROOT, environment

pytestmark = pytest.mark.slow


@pytest.fixture
def silent() -> Iterator[int]:
    """Listen, and say nothing to whoever comes."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])


def test_names_each_store_that_says_nothing_and_ends(tmp_path: Path, silent: int) -> None:
    env = environment(
        tmp_path,
        f"http://127.0.0.1:{silent}",
        DATABASE_URL=f"postgres://u:pass-word@127.0.0.1:{silent}/nowhere",
        CACHE_URL=f"redis://127.0.0.1:{silent}/0",
        CELERY_BROKER_URL=f"amqp://u:pass-word@127.0.0.1:{silent}//",
        EMAIL_URL=f"smtp://127.0.0.1:{silent}",
        EMAIL_FROM="a@example.com",
        DIGEST_TO="b@example.com",
        GENESYS_BASE_URL=f"https://127.0.0.1:{silent}",
    )
    began = time.monotonic()

    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env=env | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )

    found = {each["name"]: each["state"] for each in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    for name in ("database", "cache", "broker", "mail", "certificate"):
        assert found[name] == "fault"
    assert time.monotonic() - began < 60  # each wait ends in seconds; without an end: never
    assert "pass-word" not in done.stdout + done.stderr

"""Why the web server cannot listen: each reason in its own words, with the setting to change."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from guestportal.serving.listening import CannotListen, reason, require_listening
from tests.support.service import ROOT, environment, free_port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_says_nothing_of_a_free_port(host: str, settings: Any) -> None:
    settings.BIND, settings.PORT = host, free_port()

    require_listening()


def test_says_that_a_port_is_taken(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.BIND, settings.PORT = listener.getsockname()
        with pytest.raises(CannotListen, match=r":\d+ is taken: .* set PORT"):
            require_listening()


@pytest.mark.parametrize(
    ("address", "words"),
    [("192.0.2.1", "is no address of this machine"), ("no-such-host.invalid", "was not found")],
)
def test_says_what_is_wrong_with_an_address(address: str, words: str, settings: Any) -> None:
    settings.BIND, settings.PORT = address, free_port()

    with pytest.raises(CannotListen, match=f"{words}.* set BIND"):
        require_listening()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "may not be used by this user"), (errno.ENOBUFS, "cannot be listened on: ")],
)
def test_calls_nothing_taken_that_is_not(number: int, words: str) -> None:
    told = reason(OSError(number, os.strerror(number)))

    assert words in told
    assert "taken" not in told


@pytest.mark.parametrize("command", ["serve", "run_demo"])
def test_commands_end_with_that_sentence(command: str, tmp_path: Path) -> None:
    env = environment(tmp_path, "http://127.0.0.1:9", BIND="192.0.2.1")

    ended = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "CommandError: 192.0.2.1:8000 is no address of this machine: set BIND" in ended.stderr
    assert "Traceback" not in ended.stderr

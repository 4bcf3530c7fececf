"""Servers of one's own, which a test may kill without disturbing anybody else's."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from tests.service import free_port


class Server:
    """A server process that can be killed and started again on the same port and data."""

    def __init__(self, *argv: str, port: int) -> None:
        self.argv, self.port = argv, port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it takes connections.

        A killed PostgreSQL's last processes may hold its memory for a moment; until they are gone
        a new one ends at once, so it is started again.
        """
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                self.process = self._launch()
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            time.sleep(0.05)
        raise AssertionError(f"{self.argv[0]} did not start")

    def _launch(self) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self.argv, stdout=quiet, stderr=quiet, start_new_session=True)

    def kill(self) -> None:
        """Kill it and all it started, without warning."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@contextmanager
def own_redis() -> Iterator[Server]:
    program = shutil.which("redis-server")
    if not program:
        pytest.skip("redis-server is not installed")
    port = free_port()
    argv = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]
    server = Server(*argv, port=port).start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def own_postgres(folder: Path) -> Iterator[Server]:
    """Make a cluster in `folder` and serve it; PostgreSQL refuses to run as root."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("PostgreSQL's server programs are not installed")
    data, port = folder / "cluster", free_port()
    as_postgres: list[str] = []
    if os.geteuid() == 0:
        data.mkdir()
        shutil.chown(data, "postgres")
        for parent in data.parents:  # pytest's folders are closed to others
            with suppress(PermissionError):
                parent.chmod(parent.stat().st_mode | 0o011)
        as_postgres = ["runuser", "-u", "postgres", "--"]
    initdb = [*as_postgres, str(found[-1].parent / "initdb"), "-D", str(data), "-A", "trust"]
    subprocess.run([*initdb, "-U", "postgres", "-N"], check=True, capture_output=True)
    options = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
    server = Server(*as_postgres, str(found[-1]), *options, port=port).start()
    try:
        yield server
    finally:
        server.kill()


class Proxy:
    """A TCP proxy that can be cut: open connections break, new ones are refused."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self.port = free_port()
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.restore()

    def restore(self) -> None:
        """Take connections, again."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self._listener = listener
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=[source, sink], daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

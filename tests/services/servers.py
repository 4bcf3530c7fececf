"""Servers of one's own, which a test may kill without disturbing anybody else's."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psutil
import psycopg
import pytest

from tests.support.service import free_port


class Server:
    """A server process that can be killed and started again on the same port and data."""

    def __init__(
        self, *argv: str, port: int, user: str | None = None, env: dict[str, str] | None = None
    ) -> None:
        self.argv, self.port, self.user, self.env = argv, port, user, env
        self.process: subprocess.Popen[bytes] | None = None
        self.log = Path(tempfile.gettempdir()) / f"guestportal-server-{port}.log"

    def start(self) -> Self:
        """Start it and wait until it takes connections; one that ends at once is started again."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                self.process = self._launch()
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            time.sleep(0.05)
        raise AssertionError(f"{self.argv[0]} did not start:\n{self.log.read_text()[-2000:]}")

    def _launch(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.argv,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.user,
                cwd="/",
            )

    def kill(self) -> None:
        """Kill it and all it started, without warning.

        One by one: PostgreSQL's backends are no part of its process group, and one that is still
        at work, or waits for what a dead one held, keeps the server's memory and a new one out.
        """
        if self.process:
            self._signal_all(signal.SIGKILL)
            self.process.wait()
            self.process = None
            self.log.unlink(missing_ok=True)

    def hang(self) -> None:
        """Stop it and all it started: it keeps its connections and answers nothing."""
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a server that hangs go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: int) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        server = psutil.Process(self.process.pid)
        for process in [server, *server.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


@contextmanager
def own_redis(folder: Path) -> Iterator[Server]:
    """Serve a Redis that saves to `folder` when it is told to."""
    program = shutil.which("redis-server")
    if not program:
        pytest.skip("redis-server is not installed")
    port = free_port()
    argv = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    argv += ["--dir", str(folder)]
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
    user = _owned(data, "postgres")
    initdb = [str(found[-1].parent / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres"]
    subprocess.run([*initdb, "-N"], check=True, capture_output=True, user=user, cwd="/")
    argv = [str(found[-1]), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
    server = Server(*argv, port=port, user=user).start()
    try:
        _wait_for_start(f"postgres://postgres@127.0.0.1:{port}/postgres")
        yield server
    finally:
        server.kill()


def _wait_for_start(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert time.monotonic() < end
            time.sleep(0.05)


def rabbitmqctl(server: Server, *argv: str) -> None:
    """Tell a node of `own_rabbitmq` something, such as how much memory is much."""
    env = dict(server.env or {})
    env["PATH"] = f"{Path(server.argv[0]).parent}:{env['PATH']}"
    program = str(Path(server.argv[0]).with_name("rabbitmqctl"))
    node = env["RABBITMQ_NODENAME"]
    subprocess.run(
        [program, "-n", node, *argv],
        env=env,
        user=server.user,
        check=True,
        capture_output=True,
        cwd="/",
    )


@contextmanager
def own_pgbouncer(folder: Path, postgres: Server) -> Iterator[Server]:
    """Serve PgBouncer in transaction mode before a server of `own_postgres`, for all its roles."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        pytest.skip("pgbouncer is not installed")
    data, port = folder / "pgbouncer", free_port()
    user = _owned(data, "postgres")
    (data / "users.txt").write_text('"postgres" ""\n"guestportal" ""\n')
    (data / "pgbouncer.ini").write_text(
        "[databases]\n"
        f"* = host=127.0.0.1 port={postgres.port}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {data}/users.txt\n"
        "pool_mode = transaction\ndefault_pool_size = 5\nadmin_users = postgres\n"
    )
    server = Server(program, str(data / "pgbouncer.ini"), port=port, user=user).start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def own_rabbitmq(folder: Path) -> Iterator[Server]:
    """Serve a RabbitMQ node that keeps everything in `folder` and knows no other node."""
    program = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's own wrapper is for services
    if not program.exists():
        pytest.skip("rabbitmq-server is not installed")
    data, port, names = folder / "rabbitmq", free_port(), free_port()
    user = _owned(data, "rabbitmq")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(data),  # for Erlang's cookie
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(data / "no-such-file"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "plugins"),
        "RABBITMQ_NODENAME": "guestportal-test@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(data),
        "RABBITMQ_LOG_BASE": str(data),
        "RABBITMQ_PID_FILE": str(data / "pid"),
    }
    # Erlang would leave a daemon of its own behind.
    epmd = Server("epmd", "-port", str(names), "-address", "127.0.0.1", port=names, user=user)
    server = Server(str(program), port=port, user=user, env=env)
    try:
        epmd.start()
        rabbitmqctl(server.start(), "await_startup")
        yield server
    finally:
        server.kill()
        epmd.kill()


def _owned(data: Path, account: str) -> str | None:
    """Make the folder a server writes to; return the account to run as where we are root."""
    data.mkdir()
    if os.geteuid() != 0:
        return None
    shutil.chown(data, account)
    for parent in data.parents:  # pytest's folders are closed to others
        with suppress(PermissionError):
            parent.chmod(parent.stat().st_mode | 0o011)
    return account

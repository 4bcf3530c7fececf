"""`python -m bench wire`: what an init says to its stores, as it is seen from outside.

PostgreSQL: a relay reads what the server answers. Redis: MONITOR. SQLite has no wire: its driver
tells each statement (`traced.py`), which Node's does not.
"""

import itertools
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import redis

from bench import candidates, report
from bench.candidates import Candidate
from bench.traced import COUNTS
from tests.support import load, machine
from tests.support.sandbox import running_sandbox

INITS = 200
_READY, _COMPLETE = b"Z", b"C"  # types of message: the server's turn ends; a statement is done
_DONE = "bench is done"


class Relay:
    """A way to PostgreSQL that counts the server's messages by type."""

    def __init__(self, host: str, port: int) -> None:
        self.counts: Counter[bytes] = Counter()
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, far = self._listener.accept()[0], socket.create_connection(self._target)
            for source, sink, note in ((near, far, None), (far, near, self._note())):
                threading.Thread(target=_pump, args=(source, sink, note), daemon=True).start()

    def _note(self) -> Callable[[bytes], None]:
        rest = b""

        def note(data: bytes) -> None:
            nonlocal rest
            rest += data
            while len(rest) >= 5 and len(rest) > (length := int.from_bytes(rest[1:5])):
                self.counts[rest[:1]] += 1
                rest = rest[length + 1 :]

        return note


def _pump(source: socket.socket, sink: socket.socket, note: Callable[[bytes], None] | None) -> None:
    with suppress(OSError), source, sink:
        while data := source.recv(65536):
            if note:
                note(data)
            sink.sendall(data)


def run(folder: Path, *, progress: Callable[[str], None]) -> None:
    """Print the counts of one init, those of many averaged."""
    counts: dict[str, dict[str, float]] = {}
    with running_sandbox() as sandbox:
        progress("statements on SQLite")
        with candidates.running(
            folder / "sqlite", sandbox.url, application='bench.traced:traced("{}")'
        ) as found:
            for each in found[:2]:
                counts[each.name] = _on_sqlite(each)
        if machine.is_up():
            progress("round trips to PostgreSQL, commands to Redis")
            _on_servers(folder / "servers", sandbox.url, counts)
    print(report.counts(counts), flush=True)


def _on_sqlite(candidate: Candidate) -> dict[str, float]:
    found = {}
    for clients in (1, 32):
        load.run(candidate.init_url, clients=clients, requests=2 * clients)
        before = candidate.service.get(COUNTS).json
        load.run(candidate.init_url, clients=clients, requests=INITS)
        after = candidate.service.get(COUNTS).json
        for name in ("statements", "commits"):
            label = f"SQLite, {clients} client{'s' * (clients > 1)}: {name}"
            found[label] = (after[name] - before[name]) / INITS
    return found


def _on_servers(folder: Path, platform_url: str, counts: dict[str, dict[str, float]]) -> None:
    relays: list[Relay] = []

    @contextmanager
    def relayed() -> Iterator[dict[str, str]]:
        with candidates.postgresql_and_redis() as settings:
            address = urlsplit(settings["DATABASE_URL"])
            relays.append(Relay(str(address.hostname), address.port or 5432))
            where = address.netloc.rpartition("@")[0] + f"@127.0.0.1:{relays[-1].port}"
            plain = address._replace(netloc=where, query="sslmode=disable").geturl()
            yield settings | {"DATABASE_URL": plain}

    with candidates.running(folder, platform_url, stores=relayed) as found:
        for candidate, relay in zip(found, relays, strict=True):
            load.run(candidate.init_url, requests=20)
            before = relay.counts.copy()
            commands = _redis_commands(candidate)
            counts.setdefault(candidate.name, {}).update(
                {
                    "PostgreSQL: round trips": (relay.counts - before)[_READY] / INITS,
                    "PostgreSQL: statements": (relay.counts - before)[_COMPLETE] / INITS,
                    "Redis: commands": commands / INITS,
                }
            )


def _redis_commands(candidate: Candidate) -> int:
    """Send inits; return how many commands Redis was given, a script counting as one."""
    url = candidate.service.env["CACHE_URL"]
    number = int(urlsplit(url).path[1:])
    with redis.Redis.from_url(url) as client:
        client.ping()  # connected before the count begins
        with redis.Redis.from_url(url) as other, other.monitor() as monitor:
            load.run(candidate.init_url, requests=INITS)
            client.echo(_DONE)
            heard = itertools.takewhile(lambda said: _DONE not in said["command"], monitor.listen())
            return sum(said["db"] == number and said["client_type"] != "lua" for said in heard)

"""Many visitors at once: a process of its own on raw asyncio, for tests and for `bench/`.

`python -m tests.support.load URL --clients 200 --requests 4000` prints one JSON line. With `--rate`
a second the arrivals do not wait for the answers (open loop); `--until-eof` ends with its input.
"""

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.support.service import ROOT

LONGEST_SECONDS = 300


@dataclass(frozen=True)
class Load:
    """What came of a load; times in milliseconds.

    `statuses`, `codes`: how many answers had each. `places`: where those whose init was queued may
    ask what became of it. `refusals`: for each answer of 400 or more the seconds it took and its
    ``Retry-After``. `broken`: requests without a whole answer, or with one that is not JSON.
    """

    seconds: float
    per_second: float
    p50: float
    p99: float
    statuses: dict[int, int]
    codes: dict[str, int]
    guests: list[str]
    places: list[str]
    refusals: list[tuple[float, str | None]]
    broken: int

    @property
    def errors(self) -> int:
        """Return how many requests got something other than 200 or 201."""
        return self.broken + sum(n for status, n in self.statuses.items() if status > 201)


def run(url: str, *, clients: int = 1, requests: int, rate: float = 0, body: str = "") -> Load:
    """Send `requests` POSTs from `clients` at once; return what came of them.

    All clients connect before the first one asks: with as many clients as requests all of them
    come at the same moment. With `rate` a second they come whatever becomes of the earlier ones.
    `body` replaces the init's; ``{n}`` in it is a new number each time.
    """
    command = [*_command(url, clients), f"--requests={requests}", f"--rate={rate}"]
    command += [f"--body={body}"] if body else []
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return _read(done.stdout)


@contextmanager
def during(
    url: str,
    *,
    clients: int = 8,
    pause: float = 0.05,
    headers: Mapping[str, str] | None = None,
) -> Iterator[list[Load]]:
    """Let visitors come, and come again `pause` seconds after each answer, while the block runs.

    What came of them stands in the list afterwards.
    """
    command = [*_command(url, clients), "--until-eof", f"--pause={pause}"]
    command += [f"--header={name}: {value}" for name, value in (headers or {}).items()]
    loads: list[Load] = []
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # they are connected
        try:
            yield loads
        finally:
            output, _ = process.communicate()
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, command)
            loads.append(_read(output))


def _command(url: str, clients: int) -> list[str]:
    return [sys.executable, "-m", "tests.support.load", url, f"--clients={clients}"]


def _read(printed: bytes) -> Load:
    fields = json.loads(printed)
    fields["statuses"] = {int(status): count for status, count in fields["statuses"].items()}
    return Load(**fields)


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[_Answer | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._settle(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        headers = _headers(head)
        if len(body) < float(headers.get("content-length", "inf")):
            return
        self._buffer = b""
        if headers.get("connection") == "close":
            self.close()
        self._settle(_Answer(int(head[9:12]), headers, body))

    async def ask(self, request: bytes) -> _Answer | None:
        """Send a request; return the answer, None where the connection broke."""
        if self.transport is None:
            return None
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
            self.transport = None

    def _settle(self, answer: _Answer | None) -> None:
        waiting, self._answer = self._answer, None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}


@dataclass
class _Notes:
    """What is counted on the way."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    guests: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    refusals: list[tuple[float, str | None]] = field(default_factory=list)
    broken: int = 0

    def add(self, answer: _Answer | None, seconds: float) -> None:
        self.times.append(seconds)
        try:
            body = json.loads(answer.body) if answer else None
        except ValueError:
            body = None
        if answer is None or not isinstance(body, dict):
            self.broken += 1
            return
        self.statuses[answer.status] += 1
        if answer.status == 202:
            self.places.append(answer.headers["location"])
        elif answer.status >= 400:
            self.codes[str(body.get("code"))] += 1
            self.refusals.append((seconds, answer.headers.get("retry-after")))
        elif "guestId" in body:
            self.guests.append(body["guestId"])

    def load(self, seconds: float) -> Load:
        counted = vars(self).copy()
        times = sorted(counted.pop("times"))
        return Load(
            seconds=round(seconds, 3),
            per_second=round(len(times) / seconds, 1),
            p50=_quantile(times, 0.50),
            p99=_quantile(times, 0.99),
            **counted,
        )


def _quantile(times: list[float], share: float) -> float:
    return round(1000 * times[min(len(times) - 1, int(len(times) * share))], 2) if times else 0.0


class _Generator:
    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        address = urlsplit(options.url)
        self._place = (address.hostname, address.port)
        lines = [f"POST {address.path} HTTP/1.1", f"Host: {address.netloc}"]
        lines += ["Content-Type: application/json", *options.header]
        self._head = "\r\n".join(lines)
        self._name = os.urandom(6).hex()
        self._sent = 0
        self._notes = _Notes()
        self._idle: deque[_Client] = deque()
        self._stop = asyncio.Event()

    async def run(self) -> Load:
        work = self._arrivals() if self._options.rate else self._all_clients()
        started = time.perf_counter()
        await asyncio.wait_for(work, LONGEST_SECONDS)
        return self._notes.load(time.perf_counter() - started)

    async def _all_clients(self) -> None:
        clients = await asyncio.gather(*(self._connect() for _ in range(self._options.clients)))
        if self._options.until_eof:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._stop.set)
            print("connected", flush=True)
        await asyncio.gather(*(self._visit_again_and_again(client) for client in clients))

    async def _visit_again_and_again(self, client: _Client) -> None:
        while not self._stop.is_set() and self._sent < self._options.requests:
            if client.transport is None:
                client = await self._connect()
            await self._ask(client)
            if self._options.pause:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), self._options.pause)

    async def _arrivals(self) -> None:
        pending = set()
        start = time.perf_counter()
        for number in range(int(self._options.requests)):
            await asyncio.sleep(max(0, start + number / self._options.rate - time.perf_counter()))
            task = asyncio.create_task(self._visit_once())
            pending.add(task)
            task.add_done_callback(pending.discard)
        await asyncio.gather(*pending)

    async def _visit_once(self) -> None:
        client = self._idle.pop() if self._idle else await self._connect()
        if client.transport is None:
            client = await self._connect()
        await self._ask(client)
        self._idle.append(client)

    async def _connect(self) -> _Client:
        client = _Client()
        with suppress(OSError):  # the request that follows counts it
            await asyncio.get_running_loop().create_connection(lambda: client, *self._place)
        return client

    async def _ask(self, client: _Client) -> None:
        self._sent += 1
        body = self._options.body.replace("{n}", f"{self._name}-{self._sent}")
        request = f"{self._head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        started = time.perf_counter()
        answer = await client.ask(request)
        self._notes.add(answer, time.perf_counter() - started)


def main() -> None:
    """Read the command line, send the load, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--pause", type=float, default=0)
    end = parser.add_mutually_exclusive_group(required=True)
    end.add_argument("--requests", type=float, default=math.inf)
    end.add_argument("--until-eof", action="store_true")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--body", default='{"sessionId": "visitor-{n}", "consentGiven": true}')
    options = parser.parse_args()
    if not str(urlsplit(options.url).hostname).startswith(("127.0.0.", "localhost")):
        parser.error("loopback only")

    async def generate() -> Load:
        return await _Generator(options).run()

    print(json.dumps(vars(asyncio.run(generate()))))


if __name__ == "__main__":
    main()

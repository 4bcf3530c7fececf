"""A load generator of its own process: keep-alive connections on raw asyncio, nothing more.

`python -m bench.load URL --clients 200 --requests 4000` prints one JSON line. With `--rate`
a second the arrivals do not wait for the answers, as visitors do not (open loop).
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
LONGEST_SECONDS = 300


@dataclass(frozen=True)
class Load:
    """What came of a load; times in milliseconds. Status 0 is a broken connection."""

    seconds: float
    per_second: float
    p50: float
    p99: float
    statuses: dict[str, int]

    @property
    def errors(self) -> int:
        """Return how many requests got something other than 200 or 201."""
        return sum(n for status, n in self.statuses.items() if status not in ("200", "201"))


def run(url: str, *, clients: int, requests: int, rate: float = 0, body: str = "") -> Load:
    """Run the generator as a process and return what it measured.

    `body` replaces the init's; ``{n}`` in it is a new number each time.
    """
    command = [sys.executable, "-m", "bench.load", url]
    command += [f"--clients={clients}", f"--requests={requests}", f"--rate={rate}"]
    command += [f"--body={body}"] if body else []
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return Load(**json.loads(done.stdout))


class _Client(asyncio.Protocol):
    """One connection, one request at a time; `done` is called with each answer's status."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._settle(0)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if found and _is_whole(head.lower(), rest):
            self._buffer = b""
            self._settle(int(head[9:12]))

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        self._answer = asyncio.get_running_loop().create_future()
        if self.transport is None:
            self._settle(0)
        else:
            self.transport.write(request)
        return self._answer or _done(0)

    def _settle(self, status: int) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(status)


def _done(status: int) -> "asyncio.Future[int]":
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    future.set_result(status)
    return future


def _is_whole(head: bytes, rest: bytes) -> bool:
    _, found, length = head.partition(b"content-length:")
    if found:
        return len(rest) >= int(length.split(b"\r\n", 1)[0])
    return rest.endswith(b"0\r\n\r\n") or head.startswith((b"http/1.1 204", b"http/1.1 304"))


class _Generator:
    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        address = urlsplit(options.url)
        self._place = (address.hostname, address.port)
        self._head = (
            f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Type: application/json\r\n{options.header}"
        )
        self._name = os.urandom(6).hex()
        self._sent = 0
        self._times: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._idle: deque[_Client] = deque()

    async def run(self) -> Load:
        options = self._options
        work = self._arrivals() if options.rate else self._all_clients()
        started = time.perf_counter()
        await asyncio.wait_for(work, LONGEST_SECONDS)
        seconds = time.perf_counter() - started
        times = sorted(self._times)
        return Load(
            seconds=round(seconds, 3),
            per_second=round(len(times) / seconds, 1),
            p50=_quantile(times, 0.50),
            p99=_quantile(times, 0.99),
            statuses=dict(self._statuses),
        )

    async def _all_clients(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self._options.clients)))

    async def _client(self) -> None:
        client = await self._connect()
        while self._sent < self._options.requests:
            await self._ask(client)
            if client.transport is None:
                client = await self._connect()

    async def _arrivals(self) -> None:
        pending = set()
        start = time.perf_counter()
        for number in range(self._options.requests):
            await asyncio.sleep(max(0, start + number / self._options.rate - time.perf_counter()))
            task = asyncio.create_task(self._visit())
            pending.add(task)
            task.add_done_callback(pending.discard)
        await asyncio.gather(*pending)

    async def _visit(self) -> None:
        client = self._idle.pop() if self._idle else await self._connect()
        await self._ask(client)
        if client.transport is not None:
            self._idle.append(client)

    async def _connect(self) -> _Client:
        client = _Client()
        with suppress(OSError):  # the request that follows counts it
            await asyncio.get_running_loop().create_connection(lambda: client, *self._place)
        return client

    async def _ask(self, client: _Client) -> None:
        self._sent += 1
        body = self._options.body.replace("{n}", f"{self._name}-{self._sent}")
        request = f"{self._head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        started = time.perf_counter()
        status = await client.ask(request)
        self._times.append(time.perf_counter() - started)
        self._statuses[str(status)] += 1


def _quantile(times: list[float], share: float) -> float:
    return round(1000 * times[min(len(times) - 1, int(len(times) * share))], 2) if times else 0.0


def main() -> None:
    """Read the command line, send the load, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--header", default="")
    parser.add_argument("--body", default='{"sessionId": "bench-{n}", "consentGiven": true}')
    options = parser.parse_args()
    if urlsplit(options.url).hostname not in ("127.0.0.1", "127.0.0.2", "localhost"):
        parser.error("loopback only")
    print(json.dumps(asdict(asyncio.run(_Generator(options).run()))))


if __name__ == "__main__":
    main()

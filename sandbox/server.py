"""The sockets: one event loop, loopback only, and faults in how an answer is sent.

One loop instead of a thread for each connection: it costs half the processor time (the benchmark
shares two cores with it), a thousand waiting clients are a thousand timers, and the platform's
state needs no lock.
"""

import asyncio
import resource
import signal
import socket
import struct
from collections.abc import Callable
from typing import cast

from sandbox.errors import error
from sandbox.faults import Fault
from sandbox.service import Outcome, Service
from sandbox.wire import MAX_BODY, Request, RequestReader, UnreadableRequest

_HOST = "127.0.0.1"
_BACKLOG = 4096
_FILES = 10_240
_MAX_WAITING = 2 * MAX_BODY  # bytes a client may send ahead while its answer is held back
_ABORTIVE = struct.pack("ii", 1, 0)  # SO_LINGER 0: close() sends RST


class Connection(asyncio.Protocol):
    """One client's connection: its requests are answered one after the other."""

    def __init__(self, *, service: Service, open_connections: "set[Connection]") -> None:
        self._service = service
        self._open = open_connections
        self._reader = RequestReader()
        self._answering = False
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._reader.feed(data) > _MAX_WAITING and self._answering:
            self.drop()
        self._serve()

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()

    def _serve(self) -> None:
        while not self._answering and not self._transport.is_closing():
            try:
                request = self._reader.take()
            except UnreadableRequest as exc:
                self._refuse(exc.status)
                return
            if request is None:
                return
            self._answering = True
            self._answer(request)

    def _refuse(self, status: int) -> None:
        answer = error(status, "bad.request", "The request could not be read.")
        self._transport.write(b"".join(answer.encode(keep_alive=False)))
        self._transport.close()

    def _answer(self, request: Request) -> None:
        outcome = self._service.handle(request=request)
        if outcome.wait:
            self._later(outcome.wait, lambda: self._send(request, outcome))
        else:
            self._send(request, outcome)

    def _send(self, request: Request, outcome: Outcome) -> None:
        fault = outcome.fault
        if outcome.answer is None:
            return self._say_nothing(fault)
        keep_alive = request.keeps_alive and fault.kind != "cut"
        version = fault.version if fault.kind == "http_version" else "HTTP/1.1"
        head, body = outcome.answer.encode(keep_alive=keep_alive, version=version)
        if fault.kind == "drip":
            at_once = head if fault.part == "body" else b""
            self._transport.write(at_once)
            return self._drip((head + body)[len(at_once) :], fault, keep_alive)
        if fault.kind == "cut":
            body = body[: len(body) // 2]
        self._transport.write(head + body)
        return self._finish(keep_alive)

    def _say_nothing(self, fault: Fault) -> None:
        if fault.kind == "close":
            self._transport.close()
        if fault.kind == "reset":
            connection: socket.socket = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
            self._transport.abort()

    def _drip(self, rest: bytes, fault: Fault, keep_alive: bool) -> None:
        self._transport.write(rest[: fault.bytes])
        if rest := rest[fault.bytes :]:
            self._later(fault.interval, lambda: self._drip(rest, fault, keep_alive))
        else:
            self._finish(keep_alive)

    def _finish(self, keep_alive: bool) -> None:
        self._answering = False
        if not keep_alive:
            self._transport.close()
        elif self._timer:  # an answer sent at once returns into the loop of _serve
            self._timer = None
            self._serve()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, act)


async def serve(*, service: Service, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `announce` gets the address once connections are taken.

    Raises OSError where the port is taken.
    """
    _allow_many_files()
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    connections: set[Connection] = set()
    server = await loop.create_server(
        lambda: Connection(service=service, open_connections=connections),
        host=_HOST,
        port=port,
        backlog=_BACKLOG,
    )
    announce(f"http://{_HOST}:{server.sockets[0].getsockname()[1]}")
    await stop.wait()
    server.close()
    for connection in tuple(connections):
        connection.drop()
    await server.wait_closed()


def _allow_many_files() -> None:
    """Raise the soft limit: each client is an open file, and shells start with 1,024 or fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

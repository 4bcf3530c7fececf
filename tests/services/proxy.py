"""A way to a server that a test may cut, or make slow, without touching the server."""

import socket
import threading
from contextlib import suppress

from tests.support.service import free_port


class Proxy:
    """A TCP proxy that can be cut: open connections break, new ones are refused.

    `pause`: how many seconds whatever the server says is held back; may be changed at any time.
    `asked`: how often the client said something, which in a dialogue is its round trips.
    """

    pause = 0.0
    asked = 0

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
                threading.Thread(target=self._pump, args=[source, sink], daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            said_by_the_server = source.getpeername() == self._target
            while data := source.recv(65536):
                if not said_by_the_server:
                    self.asked += 1
                elif self.pause:
                    threading.Event().wait(self.pause)
                sink.sendall(data)
        _end(source, sink)


def _end(source: socket.socket, sink: socket.socket) -> None:
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

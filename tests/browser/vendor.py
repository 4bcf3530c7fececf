"""The vendor's side of a chat, as far as its public SDKs tell: a widget's queue, and a socket."""

import asyncio
import base64
import hashlib
import json
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What replaces `window.Genesys` once it has loaded: it does what was queued, and notes all of it.
WIDGET = """
(() => {
  const { q = [], c } = window.Genesys;
  const database = { messaging: { customAttributes: {} } };
  const saw = (window.widget = { config: c, database, commands: [], ready: [] });
  function Genesys(kind, name, ...rest) {
    if (kind === "subscribe") {
      if (name !== "Database.ready") return;
      saw.ready.push(rest[0]);
      return queueMicrotask(() => saw.ready.forEach((tell) => tell()));
    }
    saw.commands.push(name);
    if (name !== "Database.set") return;
    const [data, fulfilled, rejected] = rest;
    if (window.widgetRefuses) return rejected?.();
    Object.assign(database.messaging.customAttributes, data.messaging.customAttributes);
    fulfilled?.(database);
  }
  window.Genesys = Genesys;
  for (const call of q) Genesys(...call);
})();
"""
# RFC 6455, section 1.3.
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONNECTED = {"connected": True, "newSession": True, "readOnly": False}


@dataclass
class MessagingSocket:
    """A web messaging socket: what it was asked for, and the frames it got."""

    url: str = ""
    requests: list[str] = field(default_factory=list)
    frames: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)

    def next_frame(self) -> dict[str, Any]:
        """Wait for the next frame."""
        return self.frames.get(timeout=15)


@contextmanager
def messaging_socket(certificate: Path) -> Iterator[MessagingSocket]:
    """Run a socket server over TLS that takes every session and echoes every message."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    socket, started = MessagingSocket(), queue.Queue[tuple[int, Callable[[], object]]]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _shake_hands(reader, writer, socket)
            while frame := await _frame(reader):
                socket.frames.put(frame)
                writer.write(_text({"type": "response", "code": 200, **_answer(frame)}))
        except (asyncio.IncompleteReadError, ConnectionError):  # the page left
            pass
        finally:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        port = server.sockets[0].getsockname()[1]
        started.put((port, lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=[serve()], daemon=True)
    thread.start()
    port, stop = started.get(timeout=5)
    socket.url = f"https://127.0.0.1:{port}"
    yield socket
    stop()
    thread.join()


def _answer(frame: dict[str, Any]) -> dict[str, Any]:
    if frame["action"] == "configureSession":
        return {"class": "SessionResponse", "body": _CONNECTED}
    return {"class": "StructuredMessage", "body": frame.get("message", {})}


async def _shake_hands(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: MessagingSocket
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    socket.requests.append(head)
    lines = (line.partition(": ") for line in head.splitlines())
    headers = {name.lower(): value for name, _, value in lines}
    digest = hashlib.sha1((headers["sec-websocket-key"] + _GUID).encode()).digest()
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )


async def _frame(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Return the next text frame's JSON; None where the page closes the socket."""
    first, length = await reader.readexactly(2)
    length &= 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2))
    mask, body = await reader.readexactly(4), await reader.readexactly(length)
    text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(body))
    return None if first & 0x0F == 8 else dict(json.loads(text))


def _text(content: dict[str, Any]) -> bytes:
    body = json.dumps(content).encode()
    size = len(body)
    length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2)
    return b"\x81" + length + body

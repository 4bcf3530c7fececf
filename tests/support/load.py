"""Many visitors at once, over keep-alive connections, from threads of the test process."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Tally:
    """What the visitors met: HTTP statuses, codes, guest ids, and how long each waited.

    `places`: where those whose init was queued may ask what became of it.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    guests: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    refusals: list[tuple[float, str | None]] = field(default_factory=list)  # seconds, Retry-After
    broken: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int, body: Any, headers: Mapping[str, str], seconds: float) -> None:
        with self._lock:
            self.statuses[status] += 1
            if status == 200:
                self.guests.append(body["guestId"])
            elif status == 202:
                self.places.append(headers["Location"])
            else:
                self.codes[body["code"]] += 1
                self.refusals.append((seconds, headers.get("Retry-After")))

    def broke(self) -> None:
        with self._lock:
            self.broken += 1


class Visitor:
    """One client with one connection. `headers`: what it sends with every init."""

    def __init__(
        self, url: str, tally: Tally, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        address = urlsplit(url)
        self._where = (str(address.hostname), int(address.port or 80))
        self._tally = tally
        self._headers = {"Content-Type": "application/json", **headers}
        self._connection: http.client.HTTPConnection | None = None

    def init(self, session_id: str) -> None:
        """Start one chat and note what came of it; a broken connection is noted, not raised."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(*self._where, timeout=90)
        body = json.dumps({"sessionId": session_id, "consentGiven": True})
        started = time.monotonic()
        try:
            self._connection.request("POST", "/api/webchat/init", body, self._headers)
            response = self._connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self._connection.close()
            self._connection = None
            self._tally.broke()
            return
        waited = time.monotonic() - started
        self._tally.note(response.status, answer, response.headers, waited)

    def close(self) -> None:
        if self._connection:
            self._connection.close()


def at_once(url: str, sessions: list[str]) -> Tally:
    """Start one chat for each session, all at the same moment."""
    tally, start = Tally(), threading.Barrier(len(sessions))

    def visit(session: str) -> None:
        visitor = Visitor(url, tally)
        start.wait()
        visitor.init(session)
        visitor.close()

    _run([lambda session=session: visit(session) for session in sessions])
    return tally


def until(
    url: str, *, visitors: int, stop: threading.Event, pause: float = 0.0, **headers: str
) -> Tally:
    """Keep `visitors` starting chats, one after another, until `stop` is set."""
    tally = Tally()

    def visit(number: int) -> None:
        visitor, turn = Visitor(url, tally, headers), 0
        while not stop.is_set():
            visitor.init(f"visitor-{number}-{turn}-{time.monotonic_ns()}")
            turn += 1
            stop.wait(pause)
        visitor.close()

    _run([lambda number=number: visit(number) for number in range(visitors)])
    return tally


def offered(url: str, *, per_second: float, seconds: float) -> Tally:
    """Offer chats at a steady rate whatever becomes of them, each from a client of its own."""
    tally, threads = Tally(), []
    began = time.monotonic()

    def visit(number: int) -> None:
        visitor = Visitor(url, tally)
        visitor.init(f"offered-{number}")
        visitor.close()

    for number in range(int(per_second * seconds)):
        time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        thread = threading.Thread(target=visit, args=(number,))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return tally


def _run(tasks: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

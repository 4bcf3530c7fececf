"""How a visitor's greenlet waits for PostgreSQL: by one watcher on gevent's loop.

psycopg's own wait makes an object for polling at each trip, and wakes ten times a second to look
around. Here the loop wakes the greenlet when there is something to read, or when the time is up.
"""

from collections.abc import Generator
from typing import Any

import psycopg
from gevent import Timeout, get_hub
from gevent.monkey import is_module_patched


def is_cooperative() -> bool:
    """Tell whether gevent runs this process, where a plain wait would stop everybody."""
    return bool(is_module_patched("select"))


def wait(generator: Generator[int, int, Any], fileno: int, seconds: float | None) -> Any:
    """Run one of psycopg's generators: each says what it waits for, and is told when it is there.

    Raises psycopg.OperationalError once `seconds` are over; None: the connection's own limits
    (`tcp_user_timeout`) end the wait.
    """
    try:
        wanted = next(generator)
        hub = get_hub()
        with Timeout(seconds, psycopg.OperationalError("the server did not answer in time")):
            while True:
                watcher = hub.loop.io(fileno, wanted)  # 1 to read, 2 to write: the same in both
                try:
                    hub.wait(watcher)
                finally:
                    watcher.close()
                wanted = generator.send(wanted)
    except StopIteration as finished:
        return finished.value

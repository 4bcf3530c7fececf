"""Long work in a process that serves visitors meanwhile: taking turns with them."""

import time


def give_way(*, since: float) -> float:
    """Let others have the process for as long as we had it, from the monotonic time `since` on.

    Returns when our next turn began. Under gevent visitors share our thread; a sleep of 0 would
    give them one switch for each turn of ours, and an init makes a hundred. Never call it inside a
    transaction: on SQLite they would wait for our lock, and we for them.
    """
    time.sleep(time.monotonic() - since)
    return time.monotonic()

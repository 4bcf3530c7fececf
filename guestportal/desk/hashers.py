"""Password hashes off the event loop: the dearest thing that a stranger can ask of us.

One thread of the process does them, one after another, while the loop serves visitors; the hash
function lets go of Python's lock. Whoever finds more than a few waiting is told to come again.
Outside gevent (commands, the worker, tests) a hash is made where it is asked for.
"""

import os
import sys
import threading
from collections.abc import Callable

from django.contrib.auth import hashers
from gevent.monkey import is_module_patched
from gevent.threadpool import ThreadPool

MOST_WAITING = 4
_LOWEST = 19  # priority, as `nice` counts it


class Busy(Exception):
    """Too many passwords are being checked already."""


class _Thread:
    """The one thread, started with the first hash; and how many hashes are in it or wait for it."""

    def __init__(self) -> None:
        self._pool: ThreadPool | None = None
        self._asked = 0

    def run(self, make: Callable[..., str], *args: object, **options: object) -> str:
        """Return what `make` returns. Raises Busy."""
        if not is_module_patched("threading"):
            return make(*args, **options)
        if self._asked > MOST_WAITING:
            raise Busy
        self._asked += 1
        try:
            hashed: str = self._started().apply(make, args, options)
            return hashed
        finally:
            self._asked -= 1

    def _started(self) -> ThreadPool:
        if self._pool is None:
            # Not the hub's own pool: names are looked up in that.
            self._pool = ThreadPool(1)
            self._pool.spawn(_stand_back)
        return self._pool


def _stand_back() -> None:
    """Leave the processor to visitors where there is too little; on Linux a thread can."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)


_thread = _Thread()


class _InThread(hashers.BasePasswordHasher):
    """What Django verifies, renews or makes for a name that nobody has: all of it is `encode`."""

    def encode(self, *args: object, **options: object) -> str:
        return _thread.run(super().encode, *args, **options)


class Pbkdf2(_InThread, hashers.PBKDF2PasswordHasher):
    """Django's default; its hashes are the same."""


class Pbkdf2Sha1(_InThread, hashers.PBKDF2SHA1PasswordHasher):
    """For accounts that came from elsewhere."""


class Scrypt(_InThread, hashers.ScryptPasswordHasher):
    """For accounts that came from elsewhere."""

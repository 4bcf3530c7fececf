"""Password hashes off the event loop: the dearest thing that a stranger can ask of us.

One thread of the process does them, one after another, while the loop serves visitors; the hash
function lets go of Python's lock. Whoever finds more than a few waiting is told to come again.
Outside gevent (commands, the worker, tests) a hash is made where it is asked for.
"""

from collections.abc import Callable

from django.contrib.auth import hashers
from gevent.monkey import is_module_patched
from gevent.threadpool import ThreadPool

MOST_WAITING = 4


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
            # Not the hub's own pool: names are looked up in that.
            self._pool = self._pool or ThreadPool(1)
            hashed: str = self._pool.apply(make, args, options)
            return hashed
        finally:
            self._asked -= 1


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

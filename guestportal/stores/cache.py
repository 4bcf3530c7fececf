"""Django's cache on Redis that goes on without Redis.

While Redis cannot be reached each process serves itself from memory: access token, gate, limits
and locks then hold per process instead of for all. That is less than they promise and more than a
500; ``/readyz`` says so. Every two seconds one caller looks whether Redis is back.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable
from operator import methodcaller
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

LOOK_AGAIN_SECONDS = 2.0
MAX_LOCAL_ENTRIES = 100_000
# Gone, too slow, still loading, a replica after a failover, full.
AWAY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
)
logger = logging.getLogger(__name__)
Result = TypeVar("Result")


def _either(operation: str) -> Any:
    """Return the cache method `operation`: on Redis, or on the memory that stands in for it."""

    def method(cache: "DegradingRedisCache", *args: Any, **kwargs: Any) -> Any:
        return cache._pair.do(methodcaller(operation, *args, **kwargs))

    return method


class DegradingRedisCache(BaseCache):
    """What Django makes for each thread; all of them share the one pair of caches of the process.

    What BaseCache makes of these methods (`get_or_set`, `decr`, the asynchronous ones) holds too.
    """

    add, get, set, touch, delete = map(_either, ("add", "get", "set", "touch", "delete"))
    get_many, set_many, delete_many = map(_either, ("get_many", "set_many", "delete_many"))
    has_key, incr, clear = map(_either, ("has_key", "incr", "clear"))

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._pair = _pair(server)

    @property
    def degraded(self) -> bool:
        """Tell whether this process is serving itself at the moment."""
        return self._pair.degraded


class _Client(RedisCacheClient):
    """Django's, which would make a new Redis object for every call: a tenth of an init."""

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self._client_for(write)

    @functools.cache  # noqa: B019  (there is one of us, for the whole process)
    def _client_for(self, write: bool) -> Any:
        return super().get_client(write=write)


class _Pair:
    """Redis, the memory that stands in for it, and which of the two it is now."""

    def __init__(self, server: str) -> None:
        options = {
            "socket_connect_timeout": 0.5,
            # One for each visitor in flight: with redis-py's 100 the next one took Redis for gone.
            "max_connections": settings.MAX_IN_FLIGHT + 100,
            "socket_timeout": 1,
            # redis-py would try three times more, seconds apart.
            "retry": Retry(NoBackoff(), 0),
        }
        self._shared = RedisCache(server, {"OPTIONS": options})
        self._shared._class = _Client  # type: ignore[attr-defined]
        self._local = LocMemCache("degraded", {"OPTIONS": {"MAX_ENTRIES": MAX_LOCAL_ENTRIES}})
        self._lock = threading.Lock()
        self._look_again_at = 0.0
        self.degraded = False

    def do(self, operation: Callable[[BaseCache], Result]) -> Result:
        if self.degraded and not self._may_look():
            return operation(self._local)
        try:
            result = operation(self._shared)
        except AWAY as exc:
            self._degrade(exc)
            return operation(self._local)
        if self.degraded:
            self.degraded = False
            logger.warning("Redis is back; token, gate and limits are shared again")
        return result

    def _may_look(self) -> bool:
        """Let one caller in every two seconds pay for finding out."""
        with self._lock:
            now = time.monotonic()
            if now < self._look_again_at:
                return False
            self._look_again_at = now + LOOK_AGAIN_SECONDS
            return True

    def _degrade(self, exc: Exception) -> None:
        with self._lock:
            self._look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS
            if self.degraded:
                return
            self._local.clear()  # what an earlier outage left behind is no longer true
            self.degraded = True
        logger.error("Redis is gone (%s); this process serves itself", type(exc).__name__)


@functools.cache
def _pair(server: str) -> _Pair:
    """Return the process's one pair: Django makes a cache, and so a pool, for every thread."""
    return _Pair(server)


def is_shared() -> bool:
    """Ask the cache something; return False where it serves this process alone, by an outage."""
    cache = caches["default"]
    cache.get("readyz")
    return not (isinstance(cache, DegradingRedisCache) and cache.degraded)

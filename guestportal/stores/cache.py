"""The cache of the service: Redis that goes on without Redis, or this process's memory.

While Redis cannot be used each process serves itself from memory: access token, gate, limits and
locks then hold per process instead of for all. That is less than they promise and more than a 500;
``/readyz`` says so. Every two seconds one caller looks whether Redis is back. Whatever a Redis
client raises counts, an answer that takes too long too: a helper service is never a reason to keep
a visitor waiting.
"""

import functools
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from provisioning.atomic import Memory, Step, Value

LOOK_AGAIN_SECONDS = 2.0
MAX_LOCAL_ENTRIES = 100_000
# An init asks Redis a few times; a Redis that needs longer than this is worth less than memory.
ANSWER_SECONDS = 0.5
WRITE = Step(
    "write",
    "redis.call('HSET', KEYS[1], 'at', text(now)) redis.call('EXPIRE', KEYS[1], 60) return {}",
    lambda fields, ends_at, now, values: (fields.update(at=now) or [], 60),
)
logger = logging.getLogger(__name__)
Result = TypeVar("Result")


class Json:
    """Values of the shared cache as JSON: what is read there can do nothing but be read."""

    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else json.dumps(value).encode()  # INCR wants digits

    def loads(self, content: bytes) -> Any:
        """Return the value; None, as if it were absent, for what another version left."""
        try:
            return json.loads(content)
        except ValueError:
            return None


@functools.cache
def _memory() -> Memory:
    """Return the process's one memory: Django makes a cache for every thread."""
    return Memory()


class LocalCache(LocMemCache):
    """Django's cache in memory, with `provisioning.atomic`'s steps."""

    def run_step(self, step: Step, key: str, values: Sequence[Value]) -> list[Value]:
        """Do `step` in this process."""
        return _memory().run(step, key, values)

    def clear(self) -> None:
        _memory().clear()
        super().clear()


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

    def run_step(self, step: Step, key: str, values: Sequence[Value]) -> list[Value]:
        """Do `step` in Redis or, while that is away, in this process."""
        return self._pair.run_step(step, self.make_key(key), values)


class _Pair:
    """Redis, the memory that stands in for it, and which of the two it is now."""

    def __init__(self, server: str) -> None:
        options = {
            "socket_connect_timeout": ANSWER_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
            # One for each visitor in flight: with redis-py's 100 the next one took Redis for gone.
            "max_connections": settings.MAX_IN_FLIGHT + 100,
            # redis-py would try three times more, seconds apart.
            "retry": Retry(NoBackoff(), 0),
        }
        self._shared = RedisCache(server, {"OPTIONS": options | {"serializer": Json}})
        self._redis = Redis(connection_pool=ConnectionPool.from_url(server, **options))
        self._scripts: dict[str, Any] = {}
        self._local = LocalCache("degraded", {"OPTIONS": {"MAX_ENTRIES": MAX_LOCAL_ENTRIES}})
        self._lock = threading.Lock()
        self._look_again_at = 0.0
        self.degraded = False

    def do(self, operation: Callable[[BaseCache], Result]) -> Result:
        """Do what Django's cache can, in Redis or in memory."""
        return self._first(lambda: operation(self._shared), lambda: operation(self._local))

    def run_step(self, step: Step, key: str, values: Sequence[Value]) -> list[Value]:
        if step.name not in self._scripts:  # sent again by redis-py where Redis has forgotten it
            self._scripts[step.name] = self._redis.register_script(step.script)
        return self._first(
            lambda: [found.decode() for found in self._scripts[step.name]([key], values)],
            lambda: self._local.run_step(step, key, values),
        )

    def _first(self, shared: Callable[[], Result], local: Callable[[], Result]) -> Result:
        if self.degraded and not (self._may_look() and self._is_back()):
            return local()
        try:
            return shared()
        except Exception as exc:  # noqa: BLE001  (whatever a client raises)
            self._degrade(exc)
            return local()

    def _is_back(self) -> bool:
        """Find out by a write: a Redis that cannot save answers reads and refuses the rest."""
        try:
            self._redis.register_script(WRITE.script)(["guestportal:write"])
        except Exception:  # noqa: BLE001
            return False
        self.degraded = False
        logger.warning("Redis is back; token, gate and limits are shared again")
        return True

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
    """Write something; return False where the cache serves this process alone, by an outage."""
    cache = caches["default"]
    WRITE.run(key="write")
    return not (isinstance(cache, DegradingRedisCache) and cache.degraded)

"""The cache that goes on without Redis."""

import logging
import socketserver
import threading
from collections.abc import Iterator

import pytest

from guestportal.stores.cache import DegradingRedisCache
from tests.support.service import free_port


@pytest.fixture
def alone() -> DegradingRedisCache:
    """A cache whose Redis is not there."""
    return DegradingRedisCache(f"redis://127.0.0.1:{free_port()}/0", {})


def test_what_token_gate_and_limits_do_works_without_redis(alone: DegradingRedisCache) -> None:
    alone.set("token", "value", 60)

    assert alone.add("lock", 1, 10)
    assert not alone.add("lock", 1, 10)
    assert (alone.incr("lock", 5), alone.decr("lock")) == (6, 5)
    assert alone.get_many(["token", "lock", "none"]) == {"token": "value", "lock": 5}
    alone.delete_many(["token", "lock"])
    assert alone.get("token") is None
    assert alone.degraded


def test_an_outage_is_logged_once(
    alone: DegradingRedisCache, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "guestportal.stores.cache"):
        for number in range(50):
            alone.set(str(number), number)

    assert len(caplog.records) == 1


class Agreeable(socketserver.StreamRequestHandler):
    """Something else on Redis' port: it says OK to whatever it is asked."""

    def handle(self) -> None:
        while self.connection.recv(4096):
            self.connection.sendall(b"+OK\r\n")


@pytest.fixture
def no_redis() -> Iterator[DegradingRedisCache]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Agreeable) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield DegradingRedisCache(f"redis://127.0.0.1:{server.server_address[1]}/0", {})
        server.shutdown()


def test_goes_on_beside_something_that_only_looks_like_redis(no_redis: DegradingRedisCache) -> None:
    no_redis.set("token", "value", 60)

    assert no_redis.get("token") == "value"
    assert no_redis.degraded

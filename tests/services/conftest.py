"""PostgreSQL, Redis and RabbitMQ for one test each; skipped, with the reason, where absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Connection

from tests.services.proxy import Proxy
from tests.services.servers import Server, own_redis
from tests.support.machine import postgres_database

BROKER = os.environ.get("TEST_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//")


@pytest.fixture
def database() -> Iterator[str]:
    """An empty PostgreSQL database."""
    with postgres_database() as url:
        yield url


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    """A Redis server of the test's own."""
    with own_redis(tmp_path) as server:
        yield server


@pytest.fixture
def broker() -> Iterator[Proxy]:
    """RabbitMQ, with an empty queue, through a proxy that can be cut."""
    with broker_through_a_proxy() as proxy:
        yield proxy


@contextmanager
def broker_through_a_proxy() -> Iterator[Proxy]:
    """Reach RabbitMQ, with an empty queue, through a proxy; skip where there is none."""
    with Connection(BROKER, connect_timeout=2) as connection:
        try:
            connection.connect()
        except OSError:
            pytest.skip("RabbitMQ cannot be reached (TEST_BROKER_URL)")
        connection.default_channel.queue_delete("guestportal")
        proxy = Proxy(str(connection.hostname), int(connection.port or 5672))
        yield proxy
        proxy.cut()
        connection.default_channel.queue_delete("guestportal")


def broker_url(proxy: Proxy) -> str:
    """Return the broker's address by way of the proxy."""
    with Connection(BROKER) as connection:
        vhost = "" if connection.virtual_host == "/" else connection.virtual_host
        return f"amqp://{connection.userid}:{connection.password}@127.0.0.1:{proxy.port}/{vhost}"


def redis_url(server: Server) -> str:
    return f"redis://127.0.0.1:{server.port}/0"

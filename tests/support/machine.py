"""The services on this machine: where they are, and a database of one's own on PostgreSQL."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379")
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432")


@contextmanager
def postgres_database() -> Iterator[str]:
    """Make an empty database, answer its URL, and drop it; skip where there is no PostgreSQL."""
    name = f"guestportal_test_{uuid.uuid4().hex[:12]}"
    try:
        server = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("PostgreSQL cannot be reached (TEST_POSTGRES_URL)")
    with server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield f"{POSTGRES}/{name}"
    finally:
        with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as again:
            again.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def redis_database(number: int) -> Iterator[str]:
    """Answer the URL of an empty Redis database; skip where there is no Redis."""
    url = f"{REDIS}/{number}"
    client = redis.Redis.from_url(url, socket_connect_timeout=3)
    try:
        client.flushdb()
    except redis.ConnectionError:
        pytest.skip("Redis cannot be reached (TEST_REDIS_URL)")
    try:
        yield url
    finally:
        client.flushdb()
        client.close()


def is_up() -> bool:
    """Tell whether PostgreSQL and Redis can be reached."""
    try:
        psycopg.connect(f"{POSTGRES}/postgres", connect_timeout=3).close()
        redis.Redis.from_url(f"{REDIS}/0", socket_connect_timeout=3).ping()
    except (psycopg.OperationalError, redis.ConnectionError):
        return False
    return True


def main() -> int:
    """Tell the shell whether the services can be reached (exit status 0)."""
    if is_up():
        return 0
    print("PostgreSQL or Redis cannot be reached: their run of the suite is skipped")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())

"""A PostgreSQL database of a test's own."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

SERVER = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432")


@contextmanager
def postgres_database() -> Iterator[str]:
    """Make an empty database, give its URL, drop it; skip the test where no server answers."""
    name = f"consent_{secrets.token_hex(4)}"
    try:
        server = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        pytest.skip(f"no PostgreSQL at {SERVER}")
    with server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{SERVER}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")

"""The services on this machine: where they are, and a database of one's own on PostgreSQL."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

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

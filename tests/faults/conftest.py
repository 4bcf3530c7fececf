"""A service and a platform of their own, as real processes, for each module of fault tests."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import messenger
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import Service, running_service

DEADLINE = 3.0


@dataclass(frozen=True)
class Pair:
    """One service and the platform it talks to."""

    service: Service
    sandbox: Sandbox

    def rows(self, where: str = "1", *parameters: Any) -> list[sqlite3.Row]:
        """Read creations as they are committed, past the service."""
        path = self.service.env["DATABASE_URL"].removeprefix("sqlite:///")
        with sqlite3.connect(path, timeout=20) as database:
            database.row_factory = sqlite3.Row
            query = f"SELECT * FROM provisioning_guestcreation WHERE {where} ORDER BY id"
            found = database.execute(query, parameters).fetchall()
        database.close()
        return found


LIMITS = {
    "GENESYS_DEADLINE": str(DEADLINE),
    "GENESYS_CONNECT_TIMEOUT": "1",
    "GENESYS_READ_TIMEOUT": "2",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with (
        running_sandbox() as sandbox,
        running_service(folder, sandbox.url, **LIMITS) as service,
    ):
        yield Pair(service, sandbox)


@pytest.fixture(scope="module")
def messenger_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A service whose organisation has Messenger."""
    folder = tmp_path_factory.mktemp("messenger")
    with (
        running_sandbox(*messenger.OPTIONS) as sandbox,
        running_service(
            folder, sandbox.url, **LIMITS | messenger.environment(sandbox.url)
        ) as service,
    ):
        yield Pair(service, sandbox)

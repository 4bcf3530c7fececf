"""Fixtures that more than one room's tests use."""

from collections.abc import Iterator

import pytest

from tests.sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def _sandbox_process() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox_process: Sandbox) -> Sandbox:
    """The platform's stand-in, as a process of its own, with nothing left of earlier tests."""
    _sandbox_process.reset()
    _sandbox_process.revoke()
    return _sandbox_process

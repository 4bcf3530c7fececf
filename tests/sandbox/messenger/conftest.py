"""A sandbox whose organisation is set up."""

from collections.abc import Iterator

import pytest

from tests.sandbox.messenger.calls import OPTIONS
from tests.support.sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def _messenger_process() -> Iterator[Sandbox]:
    with running_sandbox(*OPTIONS) as sandbox:
        yield sandbox


@pytest.fixture
def messenger(_messenger_process: Sandbox) -> Sandbox:
    """A sandbox with a deployment, a source and a schema, and no contact."""
    _messenger_process.reset()
    return _messenger_process

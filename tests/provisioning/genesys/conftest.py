"""The time that a call has, by a clock that stands still."""

import pytest

from provisioning.genesys.deadline import Deadline
from tests.support.clock import Clock


@pytest.fixture
def deadline(clock: Clock) -> Deadline:
    """Ten seconds from now."""
    return Deadline(seconds=10)

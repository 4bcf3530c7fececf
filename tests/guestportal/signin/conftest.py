"""A stubbed identity provider, and the settings that name it."""

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.core.management import call_command

from tests.support.organisation import SETTINGS, Organisation


@pytest.fixture
def organisation(db: None, settings: Any) -> Iterator[Organisation]:
    """The provider that this service is set up for, and the groups it maps to."""
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    call_command("setup_roles", verbosity=0)
    stub = Organisation()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stub.install(mock)
        yield stub

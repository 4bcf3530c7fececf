"""A visitor's page in front of the service, and the platform's stand-in behind it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from provisioning.genesys.client import get_client
from tests.consent.visitor import Visitor
from tests.sandbox import Sandbox


@pytest.fixture
def visitor(db: None, sandbox: Sandbox, settings: Any) -> Iterator[Visitor]:
    """A page whose service talks to the sandbox, a process of its own."""
    settings.GENESYS_BASE_URL = sandbox.url
    settings.GENESYS_OAUTH_URL = f"{sandbox.url}/oauth/token"
    cache.clear()
    get_client.cache_clear()
    yield Visitor(sandbox)
    cache.clear()
    get_client.cache_clear()

"""A visitor's page in front of the service, and the platform's stand-in behind it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from crm import sessions
from provisioning.genesys.platform import get_platform
from tests.support.sandbox import Sandbox
from tests.support.visitor import Visitor


@pytest.fixture
def visitor(
    db: None, sandbox: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Visitor]:
    """A page whose service talks to the sandbox, a process of its own."""
    # As a process starts: it has not seen this test's database yet.
    monkeypatch.setattr(sessions, "_confirmed", None)
    settings.GENESYS_BASE_URL = sandbox.url
    settings.GENESYS_OAUTH_URL = f"{sandbox.url}/oauth/token"
    cache.clear()
    get_platform.cache_clear()
    yield Visitor(sandbox)
    cache.clear()
    get_platform.cache_clear()

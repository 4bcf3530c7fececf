"""A visitor's page in front of the service, and the platform's stand-in behind it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from crm import profiles, sessions
from crm.models import AttributeMapping
from provisioning.genesys.platform import get_platform
from tests.support.messenger import OPTIONS, configure
from tests.support.sandbox import Sandbox, running_sandbox
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


@pytest.fixture(scope="session")
def _organisation() -> Iterator[Sandbox]:
    with running_sandbox(*OPTIONS) as sandbox:
        yield sandbox


@pytest.fixture
def messenger(_organisation: Sandbox, visitor: Visitor, settings: Any) -> Visitor:
    """A page whose service talks to an organisation with Messenger."""
    _organisation.reset()
    configure(settings, _organisation)
    for mapping, target in zip(
        AttributeMapping.objects.order_by("order"),
        ("tier_text", "previous_tickets_integer", "integration_source_text"),
        strict=True,
    ):
        mapping.target = target
        mapping.save()
    profiles.forget_mappings()
    return Visitor(_organisation)

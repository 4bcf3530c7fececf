"""A reviewer at work, and a person whose data is here."""

from typing import Any

import pytest
from django.test import Client

from provisioning.models import GuestCreation
from tests.support.factories import signed_in
from tests.support.visitor import known_to_the_crm, latest


@pytest.fixture
def reviewer(db: None) -> Client:
    return signed_in("Compliance reviewer")


@pytest.fixture
def jane(visitor: Any) -> GuestCreation:
    known_to_the_crm()
    visitor.init(consentGiven=True)
    return latest()

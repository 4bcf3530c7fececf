"""A moment that another clock wrote, or our own before it was corrected, is believed in bounds."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from provisioning import health
from provisioning.ledger.recovery import recover
from provisioning.models import GuestCreation
from tests.support.factories import creation
from tests.support.platform import Platform
from tests.support.webchat import SESSION, Webchat

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def in_an_hour(**fields: Any) -> GuestCreation:
    """A row of a process whose clock was an hour ahead until somebody corrected it."""
    return creation(overdue_at=timezone.now() + HOUR, **fields)


def test_settles_a_row_that_would_be_worked_on_for_an_hour() -> None:
    row = in_an_hour(status="pending", guest_id="")

    seen = health.overdue()
    recover()

    row.refresh_from_db()
    assert seen == 1
    assert row.status == "unknown"


def test_leaves_alone_what_somebody_works_on() -> None:
    row = creation(status="pending", guest_id="", overdue_at=timezone.now() + timedelta(seconds=9))

    recover()

    row.refresh_from_db()
    assert (row.status, health.overdue()) == ("pending", 0)


def test_waits_for_no_init_of_an_hour_ahead(
    webchat: Webchat, platform: Platform, settings: Any
) -> None:
    settings.GUEST_REUSE_SECONDS = 600
    in_an_hour(session_id=SESSION, status="pending", guest_id="")

    answer = webchat.init()

    assert answer.status_code == 200
    assert len(platform.guests) == 1


def test_resumes_no_guest_that_is_dated_far_ahead(webchat: Webchat, platform: Platform) -> None:
    creation(session_id=SESSION, status="guest_created", created_at=timezone.now() + 2 * HOUR)

    webchat.init()

    assert len(platform.guests) == 1

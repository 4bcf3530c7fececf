"""Staff pages show every time in one form, in the staff's time zone, with UTC on hover."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from provisioning.models import LegalHold, PlatformDeletion, Review
from tests.support.factories import creation, crm_record, signed_in

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
IN_BERLIN = 'title="2026-07-01 12:00:00 UTC">2026-07-01 14:00:00</time>'
LIST = "/admin/provisioning/guestcreation/"


@pytest.fixture
def browser(settings):
    settings.STAFF_TIME_ZONE = "Europe/Berlin"
    return signed_in()


def _page(browser, path):
    return browser.get(path).content.decode()


def test_shows_the_times_of_creations(browser):
    row = creation(created_at=NOON, withdrawn_at=NOON, status="unknown")
    reviewer = {"reviewer": User.objects.get(), "verdict": "in_order", "reason": "Seen"}
    Review.objects.create(creation=row, reviewed_at=NOON, **reviewer)

    assert IN_BERLIN in _page(browser, LIST)
    page = _page(browser, f"{LIST}{row.id}/change/")
    assert page.count(IN_BERLIN) == 4  # why it waits, made, withdrawn, reviewed


def test_shows_the_times_of_columns_that_django_would_write_in_its_own_form(browser):
    PlatformDeletion.objects.create(creation=creation(), requested_at=NOON)

    assert IN_BERLIN in _page(browser, "/admin/provisioning/platformdeletion/")


def test_shows_the_times_of_records(browser):
    record = crm_record("jane")
    type(record).objects.update(updated_at=NOON)

    assert IN_BERLIN in _page(browser, "/admin/crm/crmrecord/")


def test_writes_what_django_writes_in_the_same_form(browser):
    LegalHold.objects.create(session_hash="0" * 64, reference="case-1", placed_at=NOON)

    assert "2026-07-01 14:00:00" in _page(browser, "/admin/provisioning/legalhold/")


def test_counts_days_in_utc_wherever_the_staff_is(browser, settings):
    settings.STAFF_TIME_ZONE = "Pacific/Auckland"
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    creation(created_at=midnight + timedelta(minutes=1))

    (all_, *_) = browser.get("/admin/").context_data["figures"]

    assert all_.today == 1

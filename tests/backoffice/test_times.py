"""Staff pages show every time in one form, in the staff's time zone, with UTC on hover."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit import log
from audit.models import AuditEvent, AuditSeal
from backoffice.periods import ShowsTimes
from crm.models import ApiToken, CrmRecord
from crm.sync.tokens import issue_token
from provisioning.models import LegalHold, Notice, NoticeDraft, PlatformDeletion, Review
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


def _rows():
    """Make a row of each kind that has a time, all of them at noon."""
    user = User.objects.get()
    User.objects.update(last_login=NOON, date_joined=NOON)
    content = {"language": "en", "text": "Text", "purposes": ["support"], "controller": "Example"}
    content |= {"version": "1", "effective_at": NOON}
    yield user
    yield LegalHold.objects.create(session_hash="0" * 64, reference="case-1", placed_at=NOON)
    yield PlatformDeletion.objects.create(creation=creation(), requested_at=NOON)
    yield NoticeDraft.objects.create(**content)
    yield Notice.objects.create(**content, published_at=NOON, published_by="staff:1")
    yield CrmRecord.objects.get(pk=crm_record("jane").pk)
    yield AuditSeal.objects.create(
        number=1, first_position=0, count=1, time=NOON, root="", previous_hash="", key_id="",
        hash="", signature="",
    )  # fmt: skip
    yield TOTPDevice.objects.create(user=user, name="phone", last_used_at=NOON)
    with time_machine.travel(NOON):
        issue_token(user=user)
        yield ApiToken.objects.get()
        with transaction.atomic():
            log.record(kind="guest.created", actor="system")
        yield AuditEvent.objects.get(kind="guest.created")


KINDS = (User, LegalHold, PlatformDeletion, NoticeDraft, Notice, CrmRecord, AuditSeal, TOTPDevice,
         ApiToken, AuditEvent)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_writes_no_time_without_utc_in_a_list_or_on_the_page_of_a_row(browser, kind):
    row = next(row for row in _rows() if isinstance(row, kind))
    admin_ = f"/admin/{row._meta.app_label}/{row._meta.model_name}/"

    for path in (admin_, f"{admin_}{row.pk}/change/"):
        page = _page(browser, path)
        beside = re.sub("<time .*?</time>", "", page)
        assert re.findall(r">[^<{}]*\d{4}-\d\d-\d\d \d\d:\d\d[^<{}]*<", beside) == [], path
        assert "<time " in page or kind in EDITED, path


EDITED = {NoticeDraft}  # whose times stand in the form


def test_shows_each_kind_of_row_in_the_admin_by_the_one_form():
    assert [
        page for page in admin.site._registry.values() if not isinstance(page, ShowsTimes)
    ] == []


def test_writes_the_history_of_a_row_in_the_same_form(browser):
    user = User.objects.get()
    entry = {"action_flag": CHANGE, "change_message": "[]", "content_type": _type(User)}
    LogEntry.objects.create(user=user, object_id=user.pk, **entry)
    LogEntry.objects.update(action_time=NOON)

    assert IN_BERLIN in _page(browser, f"/admin/auth/user/{user.pk}/history/")


def _type(model):
    return ContentType.objects.get_for_model(model)


def test_counts_days_in_utc_wherever_the_staff_is(browser, settings):
    settings.STAFF_TIME_ZONE = "Pacific/Auckland"
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    creation(created_at=midnight + timedelta(minutes=1))

    (all_, *_) = browser.get("/admin/").context_data["figures"]

    assert all_.today == 1

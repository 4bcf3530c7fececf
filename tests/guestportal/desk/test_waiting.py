"""The first page begins with what waits for its reader: how much, since when, and where."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit import verify
from audit.sealing import seals
from provisioning.models import PlatformDeletion
from tests.provisioning.consent.test_notices import draft, published
from tests.support.factories import creation, signed_in

pytestmark = pytest.mark.django_db

NEVER = "The audit log was never verified"
NO_NOTICE = "No privacy notice is in effect"


@pytest.fixture
def reviewer():
    return signed_in("Compliance reviewer")


def _tasks(browser):
    return {task.name: task for task in browser.get("/admin/").context_data["waiting"]}


def _ago(**time):
    return timezone.now() - timedelta(**time)


def _deletion(days, **fields):
    row = creation(erased_at=timezone.now(), **dict.fromkeys(ERASED, ""))
    requested = {"guest_id": "g", "requested_at": _ago(days=days)}
    PlatformDeletion.objects.create(creation=row, **requested | fields)


ERASED = ("session_hash", "request_id", "guest_id", "salt", "payload_digest")


def test_says_what_a_fresh_installation_lacks(reviewer):
    assert set(_tasks(reviewer)) == {NO_NOTICE, NEVER}


def test_says_that_nothing_waits(reviewer):
    published()
    creation()
    seals.seal()
    verify.remember(report=verify.verify(), actor="system")

    assert "Nothing waits for you." in reviewer.get("/admin/").content.decode()


def test_counts_what_is_to_be_reviewed_and_tells_how_old_it_is(reviewer):
    creation(status="unknown", guest_id="", created_at=_ago(days=3, hours=1))
    creation(consent_basis="assumed")
    creation()
    creation(verdict="follow_up", reviewed_at=_ago(days=5), created_at=_ago(days=6, hours=1))

    tasks = _tasks(reviewer)

    assert tasks["To review: 2"].said.replace("\xa0", " ") == "the oldest for 3 days"
    assert tasks["Needs follow-up: 1"].said.replace("\xa0", " ") == "the oldest for 6 days"


def test_counts_deletions_on_the_platform(reviewer):
    for days in (1, 4):
        _deletion(days)

    said = _tasks(reviewer)["To delete on the platform: 2"].said

    assert said.replace("\xa0", " ") == "the oldest for 4 days"


def test_counts_of_the_deletions_those_that_are_for_a_person(reviewer):
    _deletion(1, due_at=timezone.now())
    _deletion(2, state="asked", due_at=timezone.now())
    _deletion(3, state="error")
    _deletion(4, state="done", guest_id="", done_at=timezone.now())

    names = [name for name in _tasks(reviewer) if "elet" in name]

    assert names == ["Deletions that failed on the platform: 1"]


def test_asks_for_drafts_to_be_published(reviewer):
    draft()

    assert "Notice drafts never published: 1" in _tasks(reviewer)


def test_takes_a_notice_for_none_that_is_not_in_effect_yet(reviewer):
    published(effective_at=timezone.now() + timedelta(days=1))
    assert NO_NOTICE in _tasks(reviewer)

    published(version="2", effective_at=_ago(days=1))

    assert NO_NOTICE not in _tasks(reviewer)


def test_asks_to_verify_again_after_a_day(reviewer):
    creation()
    with time_machine.travel(_ago(hours=25)):
        verify.remember(report=verify.Report(), actor="system")
    assert "Verify the audit log again" in _tasks(reviewer)

    verify.remember(report=verify.Report(), actor="system")

    assert not [name for name in _tasks(reviewer) if "erif" in name]


def test_says_that_the_log_did_not_verify(reviewer):
    verify.remember(report=verify.Report(problems=["event 1 is gone"]), actor="system")

    assert _tasks(reviewer)["The audit log did not verify"].bad


@pytest.mark.parametrize("role", ["Compliance reviewer", "Auditor", ""])
def test_leads_to_a_page_that_opens(role):
    creation(status="unknown", guest_id="")
    creation(verdict="follow_up", reviewed_at=timezone.now())
    _deletion(1)
    draft()
    browser = signed_in(role)

    opened = {name: browser.get(task.url).status_code for name, task in _tasks(browser).items()}

    assert set(opened.values()) == {200}
    assert len(opened) == (1 if role == "Auditor" else 6)


def test_leads_whoever_may_verify_to_where_that_is_done():
    assert _tasks(signed_in("Auditor"))[NEVER].url == "/admin/audit/auditevent/verify/"


def test_speaks_no_jargon_of_ours(reviewer):
    row = creation(status="unknown", guest_id="")
    pages = (
        "/admin/",
        "/admin/provisioning/guestcreation/",
        f"/admin/provisioning/guestcreation/{row.pk}/change/",
    )

    for page in pages:
        text = re.sub(r"<[^>]*>", " ", reviewer.get(page).content.decode())
        assert not re.findall(
            r"\binits?\b|\bgate\b|echoMismatch|:\d\d\.\d{3,6}", text, re.IGNORECASE
        )

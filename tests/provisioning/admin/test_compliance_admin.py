"""The admin's side of notices, holds, exports and erasures, each for those who may."""

import json

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.models import LegalHold, Notice, NoticeDraft, PlatformDeletion
from tests.provisioning.consent.test_notices import draft, published
from tests.support.visitor import PERSON, SESSION, events, known_to_the_crm, latest

KEY = hash_session(session_id=SESSION)
PERSON_PAGE = "/admin/provisioning/guestcreation/person/"


def signed_in(role):
    call_command("setup_roles", verbosity=0)
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def reviewer(db):
    return signed_in("Compliance reviewer")


@pytest.fixture
def jane(visitor):
    known_to_the_crm()
    visitor.init(consentGiven=True)
    return latest()


def ask(browser, do, **fields):
    named = {"by": "EMAIL", "value": PERSON["email"], do: "1"}
    return browser.post(PERSON_PAGE, named | fields)


def test_drafts_and_publishes_a_notice(reviewer):
    now = timezone.now()
    form = {"version": "1", "language": "en", "text": "What we do", "purposes": '["chat"]'}
    form |= {"controller": "Us", "effective_at_0": now.date(), "effective_at_1": "00:00:00"}
    reviewer.post("/admin/provisioning/noticedraft/add/", form)

    chosen = {"action": "publish", "_selected_action": [NoticeDraft.objects.get().pk]}
    reviewer.post("/admin/provisioning/noticedraft/", chosen)

    assert Notice.objects.get().text == "What we do"
    assert len(events("notice.published")) == 1


@pytest.mark.parametrize(
    "wrong", [{"purposes": "[]"}, {"purposes": '"chat"'}, {"language": "not a language"}]
)
def test_refuses_a_draft_that_says_too_little(reviewer, wrong):
    form = {"version": "1", "language": "en", "text": "What we do", "purposes": '["chat"]'}
    form |= {"controller": "Us", "effective_at_0": "2026-11-22", "effective_at_1": "00:00:00"}

    reviewer.post("/admin/provisioning/noticedraft/add/", form | wrong)

    assert not NoticeDraft.objects.exists()


def test_says_when_a_version_is_published_already(reviewer):
    published()

    chosen = {"action": "publish", "_selected_action": [draft().pk]}
    page = reviewer.post("/admin/provisioning/noticedraft/", chosen, follow=True)

    assert "published in en already" in page.content.decode()


def test_lets_not_even_a_superuser_edit_a_published_notice(db):
    notice = published()
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))

    page = f"/admin/provisioning/notice/{notice.pk}/"

    assert browser.get(f"{page}change/").status_code == 200
    assert browser.post(f"{page}change/", {"text": "x"}).status_code == 403
    assert browser.get(f"{page}delete/").status_code == 403


def test_exports_a_person(reviewer, jane):
    document = ask(reviewer, "export")

    assert document["Content-Disposition"] == 'attachment; filename="person.json"'
    assert json.loads(document.content)["sessions"][0]["crmRecord"]["email"] == PERSON["email"]
    assert events("subject.exported")[0]["actor"].startswith("staff:")


def test_erases_a_person_only_when_it_is_confirmed(reviewer, jane):
    shown = ask(reviewer, "erase").content.decode()
    assert "1 session with 1 guest creation" in shown
    assert CrmRecord.objects.exists()

    ask(reviewer, "erase", confirmed="on")

    assert not CrmRecord.objects.exists()
    assert events("subject.erased")[0]["actor"].startswith("staff:")


def test_says_that_a_hold_forbids_the_erasure(reviewer, jane):
    form = {"session_hash": KEY, "reference": "case-9"}
    reviewer.post("/admin/provisioning/legalhold/add/", form)

    page = ask(reviewer, "erase", confirmed="on").content.decode()

    assert "legal hold case-9" in page
    assert CrmRecord.objects.exists()


def test_lifts_a_hold_by_deleting_it(reviewer, jane):
    form = {"session_hash": KEY, "reference": "case-9"}
    reviewer.post("/admin/provisioning/legalhold/add/", form)

    reviewer.post(f"/admin/provisioning/legalhold/{KEY}/delete/", {"post": "yes"})

    assert not LegalHold.objects.exists()
    assert [len(events(kind)) for kind in ("hold.placed", "hold.lifted")] == [1, 1]


def test_places_no_hold_on_nobody(reviewer):
    form = {"session_hash": "0" * 64, "reference": "case-9"}

    page = reviewer.post("/admin/provisioning/legalhold/add/", form).content.decode()

    assert "Nothing is stored" in page


def test_marks_a_deletion_on_the_platform_done(reviewer, jane):
    ask(reviewer, "erase", confirmed="on")

    chosen = {"action": "mark_done", "_selected_action": [str(jane.pk)]}
    reviewer.post("/admin/provisioning/platformdeletion/", chosen)

    row = PlatformDeletion.objects.get()
    assert (row.state, row.guest_id) == ("done", "")
    assert row.done_by.startswith("staff:")


def test_hands_out_a_receipt_and_records_it(reviewer, jane):
    page = f"/admin/provisioning/guestcreation/{jane.pk}/receipt/"

    receipt = json.loads(reviewer.get(page).content)

    assert receipt["receipt"]["record_id"] == str(jane.pk)
    assert events("receipt.exported")[0]["data"] == {"creation": str(jane.pk)}


@pytest.mark.parametrize("role", ["Auditor", "CRM administrator"])
def test_keeps_a_persons_data_from_other_roles(jane, role):
    browser = signed_in(role)
    receipt = f"/admin/provisioning/guestcreation/{jane.pk}/receipt/"

    replies = [browser.get(PERSON_PAGE), ask(browser, "export"), browser.get(receipt)]

    assert [reply.status_code for reply in replies] == [403, 403, 403]
    assert ask(browser, "erase", confirmed="on").status_code == 403
    assert CrmRecord.objects.exists()

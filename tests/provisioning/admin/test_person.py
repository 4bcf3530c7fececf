"""A person's page: found by whatever names them, exported, erased, each for those who may."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import CrmRecord
from crm.sessions import hash_session
from tests.support.confirming import confirm, hidden
from tests.support.factories import creation, crm_record, signed_in
from tests.support.visitor import PERSON, SESSION, events, jws_part

FIND = "/admin/provisioning/guestcreation/person/"


def find(browser, term=PERSON["email"]):
    """Find a person and return the address of their page."""
    answer = browser.post(FIND, {"term": term})
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def ask(browser, do, **fields):
    return browser.post(find(browser), {"do": do} | fields)


def erase(browser, **fields):
    return confirm(browser, find(browser), {"do": "erase"} | fields, answer="word")


TERMS = {
    "session id": lambda row: SESSION,
    "session id with a stray space": lambda row: f" {SESSION}\n",
    "session hash": lambda row: hash_session(session_id=SESSION),
    "hash in capitals": lambda row: hash_session(session_id=SESSION).upper(),
    "guest id": lambda row: row.guest_id,
    "guest id in capitals": lambda row: row.guest_id.upper(),
    "request id": lambda row: row.request_id,
    "request id of its events": lambda row: row.request_in_events,
    "address": lambda row: PERSON["email"],
    "address in capitals": lambda row: PERSON["email"].upper(),
    "creation": lambda row: str(row.pk),
}


@pytest.mark.parametrize("term", TERMS)
def test_finds_a_person_by_whatever_names_them(reviewer, jane, term):
    address = find(reviewer, TERMS[term](jane))

    page = reviewer.get(address).content.decode()

    assert "1 session with 1 guest creation." in page
    assert "j…@example.com" in page


def test_names_a_person_in_no_address_and_in_no_page_of_somebody_else(reviewer, jane):
    address = find(reviewer)

    assert PERSON["email"] not in address
    assert hash_session(session_id=SESSION) not in address
    answer = signed_in().get(address, follow=True).content.decode()
    assert "Find the person again" in answer
    assert "j…@" not in answer


def test_says_that_nothing_is_stored_of_a_stranger(reviewer):
    page = reviewer.post(FIND, {"term": "nobody@example.com"}).content.decode()

    assert "Nothing is stored of" in page
    assert "nobody@example.com" in page


def test_finds_a_person_of_whom_only_the_crm_knows(reviewer):
    crm_record("unmet", email="unmet@example.com")

    page = reviewer.get(find(reviewer, "Unmet@example.com")).content.decode()

    assert "None on record" in page
    assert "No chat was asked for." in page


def test_shows_the_state_of_consent_and_every_creation_with_values_masked(reviewer, jane, visitor):
    visitor.withdraw()
    creation(session_id=SESSION, consent_given=False)

    page = reviewer.get(find(reviewer)).content.decode()

    assert "Withdrawn</span> on" in page
    assert "Yes, withdrawn since" in page
    assert "No, stated" in page
    assert "withdrew consent" in page
    for value in (PERSON["email"], PERSON["first_name"]):
        assert value not in page


def test_asks_the_database_no_more_often_for_many_creations(reviewer, jane):
    address, counts = find(reviewer), []

    for number in (0, 60):
        for _ in range(number):
            creation(session_id=SESSION)
        with CaptureQueriesContext(connection) as queries:
            page = reviewer.get(address).content.decode()
        counts.append(len(queries))

    assert counts[0] == counts[1] < 25
    assert "The newest 50 are listed" in page


def test_exports_a_person(reviewer, jane):
    document = ask(reviewer, "export")

    assert document["Content-Disposition"] == 'attachment; filename="person.json"'
    assert json.loads(document.content)["sessions"][0]["crmRecord"]["email"] == PERSON["email"]
    assert events("subject.exported")[0]["actor"].startswith("staff:")


def test_exports_a_person_as_a_page_to_print(reviewer, jane):
    page = ask(reviewer, "print").content.decode()

    assert PERSON["email"] in page
    assert "What the audit log says" in page
    assert jane.guest_id in page
    assert "The platform made the guest" in page
    assert f"Chat of {jane.created_at:%Y-%m-%d %H:%M:%S} UTC" in page
    assert events("subject.exported")[0]["actor"].startswith("staff:")


@pytest.mark.parametrize("typed", ["", "yes", "delete"])
def test_erases_nobody_without_the_word(reviewer, jane, typed):
    address = find(reviewer)
    asked = reviewer.post(address, {"do": "erase"})
    answer = hidden(asked) | {"confirm_word": typed, "confirm_tick": "on"}

    page = reviewer.post(address, answer).content.decode()

    assert "Nothing was done: type the word “erase”" in page
    assert CrmRecord.objects.exists()


def test_asks_again_where_an_erasure_would_take_more_than_was_said(reviewer, jane):
    address = find(reviewer)
    answer = hidden(reviewer.post(address, {"do": "erase"})) | {"confirm_word": "erase"}
    creation(session_id=SESSION)

    page = reviewer.post(address, answer).content.decode()

    assert "what this would do has changed" in page
    assert "emptied of all that names anybody: 2" in page
    assert CrmRecord.objects.exists()


def test_erases_a_person_only_when_it_is_confirmed(reviewer, jane):
    shown = ask(reviewer, "erase").content.decode()
    assert "CRM records are deleted: 1." in shown
    assert "What stays" in shown
    assert "Export first?" in shown
    assert CrmRecord.objects.exists()

    erase(reviewer)

    assert not CrmRecord.objects.exists()
    assert events("subject.erased")[0]["actor"].startswith("staff:")


def test_erases_several_spellings_only_when_they_are_confirmed(reviewer, jane):
    crm_record("another", email="Jane.Doe@Example.com")

    shown = ask(reviewer, "erase").content.decode()

    assert "jane.doe@example.com" in shown
    assert "Jane.Doe@Example.com" in shown
    assert CrmRecord.objects.count() == 2
    erase(reviewer, all_spellings="on")
    assert not CrmRecord.objects.exists()


def test_hands_out_a_receipt_and_records_it(reviewer, jane):
    page = f"/admin/provisioning/guestcreation/{jane.pk}/receipt/"

    receipt = json.loads(reviewer.get(page).content)

    assert jws_part(receipt["receipt"], 1)["record_id"] == str(jane.pk)
    assert events("receipt.exported")[0]["data"] == {"creation": str(jane.pk)}


@pytest.mark.parametrize("role", ["Auditor", "CRM administrator"])
def test_keeps_a_persons_data_from_other_roles(jane, role):
    browser = signed_in(role)
    receipt = f"/admin/provisioning/guestcreation/{jane.pk}/receipt/"
    page = f"{FIND}some-name/"

    replies = [browser.get(FIND), browser.post(FIND, {"term": SESSION}), browser.get(receipt)]
    replies += [browser.post(page, {"do": do}) for do in ("withdraw", "hold", "erase", "export")]

    assert [reply.status_code for reply in replies] == [403] * 7
    assert CrmRecord.objects.exists()

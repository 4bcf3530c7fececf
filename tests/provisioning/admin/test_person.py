"""A person's receipt, export and erasure in the admin, each for those who may."""

import json

import pytest

from crm.models import CrmRecord
from tests.support.confirming import confirm, hidden
from tests.support.factories import crm_record, signed_in
from tests.support.visitor import PERSON, events, jws_part

PERSON_PAGE = "/admin/provisioning/guestcreation/person/"


def ask(browser, do, **fields):
    named = {"by": "EMAIL", "value": PERSON["email"], do: "1"}
    return browser.post(PERSON_PAGE, named | fields)


def test_exports_a_person(reviewer, jane):
    document = ask(reviewer, "export")

    assert document["Content-Disposition"] == 'attachment; filename="person.json"'
    assert json.loads(document.content)["sessions"][0]["crmRecord"]["email"] == PERSON["email"]
    assert events("subject.exported")[0]["actor"].startswith("staff:")


def erase(browser, **fields):
    named = {"by": "EMAIL", "value": PERSON["email"], "erase": "1"}
    return confirm(browser, PERSON_PAGE, named | fields, answer="word")


@pytest.mark.parametrize("typed", ["", "yes", "delete"])
def test_erases_nobody_without_the_word(reviewer, jane, typed):
    asked = ask(reviewer, "erase")
    answer = hidden(asked) | {"confirm_word": typed, "confirm_tick": "on"}

    page = reviewer.post(PERSON_PAGE, answer).content.decode()

    assert "Nothing was done: type the word “erase”" in page
    assert CrmRecord.objects.exists()


def test_asks_again_where_an_erasure_would_take_more_than_was_said(reviewer, jane, visitor):
    answer = hidden(ask(reviewer, "erase")) | {"confirm_word": "erase"}
    visitor.init(consentGiven=True)

    page = reviewer.post(PERSON_PAGE, answer).content.decode()

    assert "what this would do has changed" in page
    assert "emptied of all that names anybody: 2" in page
    assert CrmRecord.objects.exists()


def test_erases_a_person_only_when_it_is_confirmed(reviewer, jane):
    shown = ask(reviewer, "erase").content.decode()
    assert "CRM records are deleted: 1." in shown
    assert "What stays" in shown
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

    replies = [browser.get(PERSON_PAGE), ask(browser, "export"), browser.get(receipt)]

    assert [reply.status_code for reply in replies] == [403, 403, 403]
    assert ask(browser, "erase", confirm_word="erase").status_code == 403
    assert CrmRecord.objects.exists()

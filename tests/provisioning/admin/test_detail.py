"""The page of one creation shows what happened, what was sent, and that the log stands by it."""

import json

import pytest

from audit.models import AuditEvent
from audit.sealing import seals
from provisioning import ledger
from tests.audit.factories import event
from tests.conftest import drop_audit_triggers
from tests.support.factories import creation, crm_record, signed_in
from tests.support.visitor import jws_part

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer():
    return signed_in("Compliance reviewer")


def _url(row):
    return f"/admin/provisioning/guestcreation/{row.id}/change/"


def _page(browser, row, **posted):
    answer = browser.post(_url(row), posted) if posted else browser.get(_url(row))
    return answer.content.decode()


def test_shows_the_events_of_this_creation_and_no_others(reviewer):
    mine = creation(session_id="jane")
    other = creation(session_id="jane")
    event(kind="guest.unknown", subject=_subject(mine), data={"creation": str(other.id)})

    page = _page(reviewer, mine)

    assert "A chat was asked for" in page
    assert "Outcome unknown" not in page


def test_shows_the_events_of_an_erased_creation(reviewer):
    row = creation(session_id="jane")
    creation(session_id="jane")
    ledger.erase_creations(session_hash=row.session_hash, subjects_of=lambda _: None)

    row.refresh_from_db()
    assert (row.request_id, row.session_hash) == ("", "")
    assert _page(reviewer, row).count("A chat was asked for") == 1


def test_shows_no_events_of_one_erased_before_they_had_an_id_of_their_own(reviewer):
    row = creation(event_request_id=None)
    ledger.erase_creations(session_hash=row.session_hash, subjects_of=lambda _: None)

    assert "A chat was asked for" not in _page(reviewer, row)


def test_shows_a_withdrawal_of_the_session(reviewer):
    row = creation()
    event(kind="consent.withdrawn", subject=_subject(row), data={"creations": 1})

    assert "Consent was withdrawn" in _page(reviewer, row)


def test_masks_what_was_sent(reviewer):
    crm_record("jane")

    page = _page(reviewer, creation(session_id="jane"))

    assert "j…@example.com" in page
    assert "jane.doe" not in page


def test_reveals_only_to_those_who_may(reviewer):
    row = creation()

    assert reviewer.post(_url(row), {"do": "reveal"}).status_code == 403


def test_records_who_had_the_values_revealed():
    crm_record("jane")
    row = creation(session_id="jane")

    page = _page(signed_in(), row, do="reveal")

    assert "jane.doe@example.com" in page
    revealed = AuditEvent.objects.get(kind="personal_data.revealed")
    assert revealed.subject == _subject(row)
    assert json.loads(revealed.body)["data"] == {"creation": str(row.id)}


def test_verifies_the_seal_over_its_events(reviewer):
    row = creation()
    seals.seal()

    assert "Verified: seal 1" in _page(reviewer, row, do="verify")


def test_says_which_event_is_not_what_was_sealed(reviewer):
    row = creation()
    seals.seal()
    drop_audit_triggers()
    target = AuditEvent.objects.get(kind="init.attempted")
    AuditEvent.objects.filter(id=target.id).update(body=target.body.replace("visitor", "nobody!"))

    page = _page(reviewer, row, do="verify")

    assert f"event {target.id}: its body (or its leaf) was edited" in page
    assert "Verified" not in page


def test_says_that_events_wait_for_their_seal(reviewer):
    assert "1 event not sealed yet" in _page(reviewer, creation(), do="verify")


def test_hands_out_the_receipt_and_records_it(reviewer):
    row = creation()

    answer = reviewer.post(f"/admin/provisioning/guestcreation/{row.id}/receipt/")

    assert jws_part(answer.json()["receipt"], 1)["record_id"] == str(row.id)
    assert AuditEvent.objects.filter(kind="receipt.exported").count() == 1


def test_takes_a_review_from_the_page_itself(reviewer):
    row = creation()
    said = {"do": "review", "verdict": "in_order", "reason": "Checked by phone"}

    reviewer.post(_url(row), said)

    assert "Checked by phone" in _page(reviewer, row)


def test_knows_no_creation_that_does_not_exist(reviewer):
    assert reviewer.get(_url(creation()).replace("0", "1")).status_code == 404


def _subject(row):
    return AuditEvent.objects.get(request_id=row.request_in_events).subject


def test_says_that_nothing_was_sent_where_the_platform_was_not_reached(reviewer):
    unreached = creation(status="failed", guest_id="", error_code="platform_busy")
    refused = creation(status="failed", guest_id="", platform_status=400)

    assert "the platform was not reached" in _page(reviewer, unreached)
    assert "the platform was not reached" not in _page(reviewer, refused)

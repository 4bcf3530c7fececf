"""Consent withdrawn for a person who telephones or writes: as their own call would do it."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from crm.sessions import hash_session
from provisioning.models import GuestCreation, Withdrawal, WithdrawalCase
from provisioning.subjects import erasure
from tests.provisioning.admin.test_person import erase, find
from tests.support.confirming import confirm
from tests.support.factories import crm_record
from tests.support.visitor import SESSION, events, jws_part

ASKED = {"do": "withdraw", "channel": "telephone", "received": "2026-11-25", "case": "case-12"}


def withdraw(browser, term=SESSION, **fields):
    return confirm(browser, find(browser, term), ASKED | fields)


def test_shows_what_follows_before_anything_is_withdrawn(reviewer, jane):
    page = reviewer.post(find(reviewer), ASKED).content.decode()

    assert "Creations under a consent that stands: 1." in page
    assert "by telephone, received on 2026-11-25" in page
    assert not Withdrawal.objects.exists()


def test_does_all_that_the_visitors_own_withdrawal_does(reviewer, jane, visitor):
    withdraw(reviewer)

    jane.refresh_from_db()
    assert jane.withdrawn_at
    assert visitor.token(jane.guest_id).status_code == 403
    assert visitor.init().status_code == 200
    assert visitor.sent()[-1]["consentGiven"] is False
    assert Withdrawal.objects.get().platform_due_at


def test_records_one_event_with_channel_and_day_and_without_the_case(reviewer, jane):
    withdraw(reviewer)

    [event] = events("consent.withdrawn")
    assert event["data"] == {"creations": 1, "channel": "telephone", "receivedOn": "2026-11-25"}
    assert event["actor"] == f"staff:{User.objects.get().pk}"
    assert "case-12" not in json.dumps(event)


def test_keeps_the_case_where_an_erasure_deletes_it(reviewer, jane):
    page = withdraw(reviewer).content.decode()
    assert "case <bdi>case-12</bdi>" in page
    assert "withdrew consent for a visitor who asked on 2026-11-25 (telephone)" in page

    erase(reviewer)

    assert not Withdrawal.objects.exists()
    assert not WithdrawalCase.objects.exists()


def test_keeps_the_case_when_consent_is_stated_again(reviewer, jane, visitor):
    withdraw(reviewer)
    visitor.init(consentGiven=True)
    withdraw(reviewer, case="case-13")
    visitor.init(consentGiven=True)

    page = reviewer.get(find(reviewer)).content.decode()

    assert re.findall("case <bdi>(.*?)</bdi>", page) == ["case-13", "case-12"]
    assert not Withdrawal.objects.exists()


def test_hands_out_the_cases_with_the_export(reviewer, jane, visitor):
    withdraw(reviewer)
    visitor.init(consentGiven=True)

    document = reviewer.post(find(reviewer), {"do": "export"}).json()

    [case] = document["sessions"][0]["withdrawalCases"]
    assert case["caseNumber"] == "case-12"


@pytest.mark.parametrize(("stands", "kept"), [(True, 1), (False, 0)])
def test_forgets_the_case_with_the_last_creation_of_a_withdrawal_that_ended(
    reviewer, jane, visitor, settings, stands, kept
):
    settings.RETENTION_DAYS = 30
    withdraw(reviewer)
    if not stands:
        visitor.init(consentGiven=True)

    with time_machine.travel(timezone.now() + timedelta(days=31)):
        erasure.erase_expired()

    assert not GuestCreation.objects.filter(erased_at=None).exists()
    assert WithdrawalCase.objects.count() == kept


def test_offers_the_receipt_of_the_withdrawal(reviewer, jane):
    page = withdraw(reviewer).content.decode()
    assert "Download the receipt of the withdrawal" in page

    receipt = reviewer.post(f"/admin/provisioning/guestcreation/{jane.pk}/receipt/").json()

    states = [each["event_state"] for each in jws_part(receipt["receipt"], 1)["events"]]
    assert states == ["given", "withdrawn"]


def test_remembers_a_withdrawal_of_somebody_of_whom_only_the_crm_knows(reviewer):
    crm_record("unmet", email="unmet@example.com")

    withdraw(reviewer, "unmet@example.com")

    assert Withdrawal.objects.get().session_hash == hash_session(session_id="unmet")
    assert Withdrawal.objects.get().unmet_at is None  # so it is not forgotten after 400 days
    assert events("consent.withdrawn")[0]["data"]["creations"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": ""},
        {"channel": "pigeon"},
        {"received": ""},
        {"received": f"{timezone.now() + timedelta(days=2):%Y-%m-%d}"},
        {"case": "Jane Doe"},
    ],
)
def test_takes_no_withdrawal_that_says_too_little(reviewer, jane, wrong):
    page = reviewer.post(find(reviewer), ASKED | wrong).content.decode()

    assert "errorlist" in page
    assert "What will happen" not in page
    assert not Withdrawal.objects.exists()


def test_lets_nobody_withdraw_without_the_right_to(reviewer, jane):
    right = Permission.objects.get(codename="withdraw_consent")
    User.objects.get().groups.get().permissions.remove(right)
    address = find(reviewer)

    assert "Withdraw for the person" not in reviewer.get(address).content.decode()
    assert reviewer.post(address, ASKED).status_code == 403

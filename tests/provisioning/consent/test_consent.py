"""The consent rules of the contract: every mode, every thing a visitor can say, and silence."""

import json

import pytest

from crm.sessions import hash_session
from tests.provisioning.consent.test_notices import published
from tests.support.visitor import PERSON, SESSION, events, known_to_the_crm, latest

NOTICE = "2026-11"
# mode, said, withdrawn before → the basis and value that hold; None: refused with 400
RULES = {
    ("compat", True, False): (True, "stated"),
    ("compat", False, False): (False, "stated"),
    ("compat", None, False): (True, "assumed"),
    ("compat", True, True): (True, "stated"),
    ("compat", False, True): (False, "stated"),
    ("compat", None, True): (False, "withdrawn"),
    ("minimise", True, False): (True, "stated"),
    ("minimise", False, False): (False, "stated"),
    ("minimise", None, False): (False, "omitted"),
    ("minimise", True, True): (True, "stated"),
    ("minimise", False, True): (False, "stated"),
    ("minimise", None, True): (False, "withdrawn"),
    ("strict", True, False): (True, "stated"),
    ("strict", False, False): (False, "stated"),
    ("strict", None, False): None,
    ("strict", True, True): (True, "stated"),
    ("strict", False, True): (False, "stated"),
    ("strict", None, True): None,
}
DECLINED = [rule for rule, held in RULES.items() if held and not held[0]]
GIVEN = [rule for rule, held in RULES.items() if held and held[0]]


@pytest.fixture(autouse=True)
def notice(db):
    """What strict mode wants to be named with a consent."""
    return published()


def arrange(visitor, settings, mode, withdrawn):
    settings.CONSENT_MODE = mode
    known_to_the_crm()
    if withdrawn:
        visitor.withdraw()


@pytest.mark.parametrize("gpc", [False, True])
@pytest.mark.parametrize(("mode", "said", "withdrawn"), [r for r, held in RULES.items() if held])
def test_records_what_was_said_on_which_basis(visitor, settings, mode, said, withdrawn, gpc):
    arrange(visitor, settings, mode, withdrawn)

    reply = visitor.init(consentGiven=said, noticeVersion=NOTICE, gpc=gpc)

    row, recorded = latest(), events("init.attempted")[-1]["data"]["consent"]
    assert reply.status_code == 200
    assert (row.consent_given, row.consent_basis) == RULES[mode, said, withdrawn]
    assert (recorded["given"], recorded["basis"]) == RULES[mode, said, withdrawn]
    assert row.gpc is recorded["gpc"] is gpc


@pytest.mark.parametrize("withdrawn", [False, True])
def test_refuses_silence_in_strict_mode_without_calling_the_platform(visitor, settings, withdrawn):
    arrange(visitor, settings, "strict", withdrawn)

    reply = visitor.init()

    assert reply.status_code == 400
    assert list(reply.json()["fields"]) == ["consentGiven"]
    assert visitor.sent() == []


def test_refuses_in_strict_mode_a_consent_that_names_no_notice(visitor, settings):
    settings.CONSENT_MODE = "strict"

    reply = visitor.init(consentGiven=True)

    assert reply.status_code == 400
    assert list(reply.json()["fields"]) == ["noticeVersion"]
    assert visitor.sent() == []


def test_lets_a_visitor_decline_in_strict_mode_whatever_was_read(visitor, settings):
    settings.CONSENT_MODE = "strict"

    assert visitor.init(consentGiven=False).status_code == 200


@pytest.mark.parametrize(("mode", "said", "withdrawn"), DECLINED)
def test_sends_and_shows_nothing_of_a_visitor_who_declined(
    visitor, settings, mode, said, withdrawn
):
    arrange(visitor, settings, mode, withdrawn)

    reply = visitor.init(consentGiven=said)

    (guest,) = visitor.sent()
    assert guest["consentGiven"] is False
    assert nothing_of_jane(guest)
    assert nothing_of_jane(reply.json())


@pytest.mark.parametrize(("mode", "said", "withdrawn"), GIVEN)
def test_sends_the_profile_of_a_visitor_who_agreed(visitor, settings, mode, said, withdrawn):
    arrange(visitor, settings, mode, withdrawn)

    visitor.init(consentGiven=said, noticeVersion=NOTICE)

    (guest,) = visitor.sent()
    assert guest["consentGiven"] is True
    assert guest["email"] == PERSON["email"]


def test_names_a_declined_visitor_at_random_each_time(visitor):
    visitor.init(consentGiven=False)
    visitor.init(consentGiven=False)

    first, second = visitor.sent()
    assert first["email"] != second["email"]


def test_counts_the_creations_that_a_withdrawal_ends(visitor):
    visitor.init(consentGiven=True)
    visitor.init(consentGiven=True)
    visitor.init(consentGiven=False)

    replies = [visitor.withdraw().json() for _ in range(2)]

    assert replies == [{"withdrawn": 2}, {"withdrawn": 0}]


def test_issues_no_token_for_a_withdrawn_guest(visitor):
    guest_id = visitor.init(consentGiven=True).json()["guestId"]
    visitor.withdraw()

    reply = visitor.post("token", {"sessionId": SESSION, "guestId": guest_id})

    assert (reply.status_code, reply.json()["code"]) == (403, "consent_declined")


def test_leaves_withdrawn_guests_withdrawn_when_consent_is_stated_again(visitor):
    visitor.init(consentGiven=True)
    first = latest()
    visitor.withdraw()

    visitor.init(consentGiven=True)

    first.refresh_from_db()
    assert first.withdrawn_at is not None
    assert latest().withdrawn_at is None


def nothing_of_jane(value):
    """Tell whether neither a CRM value nor a pseudonym of the session is in `value`."""
    text = json.dumps(value)
    tells = [*PERSON.values(), "4711", hash_session(session_id=SESSION)[:8]]
    return not any(tell in text for tell in tells)

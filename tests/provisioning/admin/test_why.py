"""Why a creation waits: written when it arises, shown in the list, narrowed to, explained."""

import csv
import json

import pytest
import requests

from provisioning.models import GuestCreation, Reason
from tests.support.factories import creation, signed_in
from tests.support.platform import breaks

LIST = "/admin/provisioning/guestcreation/"


@pytest.fixture
def reviewer(db):
    return signed_in("Compliance reviewer")


def _without_answer(platform, settings):
    platform.answers["guests"] = breaks(requests.ReadTimeout())


def _repeats_a_no(platform, settings):
    said = {"id": "guest-1", "consentGiven": False, "consentType": "explicit"}
    platform.answers["guests"] = lambda sent: (201, {}, json.dumps(said))


def _asks_for_notices(platform, settings):
    settings.REVIEW_MISSING_NOTICE = True


# What a visitor's page says, what else there is about it, and the reasons that arise.
ARISING = {
    "consent assumed": ({"consentGiven": None}, None, [Reason.ASSUMED]),
    "outcome unknown": ({}, _without_answer, [Reason.OUTCOME]),
    "consent repeated otherwise": ({}, _repeats_a_no, [Reason.ECHO]),
    "notice unknown": ({"noticeVersion": "1999"}, None, [Reason.NOTICE_UNKNOWN]),
    "no notice": ({}, _asks_for_notices, [Reason.NO_NOTICE]),
    "two at once": (
        {"consentGiven": None, "noticeVersion": "1999"},
        _without_answer,
        [Reason.ASSUMED, Reason.OUTCOME, Reason.NOTICE_UNKNOWN],
    ),
    "nothing": ({}, None, []),
    "a no under no notice": ({"consentGiven": False}, _asks_for_notices, []),
    "a no under an unknown notice": (
        {"consentGiven": False, "noticeVersion": "1999"},
        None,
        [],
    ),
}


@pytest.mark.parametrize(("said", "arrange", "reasons"), ARISING.values(), ids=ARISING)
def test_writes_down_why_when_it_arises(
    webchat, platform, settings, reviewer, said, arrange, reasons
):
    if arrange:
        arrange(platform, settings)

    webchat.init(**said)

    row = GuestCreation.objects.get()
    assert row.review_reasons.split() == [reason.value for reason in reasons]
    assert _found(reviewer, tab="queue") == ({row.id} if reasons else set())
    narrowed = [reason for reason in Reason if _found(reviewer, why=reason.value)]
    assert narrowed == reasons
    page = reviewer.get(f"{LIST}{row.id}/change/").content.decode()
    assert ("Why it waits for review" in page) == bool(reasons)
    assert [reason for reason in Reason if f"<dt>{reason.label}</dt>" in page] == reasons


# As the release before this one writes them: the columns say why, and no reason stands there.
FORMER = {
    Reason.ASSUMED: {"consent_basis": "assumed"},
    Reason.OUTCOME: {"status": "unknown", "guest_id": ""},
    Reason.ECHO: {"echo_mismatch": True},
}


@pytest.mark.parametrize(("reason", "fields"), FORMER.items(), ids=FORMER)
def test_takes_a_row_of_the_release_before_as_its_columns_say(reviewer, reason, fields):
    row = creation(**fields)
    creation()

    assert _found(reviewer, tab="queue") == {row.id}
    assert _found(reviewer, tab="queue", why=reason.value) == {row.id}
    exported = reviewer.get(f"{LIST}export/", {"tab": "queue"})
    (line,) = csv.DictReader(b"".join(exported.streaming_content).decode().splitlines())
    assert line["review_reasons"] == reason.value


@pytest.mark.parametrize(
    "fields",
    [*FORMER.values(), {"review_reasons": "notice-unknown"}, {"review_reasons": "no-notice"}],
)
def test_shows_no_creation_in_doubt_all_green(reviewer, fields):
    creation(**fields)

    page = reviewer.get(LIST).content.decode()

    row = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert row.count("badge-good") < 2


def test_finds_what_needs_a_follow_up_by_its_reason(reviewer):
    wanted = creation(review_reasons="no-notice", verdict="follow_up")
    creation(review_reasons="notice-unknown", verdict="follow_up")

    assert _found(reviewer, tab="followup", why="no-notice") == {wanted.id}


def test_narrows_to_nothing_by_a_reason_that_is_none(reviewer):
    creation(consent_basis="assumed")

    assert _found(reviewer, why="notice") == set()


def test_names_what_is_selected_by_reason_before_it_is_confirmed(reviewer):
    rows = [creation(consent_basis="assumed") for _ in range(3)]
    rows += [creation(consent_basis="assumed", status="unknown"), creation()]
    chosen = {"action": "review_selected", "_selected_action": [str(row.id) for row in rows]}

    page = reviewer.post(LIST, chosen)

    assert dict(page.context_data["by_reason"]) == {
        "Consent assumed": 3,
        "Consent assumed and Outcome unknown": 1,
        "Nothing to review": 1,
    }
    assert "Consent assumed and Outcome unknown" in page.content.decode()


def _found(browser, **narrowed):
    return {row.id for row in browser.get(LIST, narrowed).context_data["cl"].result_list}

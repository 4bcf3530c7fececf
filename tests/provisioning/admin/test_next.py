"""Reviews one after the other: the next of what waits, follow-ups to their end, nothing lost."""

import csv
import re
from urllib.parse import urlencode

import pytest
from django.contrib.sessions.models import Session

from provisioning.models import GuestCreation, Review
from tests.support.confirming import hidden
from tests.support.factories import creation, sign_in, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/provisioning/guestcreation/"


@pytest.fixture
def reviewer():
    return signed_in("Compliance reviewer")


def _page(row, filters="tab%3Dqueue"):
    return f"{LIST}{row.id}/change/?_changelist_filters={filters}"


def _record(browser, page, do="next", verdict="in_order", reason="Seen"):
    form = urlencode({"do": do, "verdict": verdict, "reason": reason})
    return browser.post(page, form, content_type="application/x-www-form-urlencoded")


def _found(browser, **narrowed):
    return {row.id for row in browser.get(LIST, narrowed).context_data["cl"].result_list}


def test_goes_through_all_that_waits_one_by_one(reviewer):
    rows = [creation(consent_basis="assumed") for _ in range(4)]
    page, left = _page(rows[2]), []

    while "/change/" in page:
        left += re.findall(r"Record and next \((\d+) left\)", reviewer.get(page).content.decode())
        page = _record(reviewer, page).headers["Location"]

    assert left == ["3", "2", "1"]
    assert page == f"{LIST}?tab=queue"
    assert "Nothing else waits here" in reviewer.get(page).content.decode()
    assert Review.objects.count() == 4


def test_keeps_the_filter_on_the_way(reviewer):
    last = creation(status="unknown")
    creation(consent_basis="assumed")
    first = creation(status="unknown")

    answer = _record(reviewer, _page(first, "tab%3Dqueue%26why%3Doutcome-unknown"))

    assert answer.headers["Location"] == _page(last, "tab%3Dqueue%26why%3Doutcome-unknown")


def test_asks_for_the_queue_where_the_sender_came_from_no_list(reviewer):
    waiting, row = creation(consent_basis="assumed"), creation()

    answer = _record(reviewer, f"{LIST}{row.id}/change/")

    assert answer.headers["Location"] == _page(waiting)


def test_stays_on_the_page_where_that_is_wanted(reviewer):
    row = creation(status="unknown")

    assert _record(reviewer, _page(row), do="review").headers["Location"] == _page(row)


def test_refuses_a_review_without_a_verdict(reviewer):
    row = creation(status="unknown")

    assert "checked" not in reviewer.get(_page(row)).content.decode()
    page = reviewer.post(_page(row), {"do": "next", "reason": "Seen"}).content.decode()

    assert "This field is required" in page
    assert 'value="Seen"' in page
    assert not Review.objects.exists()


def test_refuses_a_filter_that_no_list_has(reviewer):
    assert reviewer.get(_page(creation(), "days%3D9%26guest_id__regex%3D(")).status_code == 400


# --- What needs a follow-up ---------------------------------------------------------------------


def test_keeps_what_needs_a_follow_up_until_it_is_in_order(reviewer):
    row = creation(status="unknown")
    _record(reviewer, _page(row), verdict="follow_up")
    assert _found(reviewer, tab="queue") == set()
    assert _found(reviewer, tab="followup") == {row.id}
    assert 'Needs follow-up <span class="count">1</span>' in reviewer.get(LIST).content.decode()

    _record(reviewer, _page(row, "tab%3Dfollowup"), verdict="in_order")

    assert _found(reviewer, tab="followup") == set()


def test_goes_on_to_the_next_follow_up_from_their_list(reviewer):
    other, row = creation(status="unknown"), creation(status="unknown")
    for each in (other, row):
        _record(reviewer, _page(each), verdict="follow_up")
    creation(status="unknown")

    answer = _record(reviewer, _page(row, "tab%3Dfollowup"))

    assert answer.headers["Location"] == _page(other, "tab%3Dfollowup")


def test_narrows_to_a_verdict_and_to_a_reviewer(reviewer):
    row, other = creation(status="unknown"), creation(status="unknown")
    _record(reviewer, _page(row), verdict="follow_up")
    _record(signed_in(), _page(other), verdict="in_order")
    number = Review.objects.get(creation=row).reviewer_id

    assert _found(reviewer, verdict__exact="follow_up") == {row.id}
    assert _found(reviewer, reviewer=number) == {row.id}
    assert _found(reviewer, reviewer="0") == set()


def test_exports_verdict_and_reviewer(reviewer):
    row = creation(status="unknown")
    _record(reviewer, _page(row), verdict="follow_up")

    answer = reviewer.get(f"{LIST}export/", {"tab": "followup"})

    (line,) = csv.DictReader(b"".join(answer.streaming_content).decode().splitlines())
    assert (line["verdict"], line["reviewer"]) == ("follow_up", "compliance")


# --- Many, and a session that ran out -----------------------------------------------------------


def test_stops_counting_at_a_thousand(reviewer):
    fields = {"consent_given": True, "consent_type": "explicit", "consent_basis": "stated"}
    made = creation(status="unknown").created_at
    GuestCreation.objects.bulk_create(
        GuestCreation(created_at=made, status="unknown", **fields) for _ in range(1_001)
    )

    assert '<span class="count">1,000+</span>' in reviewer.get(LIST).content.decode()
    page = reviewer.get(_page(GuestCreation.objects.first())).content.decode()
    assert "Record and next (1,000+ left)" in page


def test_keeps_a_typed_reason_when_the_session_ran_out(reviewer):
    page = _page(creation(status="unknown"))
    reviewer.logout()

    answer = _record(reviewer, page, reason="Called Jane twice")
    form = dict(re.findall(r'name="(unsent|next)" value="([^"]*)"', answer.content.decode()))
    assert not Session.objects.exists()
    signed = sign_in(reviewer, "compliance", **{name: _text(form[name]) for name in form})

    assert signed.headers["Location"] == page
    assert 'value="Called Jane twice"' in reviewer.get(page).content.decode()
    assert "Called Jane twice" not in reviewer.get(page).content.decode()
    assert not Review.objects.exists()


@pytest.mark.thorough
@pytest.mark.parametrize("reason", ["Called each of them", "\N{GRINNING FACE}" * 500])
def test_keeps_the_reason_for_a_thousand_when_the_session_ran_out(reviewer, reason):
    fields = {"consent_given": True, "consent_type": "explicit", "consent_basis": "stated"}
    made = creation(status="unknown").created_at
    GuestCreation.objects.bulk_create(
        GuestCreation(created_at=made, status="unknown", **fields) for _ in range(999)
    )
    first = str(GuestCreation.objects.first().pk)
    action = {"action": "review_selected", "select_across": "1", "_selected_action": first}
    form = hidden(reviewer.post(LIST, action)) | {"confirmed": "1", "verdict": "in_order"}
    reviewer.logout()

    body = urlencode(form | {"reason": reason}, doseq=True)
    answer = reviewer.post(LIST, body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 200
    assert f'name="unsent" value="{reason}"' in answer.content.decode()


def test_keeps_a_typed_reason_for_the_page_alone_on_which_it_was_typed(reviewer):
    row, other = creation(status="unknown"), creation(status="unknown")
    reviewer.logout()
    _record(reviewer, _page(row), reason="Called Jane")

    sign_in(reviewer, "compliance", unsent="Called Jane", next=_page(row))

    assert "Called Jane" not in reviewer.get(_page(other)).content.decode()
    assert "Called Jane" in reviewer.get(_page(row)).content.decode()


def _text(escaped):
    return escaped.replace("&amp;", "&")

"""Reviewers find what needs them, and say what they found without touching the creation."""

import json
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from audit.models import AuditEvent
from provisioning.models import GuestCreation, Review
from tests.support.confirming import hidden
from tests.support.factories import creation, crm_record, signed_in

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
LIST = "/admin/provisioning/guestcreation/"
SAID = {"confirmed": "1", "verdict": "in_order", "reason": "Seen in the platform"}


@pytest.fixture
def reviewer():
    return signed_in("Compliance reviewer")


def _ids(response):
    return {row.id for row in response.context_data["cl"].result_list}


def _review(browser, rows, **fields):
    chosen = {"action": "review_selected", "_selected_action": [str(row.id) for row in rows]}
    return browser.post(LIST, chosen | SAID | fields)


@pytest.mark.parametrize(
    ("tab", "fields"),
    [
        ("queue", {"status": "unknown", "guest_id": ""}),
        ("queue", {"echo_mismatch": True}),
        ("queue", {"consent_basis": "assumed"}),
        ("unknown", {"status": "unknown", "guest_id": ""}),
        ("assumed", {"consent_basis": "assumed"}),
        ("declined", {"consent_given": False}),
        ("withdrawn", {"withdrawn_at": LONG_AGO}),
    ],
)
def test_shows_under_a_tab_only_what_belongs_there(reviewer, tab, fields):
    wanted = creation(**fields)
    creation()

    assert _ids(reviewer.get(LIST, {"tab": tab})) == {wanted.id}


def test_asks_for_a_reason_before_anything_is_recorded(reviewer):
    row = creation(status="unknown")

    page = reviewer.post(LIST, {"action": "review_selected", "_selected_action": [str(row.id)]})

    assert "Reason" in page.content.decode()
    assert not Review.objects.exists()


@pytest.mark.thorough
def test_reviews_a_thousand_at_once(reviewer):
    rows = [row.id for row in GuestCreation.objects.bulk_create(_unknown() for _ in range(1_000))]
    action = {"action": "review_selected", "select_across": "1"}

    page = reviewer.post(LIST, action | {"_selected_action": [str(rows[0])]})
    answer = reviewer.post(LIST, hidden(page) | SAID)

    assert answer.status_code == 302
    assert Review.objects.count() == 1_000


def test_reviews_what_was_selected_and_nothing_that_came_since(reviewer):
    row = creation(status="unknown")
    action = {"action": "review_selected", "select_across": "1", "_selected_action": [str(row.id)]}
    page = reviewer.post(LIST, action)
    creation(status="unknown")

    reviewer.post(LIST, hidden(page) | SAID)

    assert [review.creation_id for review in Review.objects.all()] == [row.id]


@pytest.mark.parametrize("ticket", ["nonsense", "1.nonsense"])
def test_asks_to_select_again_and_keeps_the_reason_where_the_selection_is_gone(reviewer, ticket):
    chosen = {"action": "review_selected", "_selected_action": [str(creation().id)]}

    answer = reviewer.post(LIST, chosen | SAID | {"selection": ticket}, follow=True)

    assert "Select the creations again" in answer.content.decode()
    assert not Review.objects.exists()
    assert SAID["reason"] in reviewer.post(LIST, chosen).content.decode()


def _unknown():
    return GuestCreation(
        created_at=LONG_AGO, status="unknown", consent_given=True, consent_type="explicit",
        consent_basis="stated",
    )  # fmt: skip


def test_refuses_a_review_without_a_reason(reviewer):
    page = _review(reviewer, [creation()], reason=" ")

    assert "This field is required" in page.content.decode()
    assert not Review.objects.exists()


def test_takes_reviewed_creations_off_the_queue(reviewer):
    rows = [creation(status="unknown") for _ in range(3)]

    _review(reviewer, rows[:2])

    assert _ids(reviewer.get(LIST, {"tab": "queue"})) == {rows[2].id}


def test_records_who_reviewed_what_in_the_audit_log(reviewer):
    row = creation(status="unknown")

    _review(reviewer, [row], verdict="follow_up", reason="Jane called")

    event = AuditEvent.objects.get(kind="record.reviewed")
    assert json.loads(event.body)["data"] == {"creation": str(row.id), "verdict": "follow_up"}
    assert event.actor == f"staff:{Review.objects.get().reviewer_id}"


def test_leaves_the_evidence_of_the_creation_as_it_was(reviewer):
    row = creation(status="unknown")
    before = GuestCreation.objects.filter(id=row.id).values().get()

    _review(reviewer, [row])

    after = GuestCreation.objects.filter(id=row.id).values().get()
    # Copies of what the review says, by which lists find those with and without one.
    for column in ("reviewed_at", "verdict", "reviewer_id"):
        assert after.pop(column) == getattr(Review.objects.get(), column)
        assert not before.pop(column)
    assert after == before


def test_asks_again_once_there_is_something_new_to_look_at(reviewer):
    row = creation(consent_basis="assumed", status="pending", guest_id="", overdue_at=LONG_AGO)
    _review(reviewer, [row])

    call_command("recover_pending")

    assert _ids(reviewer.get(LIST, {"tab": "queue"})) == {row.id}
    _review(reviewer, [row])
    assert not _ids(reviewer.get(LIST, {"tab": "queue"}))
    assert Review.objects.count() == 2


def test_does_not_ask_again_after_a_transition_that_answers_a_question(reviewer, webchat):
    session = webchat.init("jane", consentGiven=None).json()["guestId"]
    row = GuestCreation.objects.get(guest_id=session)
    _review(reviewer, [row])

    webchat.token(session, "jane")

    assert not _ids(reviewer.get(LIST, {"tab": "queue"}))


def test_counts_a_form_that_is_sent_twice_once(reviewer):
    row = creation(status="unknown")

    _review(reviewer, [row])
    _review(reviewer, [row])

    assert Review.objects.count() == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda: Review.objects.update(reason="forged"),
        lambda: Review.objects.all()._raw_delete("default"),
    ],
    ids=["update", "delete"],
)
def test_has_the_database_refuse_to_change_a_review(reviewer, act):
    _review(reviewer, [creation()])

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        act()


def test_masks_the_address_in_the_list(reviewer):
    crm_record("jane")
    creation(session_id="jane")

    page = reviewer.get(LIST).content.decode()

    assert "j…@example.com" in page
    assert "jane.doe" not in page


def test_needs_as_many_queries_for_fifty_rows_as_for_one(reviewer, django_assert_max_num_queries):
    for _ in range(50):
        creation(status="unknown")

    with django_assert_max_num_queries(12) as queries:
        reviewer.get(LIST, {"tab": "queue"})

    assert not [
        query for query in queries.captured_queries
        if "COUNT(*)" in query["sql"] and "LIMIT" not in query["sql"]
    ]  # fmt: skip


def test_exports_what_the_list_is_narrowed_to_and_records_it(reviewer):
    wanted = creation(status="unknown")
    creation()

    answer = reviewer.get(f"{LIST}export/", {"tab": "unknown"})

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [str(wanted.id)]
    event = json.loads(AuditEvent.objects.get(kind="creations.exported").body)
    assert event["data"] == {"filter": {"tab": "unknown"}, "rows": 1}

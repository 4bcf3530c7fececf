"""A creation is found by whatever staff hold of it, pasted whole."""

import pytest

from tests.support.factories import creation, crm_record, signed_in

pytestmark = pytest.mark.django_db

FIND = "/admin/provisioning/guestcreation/find/"
LIST = "/admin/provisioning/guestcreation/"


@pytest.fixture
def reviewer():
    return signed_in("Compliance reviewer")


TERMS = {
    "guest id": lambda row: row.guest_id,
    "creation id": lambda row: str(row.id),
    "client's request id": lambda row: row.request_id,
    "request id of the events": lambda row: row.request_in_events,
    "session id": lambda row: "session-of-jane",
    "session hash": lambda row: row.session_hash.upper(),
    "address": lambda row: "Jane.Doe@example.com",
    "address given to strangers": lambda row: f"visitor_{row.session_hash[:8]}@temp.com",
}


@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
def test_finds_a_creation(reviewer, term):
    crm_record("session-of-jane")
    wanted = creation(session_id="session-of-jane")
    creation()

    answer = reviewer.post(FIND, {"term": term(wanted)})

    assert answer.headers["Location"] == f"{LIST}{wanted.id}/change/"


def test_finds_a_creation_by_another_spelling_of_the_address(reviewer):
    crm_record("session-of-jane", email="info@MÜLLER.de")
    wanted = creation(session_id="session-of-jane")

    answer = reviewer.post(FIND, {"term": "info@müller.de"})

    assert answer.headers["Location"] == f"{LIST}{wanted.id}/change/"


def test_lists_all_creations_of_a_session_without_its_hash_in_the_address(reviewer):
    rows = [creation(session_id="session-of-jane") for _ in range(2)]

    page = reviewer.post(FIND, {"term": "session-of-jane"}, follow=True)

    assert {row.id for row in page.context_data["cl"].result_list} == {row.id for row in rows}
    assert rows[0].session_hash not in page.request["QUERY_STRING"]


def test_takes_no_search_in_an_address(reviewer):
    assert reviewer.get(FIND, {"term": "session-of-jane"}).status_code == 405

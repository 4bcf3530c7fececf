"""CRM administrators find, import and export records; who saw whom in clear is recorded."""

import json

import pytest

from audit.models import AuditEvent
from tests.support.factories import crm_record, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/crm/crmrecord/"


@pytest.fixture
def administrator():
    return signed_in("CRM administrator")


def _data(kind):
    return json.loads(AuditEvent.objects.get(kind=kind).body)["data"]


@pytest.mark.parametrize("stored", ["info@MÜLLER.de", "info@xn--mller-kva.de"])
def test_finds_a_record_by_another_spelling_of_its_address(administrator, stored):
    wanted = crm_record("session-jane", email=stored)

    answer = administrator.post(f"{LIST}find/", {"term": " INFO@müller.de "})

    assert answer.headers["Location"] == f"{LIST}{wanted.pk}/change/"


@pytest.mark.parametrize("term", ["session-jane", " session-jane ", "Jane.Doe@example.com"])
def test_finds_a_record_and_keeps_the_term_out_of_the_address(administrator, term):
    wanted = crm_record("session-jane")

    answer = administrator.post(f"{LIST}find/", {"term": term})

    assert answer.headers["Location"] == f"{LIST}{wanted.pk}/change/"


def test_finds_a_record_by_the_hash_of_its_session(administrator):
    wanted = crm_record("session-jane")

    answer = administrator.post(f"{LIST}find/", {"term": wanted.session_hash.upper()})

    assert answer.headers["Location"] == f"{LIST}{wanted.pk}/change/"


def test_lists_all_that_a_search_found_and_nothing_else(administrator):
    same = [crm_record(f"session-{n}", email="team@example.com") for n in range(2)]
    crm_record("other")

    page = administrator.post(f"{LIST}find/", {"term": "team@example.com"}, follow=True)

    assert {row.pk for row in page.context_data["cl"].result_list} == {row.pk for row in same}


def test_exports_the_records_and_records_who_took_them(administrator):
    crm_record("session-jane", attributes={"segment": "retail"})

    answer = administrator.get(f"{LIST}export/")

    content = b"".join(answer.streaming_content).decode()
    assert "email,first_name,tier,previous_tickets,segment\r\n" in content
    assert "jane.doe@example.com,Jane,Enterprise,12,retail\r\n" in content
    assert _data("crm.exported") == {"filter": "all", "rows": 1}


def test_streams_an_export_in_pieces(administrator):
    for number in range(401):
        crm_record(f"session-{number}")

    pieces = list(administrator.get(f"{LIST}export/").streaming_content)

    assert [piece.count(b"\r\n") for piece in pieces] == [1, 200, 200, 1]


def test_masks_addresses_in_the_list(administrator):
    crm_record("session-jane")

    page = administrator.get(LIST).content.decode()

    assert "j…@example.com" in page
    assert "jane.doe" not in page


def test_records_who_opened_a_record_in_clear(administrator):
    opened = crm_record("session-jane")

    page = administrator.get(f"{LIST}{opened.pk}/change/").content.decode()

    assert "jane.doe@example.com" in page
    assert AuditEvent.objects.filter(kind="personal_data.revealed").count() == 1


def test_counts_no_whole_table(administrator, django_assert_max_num_queries):
    for number in range(50):
        crm_record(f"session-{number}")

    with django_assert_max_num_queries(10) as queries:
        administrator.get(LIST)

    counts = [each["sql"] for each in queries.captured_queries if "COUNT(*)" in each["sql"]]
    assert all("LIMIT" in sql for sql in counts)

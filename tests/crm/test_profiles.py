"""Who a session is: a record, a visitor nobody knows, or a question that stays open."""

import pytest
from django.db import connection

from crm.models import CrmRecord
from crm.profiles import LookupFailed, find_profile, guest_attributes, unknown_profile
from crm.sessions import hash_session
from tests.crm.factories import crm_record, profile

pytestmark = pytest.mark.django_db


def rename(table):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO gone")


def test_finds_the_profile_of_a_known_session():
    record = crm_record(attributes={"segment": "retail", "vip": True})

    found = find_profile(session_hash=record.session_hash)

    assert found == profile(further={"segment": "retail", "vip": True})


@pytest.mark.parametrize(
    "blank",
    [
        " ",
        "\u00a0\u2003",
        "\u200b",
        "\u2060 \ufeff",
        "\u3164",
        "\u2800 \uffa0",
        "\u115f\u1160\ufe0f",
    ],
)
def test_a_first_name_of_blanks_is_no_name(blank):
    record = crm_record(first_name=blank)

    assert find_profile(session_hash=record.session_hash).first_name == ""


@pytest.mark.parametrize(
    "name", ["Jane", " Jane", "李", "-", "\U00018cd6", "\u200eJane", "\u3164Jane"]
)
def test_keeps_a_first_name_as_it_is(name):
    record = crm_record(first_name=name)

    assert find_profile(session_hash=record.session_hash).first_name == name


def test_finds_it_in_one_query(django_assert_num_queries):
    record = crm_record()

    with django_assert_num_queries(1):
        find_profile(session_hash=record.session_hash)


def test_finds_it_through_the_index():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # An empty table needs no index.
    plan = CrmRecord.objects.filter(session_hash="x").explain()

    assert "crm_record_one_per_session" in plan or "sqlite_autoindex_crm_crmrecord" in plan


def test_falls_back_to_a_guest_for_a_session_nobody_knows(settings):
    settings.GUEST_EMAIL_DOMAIN = "guests.example"
    key = hash_session(session_id="nobody")

    found = find_profile(session_hash=key)

    assert found.email == f"visitor_{key[:8]}@guests.example"
    assert (found.first_name, found.tier, found.previous_tickets) == ("Guest", "Unknown", 0)
    assert not found.known


def test_a_failed_lookup_is_not_an_unknown_visitor():
    rename("crm_crmrecord")

    with pytest.raises(LookupFailed):
        find_profile(session_hash=hash_session(session_id="session-1"))


def test_failing_to_read_the_mappings_is_a_failed_lookup():
    rename("crm_attributemapping")

    with pytest.raises(LookupFailed):
        guest_attributes(profile=profile())


def test_a_printed_profile_shows_nothing_of_the_person():
    printed = repr(profile(further={"city": "Paris"}))

    assert not any(word in printed for word in ("jane", "Jane", "Gold", "12", "Paris"))


def test_the_shipped_mappings_send_what_the_seed_sent():
    attributes = guest_attributes(profile=profile())

    assert attributes == {
        "crmTier": "Gold",
        "historicalTickets": 12,
        "integrationSource": "guestportal-v1",
    }


def test_the_shipped_mappings_describe_an_unknown_visitor_too():
    attributes = guest_attributes(profile=unknown_profile(pseudonym="cafe"))

    assert attributes["crmTier"] == "Unknown"
    assert attributes["historicalTickets"] == 0

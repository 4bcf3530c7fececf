"""Rows that were there before get an id and a key; the migration may be repeated."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from audit import triggers
from crm.lookup import records_of
from crm.models import CrmRecord
from tests.crm.factories import crm_record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def back() -> Iterator[None]:
    """Go back to the release before; in the end forward again."""
    crm_record("a", email="info@MÜLLER.de")
    crm_record("b")
    call_command("migrate", "crm", "0005", verbosity=0)
    yield
    call_command("migrate", verbosity=0)


def test_fills_what_was_there_and_leaves_the_log_append_only(back: None) -> None:
    call_command("migrate", verbosity=0)

    assert [record.email for record in records_of(address="info@müller.de")] == ["info@MÜLLER.de"]
    assert len(set(CrmRecord.objects.exclude(record_id=None).values_list("record_id"))) == 2
    assert triggers.missing() == []


def test_builds_the_indexes_anew_that_an_interrupted_run_left(back: None) -> None:
    call_command("migrate", "crm", "0006", verbosity=0)
    with connection.cursor() as cursor:
        for name in ("crm_record_by_address_key", "crm_record_one_per_record_id"):
            cursor.execute(f"CREATE INDEX {name} ON crm_crmrecord (tier)")

    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "crm_crmrecord")
    assert found["crm_record_by_address_key"]["columns"] == ["address_key"]
    assert found["crm_record_one_per_record_id"]["columns"] == ["record_id"]
    assert "crm_record_by_email" not in found

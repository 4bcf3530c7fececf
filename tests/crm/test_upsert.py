"""What a change comes to beside the stored record, and that it is written whole or not at all."""

from typing import Any

import pytest
from django.db import transaction

from crm.models import CrmRecord
from crm.upsert import Change, Overtaken, Plan, plan, plan_all, write
from tests.crm.factories import crm_record, plain_hash

KEY = plain_hash()
VALUES = {"email": "jane@example.com", "first_name": "Jane", "tier": "Gold", "previous_tickets": 12}


def planned(*, version: int | None = None, stored: dict[str, Any] | None, **values: Any) -> Plan:
    return plan(change=Change(KEY, values, version), stored=stored)


def record(**fields: Any) -> dict[str, Any]:
    return {"session_hash": KEY, **VALUES, "attributes": {}, "version": 4, **fields}


def test_creates_what_is_not_stored() -> None:
    created = planned(stored=None, email="joe@example.com", attributes={"segment": "retail"})

    row = (KEY, "joe@example.com", "", "", 0, '{"segment": "retail"}', 1, "joe@example.com")
    assert created == Plan("created", 1, row)


def test_writes_nothing_for_a_record_that_is_so_already() -> None:
    stored = record(attributes={"segment": "retail"})

    assert planned(stored=stored, **VALUES) == Plan("unchanged", 4)
    assert planned(stored=stored, attributes={"segment": "retail"}) == Plan("unchanged", 4)


def test_leaves_the_fields_that_it_does_not_name() -> None:
    updated = planned(stored=record(), tier="Silver")

    row = (KEY, "jane@example.com", "Jane", "Silver", 12, "{}", 5, "jane@example.com")
    assert updated == Plan("updated", 5, row)


def test_merges_further_attributes_into_the_stored_ones() -> None:
    updated = planned(stored=record(attributes={"a": 1, "b": 2}), attributes={"b": 3, "c": True})

    assert updated.row
    assert updated.row[5] == '{"a": 1, "b": 3, "c": true}'


@pytest.mark.parametrize("nothing", [None, ""])
def test_removes_an_attribute_that_is_said_to_be_nothing(nothing: str | None) -> None:
    updated = planned(stored=record(attributes={"a": 1, "b": 0}), attributes={"a": nothing})

    assert updated.row
    assert updated.row[5] == '{"b": 0}'


def test_removing_an_attribute_that_is_not_there_changes_nothing() -> None:
    assert planned(stored=record(), attributes={"a": None}).outcome == "unchanged"


@pytest.mark.parametrize(("before", "after"), [(1, True), (False, 0), (1, "1"), ("true", True)])
def test_another_type_is_another_value(before: Any, after: Any) -> None:
    assert planned(stored=record(attributes={"a": before}), attributes={"a": after}).row


def test_a_stored_attribute_without_a_value_is_none() -> None:
    assert planned(stored=record(attributes={"a": "", "b": None}), attributes={}) == Plan(
        "unchanged", 4
    )


def test_takes_the_version_that_the_record_is_at() -> None:
    assert planned(stored=record(), version=4, tier="Silver").outcome == "updated"


@pytest.mark.parametrize("version", [0, 3, 5])
def test_refuses_another_version_and_says_which_it_is(version: int) -> None:
    refused = planned(stored=record(), version=version, tier="Silver")

    assert refused == Plan("refused", 4, errors={"version": ["The record is at version 4."]})


def test_a_version_of_0_wants_no_record_and_any_other_wants_one() -> None:
    assert planned(stored=None, version=0, **VALUES).outcome == "created"

    refused = planned(stored=None, version=1, **VALUES)
    assert refused == Plan("refused", errors={"version": ["There is no record."]})


def test_refuses_a_new_record_without_an_address() -> None:
    refused = planned(stored=None, tier="Gold")

    assert refused == Plan("refused", errors={"email": ["A new record needs an address."]})


def test_a_printed_change_shows_nothing_of_the_person() -> None:
    change = Change(KEY, VALUES)
    printed = repr([change, plan(change=change, stored=None)])

    assert not any(word in printed for word in ("jane", "Jane", "Gold", "12,"))


def changes(tier: str, *, count: int) -> list[Change]:
    keys = sorted(plain_hash(f"session-{number}") for number in range(count))
    return [Change(key, {**VALUES, "tier": tier}) for key in keys]


def rows_of(tier: str, *, count: int) -> list[Any]:
    batches = plan_all(changes=changes(tier, count=count))
    return [each.row for batch in batches for each in batch if each.row]


@pytest.mark.django_db
def test_writes_batch_by_batch_and_says_how_far_it_is() -> None:
    done = list(write(rows=rows_of("Gold", count=1_200)))

    assert done == [500, 1_000, 1_200]
    assert CrmRecord.objects.filter(tier="Gold", version=1).count() == 1_200
    assert rows_of("Gold", count=1_200) == []


@pytest.mark.django_db
def test_a_record_changed_after_it_was_compared_leaves_nothing_written() -> None:
    crm_record("session-7", tier="Silver")
    rows = rows_of("Gold", count=1_200)
    CrmRecord.objects.get().save()

    with pytest.raises(Overtaken), transaction.atomic():
        list(write(rows=rows))

    assert [stored.tier for stored in CrmRecord.objects.all()] == ["Silver"]


@pytest.mark.django_db
def test_a_record_made_after_it_was_compared_leaves_nothing_written() -> None:
    rows = rows_of("Gold", count=2)
    crm_record("session-1", tier="Silver")

    with pytest.raises(Overtaken), transaction.atomic():
        list(write(rows=rows))

    assert [stored.tier for stored in CrmRecord.objects.all()] == ["Silver"]

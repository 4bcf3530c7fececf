"""What the database itself never stores, by whatever way it is written."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from crm.models import AttributeMapping, CrmRecord
from tests.crm.factories import crm_record, mapping, plain_hash

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("wrong", ["", "abc", "A" * 64, "0" * 63, "g" * 64, "0" * 63 + " "])
def test_the_database_refuses_a_session_hash_of_another_shape(wrong):
    with pytest.raises(IntegrityError):
        crm_record(session_hash=wrong)


@pytest.mark.parametrize("wrong", ["", "jane", "@example.com", "jane@", "j@ne@x.de", "j e@x.de"])
def test_the_database_refuses_what_cannot_be_an_address(wrong):
    with pytest.raises(IntegrityError):
        crm_record(email=wrong)


def test_the_database_refuses_a_second_record_of_a_session():
    crm_record()

    with pytest.raises(IntegrityError):
        crm_record()


@pytest.mark.parametrize(
    "wrong", [{"previous_tickets": -1}, {"attributes": []}, {"attributes": "text"}]
)
def test_the_database_refuses_other_values_of_the_wrong_kind(wrong):
    with pytest.raises(IntegrityError):
        crm_record(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": ""},
        {"target": "1st"},
        {"target": "with space"},
        {"target": "naïve"},
        {"target": "crmTier"},
        {"source": ""},
        {"source": "phone"},
        {"source_kind": "guess"},
        {"value_type": "date"},
        {"order": -1},
    ],
)
def test_the_database_refuses_a_mapping_that_means_nothing(wrong):
    with pytest.raises(IntegrityError):
        mapping(**wrong).save()


@pytest.mark.parametrize("target", ["a", "_", "crm.tier-2", "x" * 64])
def test_the_database_takes_every_name_the_platform_may_use(target):
    mapping(target=target).save()

    assert AttributeMapping.objects.filter(target=target).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_name": "Ja\x00ne"},
        {"tier": "Go\nld"},
        {"email": "not an address"},
        {"email": "jane@nowhere"},
        {"attributes": {"a": None}},
        {"attributes": {"a": [1]}},
        {"attributes": {"a": {"b": 1}}},
        {"attributes": {"a": "\x07"}},
        {"attributes": {"a": "x" * 1001}},
        {"attributes": {"a": float("nan")}},
        {"attributes": {"a": float("inf")}},
        {"attributes": {"a": 10**400}},
        {"attributes": {" a": 1}},
        {"attributes": {"": 1}},
    ],
)
def test_validation_refuses_what_cannot_be_stored_or_sent(wrong):
    fields = {"session_hash": plain_hash(), "email": "jane@example.com", **wrong}

    with pytest.raises(ValidationError) as refused:
        CrmRecord(**fields).full_clean()

    assert list(refused.value.message_dict) == list(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"source_kind": "constant", "source": "many", "value_type": "integer"},
        {"default": "many", "value_type": "integer"},
    ],
)
def test_validation_refuses_a_fixed_value_of_another_type(wrong):
    with pytest.raises(ValidationError, match="not of type integer"):
        mapping(**wrong).full_clean()


@pytest.mark.parametrize("value", ["text", 7, 0.1, 1e15, 1e-300, 2**53 - 1, True, False])
def test_a_further_attribute_comes_back_as_the_type_it_was(value):
    record = crm_record(attributes={"name": value})

    record.refresh_from_db()

    assert record.attributes["name"] == value
    assert type(record.attributes["name"]) is type(value)


def test_every_save_gives_a_record_a_new_version():
    record = crm_record()

    record.save()
    record.save(update_fields=["tier"])

    assert record.version == 3
    assert CrmRecord.objects.get().version == 3

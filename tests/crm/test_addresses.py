"""One address has one form, the same on both databases; two people's addresses have two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import lookup
from crm.addresses import address_key
from crm.models import MAX_ADDRESS_KEY, CrmRecord
from tests.crm.factories import crm_record

ONE_PERSON = [
    ("info@MÜLLER.de", "info@müller.de"),
    ("info@müller.de", "info@xn--mller-kva.de"),
    ("info@mu\u0308ller.de", "info@müller.de"),
    ("Zoe\u0308@example.com", "ZOË@example.com"),
    ("jane@ＥＸＡＭＰＬＥ.com", "jane@example.com"),
    ("jane@例え。テスト", "jane@例え.テスト"),
    ("Jane.Doe@Example.COM", "jane.doe@example.com"),
    ("jane@FAẞ.de", "jane@faß.de"),
    ("jane@A_B.example", "jane@a_b.example"),
    ("jane@[127.0.0.1]", "JANE@[127.0.0.1]"),
    (" jane@example.com ", "jane@example.com"),
]
TWO_PEOPLE = [
    ("straße@example.com", "strasse@example.com"),
    ("jane@straße.de", "jane@strasse.de"),
    ("kayı@example.com", "kayi@example.com"),
    ("İpek@example.com", "ipek@example.com"),
    ("jane@ırmak.example", "jane@irmak.example"),
    ("ﬁona@example.com", "fiona@example.com"),
    ("jane+1@example.com", "jane@example.com"),
]


@pytest.mark.parametrize(("one", "other"), ONE_PERSON)
def test_spellings_of_one_address_share_a_key(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


@pytest.mark.parametrize(("one", "other"), TWO_PEOPLE)
def test_addresses_of_two_people_do_not(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=254))
def test_every_text_has_a_key_that_fits_and_stays_what_it_is(address: str) -> None:
    key = address_key(address)

    assert address_key(key) == key
    assert len(key) <= MAX_ADDRESS_KEY


def found(address: str) -> list[str]:
    return [record.email for record in lookup.records_of(address=address)]


@pytest.mark.django_db
@pytest.mark.parametrize(("stored", "asked"), ONE_PERSON[:-1])
def test_finds_a_record_by_another_spelling_and_keeps_the_stored_one(
    stored: str, asked: str
) -> None:
    crm_record(email=stored)

    assert found(asked) == [stored]


@pytest.mark.django_db
@pytest.mark.parametrize(("stored", "asked"), TWO_PEOPLE)
def test_finds_nobody_else(stored: str, asked: str) -> None:
    crm_record(email=stored)

    assert found(asked) == []


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["a\x00b@example.com", "a\ud800@example.com", "@", "x" * 5000])
def test_finds_nothing_by_what_cannot_be_stored(asked: str) -> None:
    crm_record()

    assert found(asked) == []


def as_the_release_before(**fields: object) -> None:
    """Change the record as a writer does who knows no key: fields and version, nothing else."""
    record = CrmRecord.objects.get()
    CrmRecord.objects.filter(pk=record.pk).update(version=record.version + 1, **fields)


@pytest.mark.django_db
def test_finds_what_the_release_before_has_changed_since() -> None:
    crm_record(email="old@example.com")

    as_the_release_before(email="info@MÜLLER.de")

    assert found("info@müller.de") == ["info@MÜLLER.de"]
    assert found("old@example.com") == []


@pytest.mark.django_db
def test_finds_what_the_release_before_has_made() -> None:
    record = crm_record(email="info@MÜLLER.de")
    unknown = {"record_id": None, "address_key": None, "address_version": None}
    CrmRecord.objects.update(**unknown)

    assert found("info@müller.de") == ["info@MÜLLER.de"]
    kept = CrmRecord.objects.get()
    assert kept.record_id
    assert (kept.version, kept.updated_at) == (record.version, record.updated_at)


@pytest.mark.django_db
def test_a_change_of_other_fields_leaves_a_key_as_old_as_it_is() -> None:
    crm_record(email="old@example.com")
    loaded = CrmRecord.objects.get()
    as_the_release_before(email="new@example.com")

    loaded.tier = "Silver"
    loaded.save(update_fields=["tier"])

    assert found("new@example.com") == ["new@example.com"]


@pytest.mark.django_db
def test_fills_every_row_once_and_then_none() -> None:
    for number in range(lookup.BATCH + 1):
        crm_record(f"session-{number}", email=f"v{number}@MÜLLER.de")
    CrmRecord.objects.update(record_id=None, address_key=None, address_version=None)

    assert [lookup.fill(), lookup.fill()] == [lookup.BATCH + 1, 0]
    assert CrmRecord.objects.values("record_id").distinct().count() == lookup.BATCH + 1
    assert found("v0@müller.de") == ["v0@MÜLLER.de"]

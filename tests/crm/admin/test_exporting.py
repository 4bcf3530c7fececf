"""Export is the inverse of import: an untouched file changes nothing, a changed cell its record."""

import csv
import io
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from audit.models import AuditEvent
from crm.imports.columns import attribute_of, column_of
from crm.imports.csvfile import CrmFile
from crm.imports.importing import ImportRefused, ImportResult, import_records
from crm.models import CrmRecord
from crm.validators import MAX_NUMBER
from tests.support.factories import crm_record, signed_in

PEPPER = "a pepper of thirty-two characters or more"
EXPORT = "/admin/crm/crmrecord/export/"
BEFORE: dict[str, Any] = {
    "number": 1,
    "text of a number": "1",
    "half": 0.5,
    "tiny": -1e-07,
    "yes": True,
    "text of true": "true",
    "formula": "=1+1",
    "apostrophe": "'=1+1",
    "plain apostrophe": "'tis",
    "two parts": "Gold;=1+1",
    "minus": "-5",
    "turned": "abc\u202egnp",
    "written out": "[U+202E]",
    "quotes": 'a "b", c',
    "blank": " ",
    "zip": "01067",
    "email": "an attribute of that name",
    "record_id": "another",
    "attributes.email": "and this one",
    "=name": "of a formula",
}


@pytest.fixture(params=["", PEPPER], ids=["plain", "pepper"])
def browser(request: Any, settings: Any, db: None) -> Client:
    settings.SESSION_HASH_PEPPER = request.param
    return signed_in("CRM administrator")


def exported(browser: Client) -> str:
    return b"".join(browser.get(EXPORT).streaming_content).decode()  # type: ignore[attr-defined]


def imported(text: str) -> ImportResult:
    *_, result = import_records(file=CrmFile(content=io.BytesIO(text.encode())), actor="system")
    assert isinstance(result, ImportResult)
    return result


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_an_untouched_file_changes_nothing(browser: Client) -> None:
    crm_record("a", first_name="=Jane", tier="'@x", attributes=BEFORE)
    crm_record("b", attributes={})
    before = list(CrmRecord.objects.values())

    result = imported(exported(browser))

    assert result == ImportResult(created=0, updated=0, unchanged=2)
    assert list(CrmRecord.objects.values()) == before


def test_a_changed_cell_changes_that_record_and_keeps_its_type(browser: Client) -> None:
    record = crm_record("a", attributes={"score": 7, "vip": True, "zip": "01067"})
    crm_record("b")
    text = exported(browser).replace("Enterprise,12,7,true", "Gold,12,8,FALSE")

    result = imported(text)

    changed = CrmRecord.objects.get(pk=record.pk)
    assert result == ImportResult(created=0, updated=1, unchanged=1)
    assert (changed.tier, changed.session_hash) == ("Gold", record.session_hash)
    assert changed.attributes == {"score": 8, "vip": False, "zip": "01067"}
    assert changed.attributes["vip"] is False


def test_a_changed_cell_keeps_the_apostrophes_of_the_others(browser: Client) -> None:
    crm_record("a", attributes={"one": "=1", "two": "=2"})

    imported(exported(browser).replace("'=2", "'=3"))

    assert CrmRecord.objects.get().attributes == {"one": "=1", "two": "=3"}


def test_names_records_by_an_id_where_a_pepper_hides_the_hash(browser: Client) -> None:
    record = crm_record("a")

    (row,) = table(exported(browser))

    text = (
        exported(browser)
        + browser.get(f"/admin/crm/crmrecord/{record.pk}/change/").content.decode()
    )
    peppered = "record_id" in row
    assert (row.get("record_id"), row.get("session_hash")) == (
        (str(record.record_id), None) if peppered else (None, record.session_hash)
    )
    assert (record.session_hash not in text) is peppered


def test_a_record_id_that_nobody_has_is_told_by_its_row(browser: Client) -> None:
    known = crm_record("a").record_id
    header = "record_id,email,first_name,tier,previous_tickets\n"
    rows = [f"{each},a@example.com,A,Gold,1\n" for each in (known, uuid4(), uuid4())]

    with pytest.raises(ImportRefused) as refused:
        imported(header + "".join(rows))

    assert [str(fault) for fault in refused.value.faults] == [
        f"row {row}, record_id: There is no record with this id." for row in (3, 4)
    ]
    assert CrmRecord.objects.get().tier == "Enterprise"


def test_makes_no_record_anew_that_was_erased_after_it_was_compared(browser: Client) -> None:
    record = crm_record("a")
    text = f"record_id,email,first_name,tier,previous_tickets\n{record.record_id},a@b.de,A,Gold,1\n"
    steps = import_records(file=CrmFile(content=io.BytesIO(text.encode())), actor="system")
    next(step for step in steps if getattr(step, "phase", "") == "writing")

    CrmRecord.objects.all().delete()

    with pytest.raises(ImportRefused):
        list(steps)
    assert not CrmRecord.objects.exists()


@pytest.mark.parametrize("cell", ["", "abc", "0" * 31])
def test_a_record_id_has_its_shape(browser: Client, cell: str) -> None:
    with pytest.raises(ImportRefused, match=r"row 2, record_id: This is not a record id\."):
        imported(f"record_id,email,first_name,tier,previous_tickets\n{cell},a@b.de,A,Gold,1\n")


def test_a_file_of_session_ids_is_taken_as_it_is(browser: Client) -> None:
    imported("session_id,email,first_name,tier,previous_tickets,x\na,a@b.de,'=1,Gold,1,[U+202E]\n")

    record = CrmRecord.objects.get()
    assert (record.first_name, record.attributes) == ("'=1", {"x": "[U+202E]"})


def test_says_so_where_there_are_more_attributes_than_columns(browser: Client) -> None:
    crm_record("a", attributes={f"name {number}": 1 for number in range(96)})

    page = browser.get(EXPORT, follow=True)

    assert "export what a search found" in page.content.decode()
    assert not AuditEvent.objects.filter(kind="crm.exported").exists()


def test_keeps_true_apart_from_1(browser: Client) -> None:
    record = crm_record("a", attributes={"vip": 1})

    imported(exported(browser).replace(",12,1", ",12,true"))

    record.refresh_from_db()
    assert record.attributes == {"vip": "true"}


NAMES = st.sampled_from([*BEFORE, "tier", "session_id", "'=x", "attributes.attributes.tier"])


@given(st.text(max_size=30) | NAMES)
def test_every_attribute_has_its_own_column(name: str) -> None:
    assert attribute_of(column=column_of(attribute=name)) == name


TEXT = st.text("=+-@'\";,| [U+2E]0.5ae\u202e\uff1d", max_size=12) | st.text(
    st.characters(exclude_categories=["Cc", "Cs"]), max_size=30
)
NUMBERS = st.integers(-MAX_NUMBER, MAX_NUMBER) | st.floats(
    -float(MAX_NUMBER), float(MAX_NUMBER), allow_nan=False
).map(lambda number: float(f"{number:.15g}"))
SCALARS = TEXT.filter(bool) | NUMBERS | st.booleans()


@pytest.mark.thorough
class AnyRecord(TestCase):
    @hypothesis_settings(max_examples=60)
    @given(TEXT, TEXT, st.dictionaries(NAMES, SCALARS, max_size=5), st.sampled_from(["", PEPPER]))
    def test_any_record_is_left_as_it_is(
        self, name: str, tier: str, attributes: dict[str, Any], pepper: str
    ) -> None:
        with self.settings(SESSION_HASH_PEPPER=pepper):
            CrmRecord.objects.all().delete()
            crm_record("a", first_name=name, tier=tier, attributes=attributes)
            crm_record("b", attributes={"other": 1})
            before = list(CrmRecord.objects.values())

            result = imported(exported(self.administrator()))

        assert result == ImportResult(created=0, updated=0, unchanged=2)
        assert list(CrmRecord.objects.values()) == before

    def administrator(self) -> Client:
        from django.contrib.auth import get_user_model

        user, _ = get_user_model().objects.get_or_create(
            username="root", is_superuser=True, is_staff=True
        )
        browser = Client()
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return browser

"""`import_crm` creates and updates records from a CSV file, all or nothing."""

import hashlib
import io
import sys
import tempfile
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from audit.models import AuditEvent
from crm.imports.csvfile import CrmFile
from crm.imports.importing import import_records
from crm.models import CrmRecord
from crm.profiles import find_profile
from crm.sessions import hash_session
from crm.upsert import Overtaken
from tests.crm.factories import HEADER, crm_record, csv_file, csv_text, plain_hash

pytestmark = pytest.mark.django_db


def run_import(folder, content):
    out = io.StringIO()
    call_command("import_crm", csv_file(folder, content), stdout=out)
    return out.getvalue()


def opened(text):
    return CrmFile(content=io.BytesIO(text.encode()))


def import_while(act):
    """Import a changed tier, and `act` each time it is about to be written."""
    for step in import_records(file=opened(csv_text({"tier": "Silver"})), actor="system"):
        if getattr(step, "phase", "") == "writing" and not step.done:
            act()


def found(session_id):
    return find_profile(session_hash=hash_session(session_id=session_id))


def test_creates_a_record_that_its_session_finds(tmp_path):
    row = {"email": "Jane@Example.com", "first_name": "Jane", "tier": "Gold"}

    summary = run_import(tmp_path, csv_text({**row, "previous_tickets": "12"}))

    profile = found("session-1")
    assert summary == "1 created, 0 updated, 0 unchanged.\n"
    assert (profile.email, profile.first_name, profile.tier) == tuple(row.values())
    assert profile.previous_tickets == 12


@pytest.mark.parametrize("written", [str.lower, str.upper])
def test_takes_the_hash_that_outside_systems_deliver(tmp_path, settings, written):
    settings.SESSION_HASH_PEPPER = "a pepper of thirty-two characters or more"
    header = ("session_hash", *HEADER[1:])
    row = {"session_hash": written(plain_hash("session-1"))}

    run_import(tmp_path, csv_text(row, header=header))

    assert found("session-1").known


def test_any_other_column_becomes_a_further_attribute(tmp_path):
    header = (*HEADER, "segment", "zip")

    run_import(tmp_path, csv_text({"segment": "retail", "zip": "01067"}, header=header))

    assert found("session-1").further == {"segment": "retail", "zip": "01067"}


def test_updates_what_changed_and_leaves_the_rest(tmp_path):
    run_import(tmp_path, csv_text({"tier": "Gold"}, {"tier": "Silver"}))

    summary = run_import(tmp_path, csv_text({"tier": "Gold"}, {"tier": "Gold"}, {}))

    versions = dict(CrmRecord.objects.values_list("session_hash", "version"))
    assert summary == "1 created, 1 updated, 1 unchanged.\n"
    assert versions[plain_hash("session-1")] == 1
    assert versions[plain_hash("session-2")] == 2


def test_an_empty_cell_removes_an_attribute_and_an_absent_column_keeps_it(tmp_path):
    crm_record(attributes={"segment": "retail", "score": 7})

    run_import(tmp_path, csv_text({"segment": ""}, header=(*HEADER, "segment")))

    assert found("session-1").further == {"score": 7}


def test_keeps_records_that_the_file_does_not_name(tmp_path):
    crm_record("another session")

    run_import(tmp_path, csv_text({}))

    assert found("another session").known


def test_the_same_file_twice_changes_nothing(tmp_path):
    text = csv_text({"tier": "Gold"}, {"tier": "Silver"})
    run_import(tmp_path, text)
    before = list(CrmRecord.objects.values())

    summary = run_import(tmp_path, text)

    assert summary == "0 created, 0 updated, 2 unchanged.\n"
    assert list(CrmRecord.objects.values()) == before


@pytest.mark.parametrize(
    "as_written",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\r\n", "\n"),
        lambda text: text.replace("\r\n", "\r\n\r\n"),
        lambda text: text.removesuffix("\r\n"),
        lambda text: text + ',,,,\r\n , ,\r\n"",\r\n',
        lambda text: "\r\n,,\r\n" + text,
    ],
    ids=[
        "byte-order mark",
        "unix lines",
        "blank lines",
        "no last line end",
        "comma-only rows",
        "blank rows before the header",
    ],
)
def test_reads_what_spreadsheets_write(tmp_path, as_written):
    run_import(tmp_path, as_written(csv_text({"first_name": "Zoë, née Müller"})))

    assert found("session-1").first_name == "Zoë, née Müller"


def test_reads_standard_input(monkeypatch):
    content = csv_text({}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="latin-1"))

    call_command("import_crm", "-", stdout=io.StringIO())

    assert found("session-1").known


def test_draws_no_progress_bar_where_there_is_no_terminal(tmp_path, capsys):
    run_import(tmp_path, csv_text({}))

    assert capsys.readouterr().err == ""


def test_records_counts_columns_and_digest_but_no_value(tmp_path):
    text = csv_text({"email": "jane@example.com"}, header=(*HEADER, "segment"))

    run_import(tmp_path, text)

    event = AuditEvent.objects.get(kind="crm.imported")
    assert '"created":1,"sha256":' in event.body
    assert hashlib.sha256(text.encode()).hexdigest() in event.body
    assert '"columns":["email","first_name","tier","previous_tickets","segment"]' in event.body
    assert not any(
        word in event.body for word in ("jane", "session-1", plain_hash(), "records.csv")
    )


def test_a_record_edited_meanwhile_is_compared_again():
    crm_record(attributes={"score": 7})
    edits = iter([{"score": 8}])

    def edit_once():
        if attributes := next(edits, None):
            record = CrmRecord.objects.get()
            record.attributes = attributes
            record.save()

    import_while(edit_once)

    record = CrmRecord.objects.get()
    assert (record.tier, record.attributes, record.version) == ("Silver", {"score": 8}, 3)


def test_gives_up_when_the_records_never_stand_still():
    crm_record(tier="Gold")

    with pytest.raises(Overtaken):
        import_while(lambda: CrmRecord.objects.get().save())

    assert CrmRecord.objects.get().tier == "Gold"


@pytest.mark.parametrize("phase", ["checking", "comparing", "writing"])
def test_stores_nothing_when_it_is_left_before_its_end(phase):
    crm_record(tier="Gold")
    rows = [{"session_id": f"session-{number}"} for number in range(1_200)]

    steps = import_records(file=opened(csv_text(*rows)), actor="system")
    assert any(step.phase == phase and step.done for step in steps)
    steps.close()

    assert CrmRecord.objects.count() == 1
    assert not AuditEvent.objects.filter(kind="crm.imported").exists()


CELLS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=100)


def test_goes_step_by_step_through_blank_rows():
    text = "\n" * 50_000 + csv_text({}) + ",,,,\n" * 50_000

    steps = list(import_records(file=opened(text), actor="system"))

    checking = [step for step in steps if getattr(step, "phase", "") == "checking"]
    assert len(checking) == 1_000
    assert steps[-1].created == 1


@pytest.mark.thorough
class AnyText(TestCase):
    @hypothesis_settings(max_examples=50)
    @given(session_id=CELLS.filter(bool), first_name=CELLS, city=CELLS)
    def test_any_printable_text_comes_back_as_it_went_in(self, session_id, first_name, city):
        row = {"session_id": session_id, "first_name": first_name, "city": city}
        content = csv_text(row, header=(*HEADER, "city"))

        with tempfile.TemporaryDirectory() as folder:
            run_import(Path(folder), content)

        record = CrmRecord.objects.get(session_hash=hash_session(session_id=session_id))
        assert record.first_name == first_name
        assert record.attributes == ({"city": city} if city else {})

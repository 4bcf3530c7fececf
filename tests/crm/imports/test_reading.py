"""Whatever a spreadsheet calls CSV is read, and how is said; what is none is named."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crm.imports.csvfile import MAX_ROW, CrmFile
from crm.imports.faults import Unreadable
from crm.models import CrmRecord
from tests.crm.factories import HEADER, csv_text, plain_hash
from tests.crm.imports.command import refusal, run_import

pytestmark = pytest.mark.django_db

ZOE = {"first_name": "Zoë; née “Müller”, | €", "tier": "Gold"}


def parted(delimiter, *rows):
    """Return the same file, its cells parted by `delimiter`."""
    table = csv.reader(io.StringIO(csv_text(*rows), newline=""))
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(table)
    return out.getvalue()


@pytest.mark.parametrize(
    ("codec", "mark", "said"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", b"\xef\xbb\xbf", "UTF-8"),
        ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("utf-16-be", b"", "UTF-16"),
        ("utf-32-le", b"\xff\xfe\0\0", "UTF-32"),
        ("utf-32-be", b"\0\0\xfe\xff", "UTF-32"),
        ("cp1252", b"", "Windows-1252"),
    ],
)
@pytest.mark.parametrize(
    ("delimiter", "name"),
    [(",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")],
)
def test_finds_out_encoding_and_delimiter_and_says_them(
    tmp_path, codec, mark, said, delimiter, name
):
    content = mark + parted(delimiter, ZOE, {}).encode(codec)

    out, _ = run_import(tmp_path, content)

    plain = (said, delimiter) == ("UTF-8", ",")
    assert (f"Read as {said}, parted by {name}." in out) is not plain
    assert out.endswith("2 created, 0 updated, 0 unchanged.\n")
    record = CrmRecord.objects.get(session_hash=plain_hash())
    assert (record.first_name, record.tier) == tuple(ZOE.values())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "classic mac"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "cp1252"])
def test_reads_every_end_of_line(tmp_path, codec, end):
    run_import(tmp_path, csv_text(ZOE, {}, {}).replace("\r\n", end).encode(codec))

    assert CrmRecord.objects.count() == 3


def test_warns_where_it_had_to_guess_the_letters(tmp_path):
    _, warned = run_import(tmp_path, csv_text(ZOE).encode("cp1252"))

    assert "Warning: The file is not UTF-8: its letters are read as Windows-1252" in warned
    assert run_import(tmp_path, csv_text(ZOE))[1] == ""


def test_knows_utf16_without_a_mark_by_its_header_alone(tmp_path):
    rows = [{"first_name": "名前" * 25, "tier": "金" * 60} for _ in range(900)]

    out, _ = run_import(tmp_path, csv_text(*rows).encode("utf-16-le"))

    assert "Read as UTF-16, parted by commas." in out
    assert CrmRecord.objects.filter(first_name="名前" * 25).count() == 900


def test_decides_by_the_first_letter_however_late_it_comes(tmp_path):
    rows = [{} for _ in range(3_000)]

    run_import(tmp_path, csv_text(*rows, ZOE).encode("cp1252"))

    assert CrmRecord.objects.filter(first_name=ZOE["first_name"]).count() == 1


def test_finds_a_byte_that_is_not_utf8_in_its_cell(tmp_path):
    content = csv_text(ZOE, {"first_name": "cut"}).encode().replace(b"cut", b"Zo\xc3")

    assert "row 3, first_name: This is not valid UTF-8 text." in refusal(tmp_path, content)


def test_refuses_utf8_after_windows_1252(tmp_path):
    content = csv_text({"first_name": "Jörg"}).encode("cp1252") + "x,a@b.de,Zoë,,1\r\n".encode()

    message = refusal(tmp_path, content)

    assert "row 3: Before, the file is Windows-1252; from here on it has UTF-8" in message


def test_says_so_where_utf16_is_cut_off(tmp_path):
    content = csv_text(ZOE, {}).encode("utf-16")[:-1]

    assert "it may be cut off. Save the file anew as “CSV UTF-8”." in refusal(tmp_path, content)


@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={}", "sep={0}{0}{0}"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_believes_the_line_that_names_the_delimiter_and_counts_it_not(tmp_path, line, delimiter):
    text = line.format(delimiter) + "\r\n" + parted(delimiter, ZOE)

    run_import(tmp_path, text)

    assert CrmRecord.objects.get().first_name == ZOE["first_name"]
    CrmRecord.objects.all().delete()
    assert "row 3: It has 1 cells" in refusal(tmp_path, text + "short\r\n")


def test_believes_the_header_more_than_that_line(tmp_path):
    run_import(tmp_path, "sep=;\r\n" + csv_text(ZOE))

    assert CrmRecord.objects.count() == 1


@pytest.mark.parametrize("blank", ["\r\n", ";;;;\r\n", " ; ;\r\n", '"";;;;\r\n'])
def test_skips_blank_rows_before_the_header_whatever_parts_them(tmp_path, blank):
    text = blank * 30 + parted(";", ZOE)

    assert "row 33: It has 1 cells" in refusal(tmp_path, text + "short\r\n")
    run_import(tmp_path, text)
    assert CrmRecord.objects.count() == 1


@pytest.mark.parametrize(
    "header",
    [
        "Session ID,E-Mail,First name,Tier,Previous tickets",
        "sessionId,Email,firstName,TIER,previousTickets",
        '"Session\nID", E‑mail ,FIRST_NAME,tier ,previous-tickets',
        "[session id],email:,First  Name,*Tier,Previous tickets?",
        "session_id,email,first_name,tier,previous_tickets,,\t,",
    ],
)
def test_matches_labels_loosely(tmp_path, header):
    rows = csv_text(ZOE).split("\r\n", 1)[1]

    run_import(tmp_path, f"{header}\r\n{rows}")

    assert CrmRecord.objects.get().attributes == {}


def test_says_what_a_label_is_read_as(tmp_path):
    text = csv_text({}).replace("session_id", "Session ID").replace("email", "E-Mail")

    out, _ = run_import(tmp_path, text)

    assert "Column 'Session ID' is read as session_id." in out
    assert "Column 'E-Mail' is read as email." in out
    assert "tier" not in out


def test_leaves_the_record_id_of_another_crm_an_attribute(tmp_path):
    header = (*HEADER, "Record ID")

    run_import(tmp_path, csv_text({"Record ID": "7"}, header=header))

    assert CrmRecord.objects.get().attributes == {"Record ID": "7"}


def test_trims_the_label_of_a_further_attribute(tmp_path):
    header = (*HEADER, " zip  code ")

    run_import(tmp_path, csv_text({" zip  code ": "01067"}, header=header))

    assert CrmRecord.objects.get().attributes == {"zip  code": "01067"}


def test_takes_a_column_without_a_name_only_where_it_is_empty(tmp_path):
    header = "session_id,email,,first_name,tier,previous_tickets\n"

    message = refusal(tmp_path, f"{header}a,a@b.de, ,A,,1\nb,b@b.de,x,B,,1\n")

    assert "row 3, column 3: The header has no name for this value." in message
    run_import(tmp_path, f"{header}a,a@b.de, ,A,,1\n")
    assert CrmRecord.objects.count() == 1


def test_takes_blank_cells_beyond_the_header(tmp_path):
    run_import(tmp_path, csv_text({}).replace("\r\n", ",,\r\n"))

    assert CrmRecord.objects.count() == 1


def test_a_header_alone_changes_nothing(tmp_path):
    out, _ = run_import(tmp_path, csv_text())

    assert out == "0 created, 0 updated, 0 unchanged.\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "cp1252"])
def test_keeps_no_line_in_memory_that_is_longer_than_any_row(tmp_path, codec):
    content = (csv_text({}) + "é" * (MAX_ROW * 3)).encode(codec)

    assert "row 3: It is longer than 1,048,576 characters." in refusal(tmp_path, content)


@hypothesis_settings(max_examples=200, suppress_health_check=list(HealthCheck))
@example(b"\xff\xfe\n")
@example(b"sep=;")
@given(
    st.binary(max_size=300)
    | st.binary(max_size=300).map(lambda some: csv_text({}).encode() + some)
    | st.binary(max_size=300).map(lambda some: csv_text({}).encode("utf-16") + some)
)
def test_any_bytes_are_read_or_refused(content):
    file = CrmFile(content=io.BytesIO(content))

    with suppress(Unreadable):
        assert list(file.rows())
        assert file.columns

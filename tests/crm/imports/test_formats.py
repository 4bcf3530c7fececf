"""What is no CSV is named in one sentence; what hardly is a session id warns."""

import gzip
import io
import zipfile

import pytest

from tests.crm.factories import csv_text
from tests.crm.imports.command import refusal, run_import

pytestmark = pytest.mark.django_db


def archive(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "content")
    return out.getvalue()


ODS = b".opendocument.spreadsheet"
WORKBOOK = "This is a workbook of a spreadsheet program, not a CSV file. Save it"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (archive("[Content_Types].xml", "xl/workbook.xml"), WORKBOOK),
        (archive("xl/workbook.xml"), WORKBOOK),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis" + ODS, WORKBOOK),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), WORKBOOK),
        (archive("records.csv"), "This is a compressed archive: unpack it"),
        (archive(), "This is a compressed archive: unpack it"),
        (gzip.compress(csv_text({}).encode(), mtime=0), "This is a compressed archive: unpack it"),
        (b"<!DOCTYPE html><table><tr><td>session_id</td></tr></table>", "This is a web page"),
        ("\ufeff\n <html>".encode(), "This is a web page or XML"),
        ("<html>".encode("utf-16"), "This is a web page or XML"),
        (b'<?xml version="1.0"?><Workbook/>', "This is a web page or XML"),
        (b'[{"session_id": "a"}]', "This is not a CSV file"),
        (b'{"records": []}', "This is not a CSV file"),
        (b"%PDF-1.7\n", "This is not a CSV file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "This is not a CSV file"),
        (bytes(range(256)) * 40, "This is not a CSV file"),
        (b"\0" * 2_000, "This is not a CSV file"),
        (b"", "The file is empty"),
        (b"\r\n;;;\r\n", "The file is empty"),
        (b"sep=;\r\n", "The file is empty"),
        (b'""\r\n', "The file is empty"),
        (b"\xef\xbb\xbf", "The file is empty"),
        ("\ufeff".encode("utf-16-le"), "The file is empty"),
    ],
    # Not by the content: an archive has the time in it.
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_names_what_is_no_csv_in_one_sentence(tmp_path, content, sentence):
    first, *others = refusal(tmp_path, content).splitlines()[1:]

    assert first.startswith(sentence)
    assert others == []


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        (["1.23E+18", "1,23E+18", "1E+19", "-4.5E-07"], "Rows 2, 3, 4 and 5: the session id looks"),
        (["123456789012345000"], "Row 2: the session id looks like a number whose last digits"),
        (["abc ", " abc"], "Rows 2 and 3: the session id begins or ends with a blank."),
        ([f"{n}.5E+20" for n in range(1_012)], "10, 11 and 1,002 more: the session id looks"),
    ],
)
def test_warns_of_session_ids_that_a_spreadsheet_spoiled(tmp_path, ids, sentence):
    rows = [{"session_id": each} for each in ids]

    out, warned = run_import(tmp_path, csv_text(*rows))

    assert sentence in warned
    assert ids[0].strip() not in out
    assert f"{len(ids):,} created" in out


@pytest.mark.parametrize("good", ["1e18", "123456789012345678", "E+18", "a b", "0123456789", "1.5"])
def test_warns_of_no_other_session_id(tmp_path, good):
    assert run_import(tmp_path, csv_text({"session_id": good}))[1] == ""

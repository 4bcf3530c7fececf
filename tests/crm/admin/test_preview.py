"""Before anything is stored: how a file is read, what it would change, what is wrong with it."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.models import CrmRecord, ImportUpload
from tests.support.factories import crm_record, signed_in

pytestmark = pytest.mark.django_db

PAGE = "/admin/crm/crmrecord/import/"
HEADER = "session_id,email,first_name,tier,previous_tickets"
ROW = "session-of-joe,joe.miller@example.com,Joe,Gold,3"


@pytest.fixture
def administrator():
    return signed_in("CRM administrator")


def checked(browser, content):
    """Upload a file; return the page below its title."""
    content = content.encode() if isinstance(content, str) else content
    page = browser.post(PAGE, {"file": SimpleUploadedFile("records.csv", content)})
    text = page.getvalue().decode()
    return text[text.index("<h1") :]


def plain(page):
    """Return what a reader sees of `page`."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def posted(browser, page):
    """Press the button of the first form that carries a ticket."""
    name, ticket = re.search(r'name="(ticket|errors)" value="([^"]+)"', page).groups()
    return browser.post(PAGE, {name: ticket}, follow=True)


def downloaded(browser, page):
    text = b"".join(posted(browser, page).streaming_content).decode()
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize(
    ("delimiter", "codec", "said"),
    [
        (";", "utf-8-sig", "UTF-8, parted by semicolons"),
        ("\t", "utf-16", "UTF-16, parted by tabs"),
        (",", "cp1252", "Windows-1252, parted by commas"),
    ],
)
def test_says_how_it_reads_a_file_and_imports_it_so(administrator, delimiter, codec, said):
    text = f"{HEADER}\r\n{ROW}\r\n".replace("Joe,", "Zoë,").replace(",", delimiter)

    page = checked(administrator, text.encode(codec))

    assert f"Read as {said}." in plain(page)
    posted(administrator, page).getvalue()
    assert CrmRecord.objects.get().first_name == "Zoë"


def test_shows_for_confirmation_what_each_label_is_read_as(administrator):
    header = "Session ID,E-Mail,First name,Tier,Previous tickets,Zip code,attributes.Tier,,"

    page = plain(checked(administrator, f"{header}\n{ROW},01067,Silver,,\n"))

    assert "Session ID session_id" in page
    assert "E-Mail email" in page
    assert "Zip code further attribute Zip code" in page
    assert "attributes.Tier further attribute Tier" in page


def test_shows_what_changes_masked(administrator):
    crm_record("session-of-joe", email="old@example.org", first_name="Joe", tier="Silver",
               previous_tickets=3, attributes={"segment": "retail", "city": "Wien"})  # fmt: skip
    new = "session-of-ann,ann@example.com,Ann,Gold,1,private,"

    page = plain(checked(administrator, f"{HEADER},segment,city\n{ROW},,Graz\n{new}\n"))

    assert "email o…@example.org → j…@example.com" in page
    assert "tier Silver → Gold" in page
    assert "segment … → –" in page
    assert "city … → …" in page
    assert "first_name A…" in page
    assert not re.search("old@|joe.miller|Ann|Graz|private|retail|session-of", page)


def test_shows_the_first_rows_of_the_file(administrator):
    rows = "".join(f"session-{n},v{n}@example.com,Jo,Gold,{n}\n" for n in range(700))

    page = checked(administrator, f"{HEADER}\n{rows}")

    assert "The first 10 records that it makes or changes" in plain(page)
    shown = re.findall(r'<th scope="rowgroup"[^>]*>(\d+) <', page)
    assert shown == [str(number) for number in range(2, 12)]


def test_warns_of_shortened_session_ids_and_still_imports(administrator):
    page = checked(administrator, f"{HEADER}\n{ROW.replace('session-of-joe', '1.23E+18')}\n")

    assert "Row 2: the session id looks like a number" in plain(page)
    assert "Import 1 record<" in page


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (f"{HEADER}\n", "There is nothing to import: the file has a header and no rows."),
        (f"{HEADER}\n,,,,\n", "There is nothing to import: the file has a header and no rows."),
        (f"{HEADER}\n{ROW}\n", "There is nothing to import: every record is as the file says"),
        ("", "The submitted file is empty."),
        ("\n\n", "The file is empty: it has neither a header nor rows."),
        (b"PK\x03\x04 xl/workbook.xml", "This is a workbook of a spreadsheet program"),
        ("<html></html>", "This is a web page or XML"),
    ],
)
def test_offers_no_import_where_there_is_nothing_to_import(administrator, content, sentence):
    crm_record("session-of-joe", email="joe.miller@example.com", first_name="Joe", tier="Gold",
               previous_tickets=3)  # fmt: skip

    page = checked(administrator, content) if content else uploaded_nothing(administrator)

    assert sentence in plain(page)
    assert "ticket" not in page.replace("_tickets", "")
    assert not ImportUpload.objects.exists()


def uploaded_nothing(browser):
    return browser.post(PAGE, {"file": SimpleUploadedFile("a.csv", b"")}).content.decode()


def test_downloads_all_errors_defused(administrator):
    rows = "".join(f"session-{n},nonsense,Jo,Gold,{n},a\tb\n" for n in range(130))

    page = checked(administrator, f"{HEADER},=2+5\n{rows}")

    assert "Download all 260 errors as CSV" in plain(page)
    header, *errors = downloaded(administrator, page)
    assert header == ["row", "column", "what is wrong"]
    assert len(errors) == 260
    assert errors[0] == ["2", "email", "This is not an e-mail address."]
    assert errors[1][:2] == ["2", "'=2+5"]


def test_keeps_the_first_ten_thousand_errors(administrator):
    page = checked(administrator, f"{HEADER}\n" + "x\n" * 10_500)

    assert "Download the first 10,000 errors as CSV" in plain(page)
    assert len(downloaded(administrator, page)) == 10_001


def test_gives_the_errors_to_nobody_else(administrator):
    page = checked(administrator, f"{HEADER}\n{ROW},more\n")

    answer = posted(signed_in(), page)

    assert "no longer there" in answer.content.decode()

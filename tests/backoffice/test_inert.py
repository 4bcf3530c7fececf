"""Data that would harm its reader does nothing: in admin, preview, export."""

import csv

import pytest

from crm.models import AttributeMapping
from tests.support.factories import creation, crm_record, signed_in

pytestmark = pytest.mark.django_db

HTML = '<img src=x onerror="alert(1)">'
FORMULA = '=HYPERLINK("http://evil.example")'
TURNED = "abc\u202egnp.exe"
NASTY = (HTML, FORMULA, TURNED, "+1+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3")


@pytest.fixture(params=NASTY)
def nasty(request):
    # No address holds a quotation mark or a space: that field is tried on its own below.
    text = request.param
    record = crm_record("victim", first_name=text, tier=text[:64], attributes={"note": text})
    creation(session_id="victim", notice_version=text[:64], language="en")
    return record


def _pages(record):
    browser = signed_in()
    yield browser.get("/admin/crm/crmrecord/")
    yield browser.get("/admin/provisioning/guestcreation/")
    yield browser.post("/admin/provisioning/guestcreation/find/", {"term": "victim"}, follow=True)
    AttributeMapping.objects.create(target="n", source_kind="attribute", source="note")
    yield browser.post("/admin/mapping-preview/", {"preview_visitor": "victim"})


def test_shows_no_markup_and_no_turned_text(nasty):
    for page in _pages(nasty):
        text = page.content.decode()
        assert "<img src=x" not in text
        assert "\u202e" not in text


def test_escapes_markup_where_a_record_is_edited(nasty):
    page = signed_in().get(f"/admin/crm/crmrecord/{nasty.pk}/change/").content.decode()

    assert "<img src=x" not in page


@pytest.mark.parametrize("path", ["crm/crmrecord", "provisioning/guestcreation"])
def test_exports_no_cell_that_a_spreadsheet_would_run(nasty, path):
    answer = signed_in().get(f"/admin/{path}/export/")

    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    cells = [cell for row in csv.reader(lines) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert not [cell for cell in cells if "\u202e" in cell]


def test_defuses_an_address_that_is_a_formula():
    crm_record("victim", email="=1+1@example.com")

    answer = signed_in().get("/admin/crm/crmrecord/export/")

    assert ",'=1+1@example.com," in b"".join(answer.streaming_content).decode()


def test_names_no_column_of_an_import_as_markup():
    header = f"session_id,email,first_name,tier,previous_tickets,{HTML.replace(chr(34), '')}\n"
    row = "a,b@example.com,c,d,1,x\n"
    page = _upload(signed_in(), header + row + row)

    assert "<img src=x" not in page.getvalue().decode()


def _upload(browser, text):
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("x.csv", text.encode())
    return browser.post("/admin/crm/crmrecord/import/", {"file": file})

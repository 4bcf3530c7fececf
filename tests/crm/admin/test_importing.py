"""A CSV file, uploaded, previewed and confirmed; the page shows how far that is meanwhile."""

import json
import re
from itertools import takewhile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import AuditEvent
from crm.models import CrmRecord, ImportUpload
from tests.support.factories import crm_record, signed_in

pytestmark = pytest.mark.django_db

PAGE = "/admin/crm/crmrecord/import/"
HEADER = "session_id,email,first_name,tier,previous_tickets\n"
ROW = "raw-session-of-joe,joe@example.com,Joe,Gold,3\n"
LONG = HEADER + "".join(f"session-{n},v{n}@example.com,Jo,Gold,{n}\n" for n in range(3_000))


@pytest.fixture
def administrator():
    return signed_in("CRM administrator")


def _upload(browser, content):
    return browser.post(PAGE, {"file": SimpleUploadedFile("records.csv", content.encode())})


def _text(answer):
    return answer.getvalue().decode()


def _ticket(browser, content=HEADER + ROW):
    return re.search(r'name="ticket" value="([^"]+)"', _text(_upload(browser, content)))[1]


def _parts(answer):
    return [part.decode() for part in answer.streaming_content]


def test_previews_an_import_without_storing_anything(administrator):
    page = _text(_upload(administrator, HEADER + ROW))

    assert "<dt>New</dt><dd><strong>1</strong></dd>" in page
    assert "Import 1 record<" in page
    assert not CrmRecord.objects.exists()


def test_tells_what_is_wrong_by_row_and_column(administrator):
    page = _text(_upload(administrator, HEADER + ROW + ROW.replace("Gold,3", "Gold,three")))

    assert "Rejected: 2 errors" in page
    rows = re.findall(r"<tr><td[^>]*>(\d+)</td><td[^>]*><bdi>([^<]+)</bdi></td>", page)
    assert rows == [("3", "previous_tickets"), ("3", "whole row")]


def test_imports_what_was_previewed_and_records_it(administrator):
    page = _text(administrator.post(PAGE, {"ticket": _ticket(administrator)}))

    assert "Imported: 1 new, 0 changed, 0 unchanged." in page
    assert CrmRecord.objects.get().email == "joe@example.com"
    event = AuditEvent.objects.get(kind="crm.imported")
    assert json.loads(event.body)["data"]["created"] == 1
    assert not ImportUpload.objects.exists()


def test_stores_no_raw_session_id_between_preview_and_confirmation(administrator):
    _ticket(administrator)

    assert b"raw-session" not in bytes(ImportUpload.objects.get().content)


def test_writes_no_upload_to_the_disk_while_it_is_checked(administrator, settings, tmp_path):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)

    answer = _upload(administrator, LONG)

    assert b"Import CRM records" in next(iter(answer.streaming_content))
    assert list(tmp_path.iterdir()) == []


def test_names_the_command_for_a_file_that_is_too_large(administrator, monkeypatch):
    monkeypatch.setattr("crm.imports.uploads.MAX_BYTES", 1_000)
    monkeypatch.setattr("crm.imports.uploads.FORM_BYTES", 0)

    page = _text(_upload(administrator, LONG))

    assert "manage.py import_crm FILE" in page


def test_takes_no_upload_from_another_site(administrator):
    administrator.handler.enforce_csrf_checks = True

    assert _upload(administrator, HEADER + ROW).status_code == 403


def test_lets_nobody_confirm_the_upload_of_somebody_else(administrator):
    ticket = _ticket(administrator)

    page = signed_in().post(PAGE, {"ticket": ticket}, follow=True)

    assert "no longer there" in _text(page)
    assert not CrmRecord.objects.exists()


@pytest.mark.parametrize("ticket", ["", "1", "nonsense", "1.key", "²." + "A" * 43 + "="])
def test_takes_no_ticket_that_it_did_not_give(administrator, ticket):
    _ticket(administrator)

    page = administrator.post(PAGE, {"ticket": ticket}, follow=True)

    assert "no longer there" in _text(page)


def test_shows_how_far_a_preview_is_before_it_is_done(administrator):
    opening, *parts, _ = _parts(_upload(administrator, LONG))

    assert "</html>" not in opening
    assert "Checking the file" in parts[0]
    assert "What the file would do" in parts[-1]


def test_says_that_it_writes_before_it_does(administrator):
    answer = administrator.post(PAGE, {"ticket": _ticket(administrator, LONG)})

    for part in answer.streaming_content:
        if b"Writing" in part:
            assert not CrmRecord.objects.exists()
            assert b"3,000 records, all at once" in part

    assert CrmRecord.objects.count() == 3_000


@pytest.mark.django_db(transaction=True)  # the end of a request closes its connection
def test_imports_nothing_for_somebody_who_leaves_before_it_is_written(administrator):
    ticket = _ticket(administrator, LONG)
    answer = administrator.post(PAGE, {"ticket": ticket})
    list(takewhile(lambda part: b"Writing" not in part, answer.streaming_content))

    answer.close()

    assert not CrmRecord.objects.exists()
    assert not AuditEvent.objects.filter(kind="crm.imported").exists()
    assert "Imported: 3,000 new" in _text(administrator.post(PAGE, {"ticket": ticket}))


@pytest.mark.thorough
def test_says_so_when_the_records_never_stand_still(administrator):
    crm_record("session-1", tier="Silver")
    answer = administrator.post(PAGE, {"ticket": _ticket(administrator, LONG)})
    parts = []

    for part in answer.streaming_content:
        parts.append(part.decode())
        if "Writing" in parts[-1]:
            CrmRecord.objects.get().save()

    assert "Others keep changing the same records." in parts[-2]
    assert CrmRecord.objects.count() == 1


def test_needs_the_permission_to_import(administrator):
    answer = signed_in("Compliance reviewer").post(PAGE, {"ticket": _ticket(administrator)})

    assert answer.status_code == 403


def test_is_kept_back_by_no_proxy_and_in_no_cache(administrator):
    headers = _upload(administrator, HEADER + ROW).headers

    assert headers["X-Accel-Buffering"] == "no"
    assert "no-store" in headers["Cache-Control"]

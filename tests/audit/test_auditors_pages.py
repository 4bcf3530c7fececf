"""The auditor's pages: verify, export, keys, and a list that says who did what."""

import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from audit.models import AuditEvent
from audit.sealing import receipt_keys, seals, signing
from backoffice.periods import id_at
from tests.audit.factories import event, events, sealed_event
from tests.conftest import drop_audit_triggers
from tests.support.factories import signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/auditevent/"


@pytest.fixture
def auditor() -> Client:
    return signed_in("Auditor")


def text(response) -> str:
    return b"".join(response.streaming_content).decode()


def data_of(kind: str) -> dict:
    return json.loads(AuditEvent.objects.get(kind=kind).body)["data"]


def test_verifies_the_log_and_shows_how_far_it_got(auditor):
    events(3)
    seals.seal()
    events(2)
    seals.seal()

    page = text(auditor.post(f"{LIST}verify/"))

    count = data_of("audit.verified")["events"]
    assert page.count("<progress") == 3
    assert f"Checking: 0 of {count} events" in page
    assert "The log is as it was written" in page


def test_records_who_verified(auditor):
    sealed_event()

    text(auditor.post(f"{LIST}verify/"))

    recorded = AuditEvent.objects.get(kind="audit.verified")
    assert recorded.actor == f"staff:{User.objects.get().pk}"


def test_names_what_was_changed(auditor):
    sealed_event()
    drop_audit_triggers()
    AuditEvent.objects.filter(kind="guest.created").update(actor="nobody")

    page = text(auditor.post(f"{LIST}verify/"))

    assert "The log is not as it was written" in page
    assert "its column actor was edited" in page
    assert data_of("audit.verified")["verified"] is False


def test_says_that_a_missing_file_is_no_finding(auditor, settings, tmp_path):
    sealed_event()
    settings.AUDIT_ANCHORS = str(tmp_path / "elsewhere")

    page = text(auditor.post(f"{LIST}verify/"))

    assert "Part of it could not be checked" in page
    assert not AuditEvent.objects.filter(kind="audit.verified").exists()


def test_exports_a_bundle_that_verifies_on_another_machine(auditor, tmp_path):
    events(4)

    response = auditor.post(f"{LIST}export/", {"kind": "guest.created"})
    content = b"".join(response.streaming_content)

    bundle, script = tmp_path / "bundle.zip", tmp_path / "verify_bundle.py"
    bundle.write_bytes(content)
    script.write_bytes(zipfile.ZipFile(io.BytesIO(content)).read("verify_bundle.py"))
    command = [sys.executable, "-I", script, "--key", signing.public_key_hex(), bundle]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "4 records" in done.stdout
    assert response["Content-Disposition"].endswith('.zip"')


def test_records_who_exported_what(auditor):
    event(kind="guest.created")
    today = datetime.now(UTC).date().isoformat()

    text_of = auditor.post(
        f"{LIST}export/", {"first": today, "last": today, "kind": "guest.created"}
    )
    b"".join(text_of.streaming_content)

    recorded = AuditEvent.objects.get(kind="audit.exported")
    assert recorded.actor == f"staff:{User.objects.get().pk}"
    assert data_of("audit.exported")["rows"] == 1
    assert data_of("audit.exported")["filter"]["since"].startswith(today)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_exports_nothing_of_a_day_that_cannot_be(auditor, day):
    page = auditor.post(f"{LIST}export/", {"last": day})

    assert "There are no events of such a day." in page.content.decode()
    assert not AuditEvent.objects.filter(kind="audit.exported").exists()


def test_says_on_the_page_why_nothing_can_be_exported(auditor, settings):
    event()
    settings.AUDIT_SIGNING_KEY = ""

    page = auditor.post(f"{LIST}export/")

    assert "AUDIT_SIGNING_KEY is not set" in page.content.decode()


def test_shows_the_keys_that_others_pin(auditor, settings):
    settings.AUDIT_VERIFY_KEYS = ["33" * 32]

    page = auditor.get(f"{LIST}keys/").content.decode()

    assert receipt_keys.own_thumbprint() in page
    assert signing.public_key_hex() in page
    assert "33" * 32 in page


def listed(browser, **narrowed) -> list[str]:
    return [row.sentence for row in browser.get(LIST, narrowed).context_data["cl"].result_list]


def test_says_who_did_what_by_name(auditor):
    carla = User.objects.create_user("carla", is_staff=True)
    who = f"carla (staff:{carla.pk})"
    event(kind="crm.imported", actor=f"staff:{carla.pk}", data={"created": 3, "updated": 4})
    event(kind="staff.deleted", data={"who": f"staff:{carla.pk}"})
    event(kind="init.attempted", actor="visitor")
    event(kind="thing.made_up", actor="staff:999")

    said = listed(auditor)

    assert f"{who} imported CRM records: 3 new, 4 changed" in said
    assert f"The system deleted {who}" in said
    assert "A visitor asked for a chat" in said
    assert "staff:999 thing made up" in said


def test_says_an_event_that_lacks_what_its_sentence_names(auditor):
    event(kind="crm.imported", actor="staff:999", data={})

    assert "staff:999 imported CRM records: … new, … changed" in listed(auditor)


def test_needs_one_query_for_all_names(auditor, django_assert_max_num_queries):
    for number in range(20):
        user = User.objects.create_user(f"user{number}", is_staff=True)
        event(kind="crm.deleted", actor=f"staff:{user.pk}")

    with django_assert_max_num_queries(40):
        listed(auditor)


def test_narrows_by_actor(auditor):
    carla = User.objects.create_user("carla", is_staff=True)
    event(kind="crm.deleted", actor=f"staff:{carla.pk}")
    event(kind="init.attempted", actor="visitor")

    assert listed(auditor, actor=f"staff:{carla.pk}") == [
        f"carla (staff:{carla.pk}) deleted a CRM record"
    ]
    assert listed(auditor, actor="visitor") == ["A visitor asked for a chat"]


def test_narrows_to_somebody_who_left(auditor):
    carla = User.objects.create_user("carla", is_staff=False, is_active=False)
    event(kind="crm.deleted", actor=f"staff:{carla.pk}")

    page = auditor.get(LIST).content.decode()

    assert f"?actor=staff%3A{carla.pk}" in page


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("2026-03-02", "2026-03-02", 1),
        ("2026-03-03", "", 0),
        ("", "2026-03-01", 0),
        ("2026-03-01", "2026-03-03", 1),
        ("second of March", "", 0),
        ("9999-12-31", "9999-12-31", 0),
    ],
)
def test_narrows_from_one_day_to_another(auditor, first, last, found):
    late = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    body = '{"data":{}}'
    AuditEvent.objects.create(id=id_at(late), time=late, kind="guest.created", body=body)

    assert len(listed(auditor, first=first, last=last, kind="guest.created")) == found


def test_records_what_the_list_was_narrowed_by(auditor):
    event(kind="guest.created", actor="visitor")

    listed(auditor, actor="visitor", first="2026-01-01")

    assert data_of("audit.viewed")["filter"] == {"actor": "visitor", "first": "2026-01-01"}

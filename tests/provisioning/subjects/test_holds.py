"""While a hold stands nothing of the person is deleted, by whatever road; corrections go on."""

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command

from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.models import LegalHold
from provisioning.subjects import holds
from tests.crm.sync.test_records import address, caller, token_for
from tests.support.confirming import confirm
from tests.support.factories import crm_record, signed_in

pytestmark = pytest.mark.django_db

KEY = hash_session(session_id="session-jane")
LIST = "/admin/crm/crmrecord/"


@pytest.fixture
def held():
    """Jane's CRM record, on hold, and one of John's that is not."""
    crm_record("session-john", email="john@example.com")
    record = crm_record("session-jane")
    holds.place(session_hash=KEY, reference="case-7", actor="dpo")
    return record


@pytest.fixture
def call():
    return caller(token_for("syncer", "CRM administrator"))


def test_the_sync_api_deletes_no_record_on_hold(held, call):
    reply = call("DELETE", address("session-jane"))

    assert (reply.status_code, reply.json()["code"]) == (409, "legal_hold")
    assert "case-7" not in reply.content.decode()
    assert CrmRecord.objects.filter(pk=held.pk).exists()


def test_the_sync_api_corrects_a_record_on_hold(held, call):
    reply = call("PUT", address("session-jane"), {"email": "jane@new.example.com"})

    assert reply.status_code == 200


def test_an_import_corrects_a_record_on_hold(held, tmp_path):
    file = tmp_path / "crm.csv"
    file.write_text(
        "session_id,email,first_name,tier,previous_tickets\nsession-jane,jane@new.example.com,,,0\n"
    )

    call_command("import_crm", str(file), stdout=io.StringIO())

    held.refresh_from_db()
    assert held.email == "jane@new.example.com"


def test_the_admin_deletes_no_record_on_hold(held):
    browser = signed_in("CRM administrator")

    page = browser.post(f"{LIST}{held.pk}/delete/", follow=True)

    assert "A legal hold stands" in page.content.decode()
    assert CrmRecord.objects.filter(pk=held.pk).exists()


def test_the_admin_deletes_none_of_several_while_one_is_on_hold(held):
    browser = signed_in("CRM administrator")
    chosen = {"_selected_action": [str(row.pk) for row in CrmRecord.objects.all()]}

    page = browser.post(LIST, {"action": "delete_selected", **chosen}, follow=True)

    assert "A legal hold stands" in page.content.decode()
    assert CrmRecord.objects.count() == 2


def test_a_record_can_be_deleted_once_the_hold_is_lifted(held, call):
    holds.lift(session_hash=KEY, actor="dpo")

    assert call("DELETE", address("session-jane")).status_code == 204


def test_the_admin_log_holds_nothing_of_the_session(held):
    number = LegalHold.objects.get().pk

    confirm(signed_in(), f"/admin/provisioning/legalhold/{number}/delete/", {}, by="get")

    entries = LogEntry.objects.values_list("object_id", "object_repr", "change_message")
    assert len(entries) == 1
    assert KEY not in str(list(entries))

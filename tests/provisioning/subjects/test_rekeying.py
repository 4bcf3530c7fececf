"""A pepper keys the stored hashes: all of them or none, and never two kinds beside each other."""

import hashlib
import hmac
import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from audit.models import SubjectSalt
from crm.models import CrmRecord
from provisioning.models import (
    GuestCreation,
    IdempotencyKey,
    LegalHold,
    Withdrawal,
    WithdrawalCase,
)
from provisioning.subjects import holds
from tests.support.visitor import PERSON, SESSION, events, known_to_the_crm

PEPPER = "a-pepper-of-more-than-thirty-two-characters"
PLAIN = hashlib.sha256(SESSION.encode()).hexdigest()
KEYED = hmac.digest(PEPPER.encode(), PLAIN.encode(), "sha256").hex()
TABLES = (
    CrmRecord, GuestCreation, IdempotencyKey, LegalHold, Withdrawal, WithdrawalCase, SubjectSalt,
)  # fmt: skip


def rekey():
    output = io.StringIO()
    call_command("rekey_sessions", stdout=output)
    return output.getvalue()


@pytest.fixture
def stored(visitor):
    """A database without a pepper, with Jane in each of its tables."""
    known_to_the_crm()
    body = {"sessionId": SESSION, "consentGiven": True}
    visitor.post("init", body, **{"Idempotency-Key": "one"})
    GuestCreation.objects.update(overdue_at=None)
    visitor.withdraw()
    now = timezone.now()
    WithdrawalCase.objects.create(session_hash=PLAIN, withdrawn_at=now, case_number="case-2")
    holds.place(session_hash=PLAIN, reference="case-1", actor="staff:1")
    return visitor


@pytest.fixture
def peppered(stored, settings):
    settings.SESSION_HASH_PEPPER = PEPPER
    return stored


def keys():
    return {key for table in TABLES for key in table.objects.values_list("session_hash", flat=True)}


def test_keys_every_table(peppered):
    assert keys() == {PLAIN}

    rekey()

    assert keys() == {KEYED}


def test_finds_everybody_again(peppered):
    rekey()

    reply = peppered.init(consentGiven=True)

    assert reply.json()["crmAttributes"]["email"] == PERSON["email"]


def test_remembers_who_withdrew(peppered):
    rekey()

    assert peppered.init().json()["crmAttributes"]["firstName"] == "Guest"


def test_changes_nothing_the_second_time(peppered):
    rekey()

    assert rekey() == "0 keys changed.\n"
    assert keys() == {KEYED}


def test_changes_nothing_in_a_database_that_had_the_pepper_from_the_start(visitor, settings):
    settings.SESSION_HASH_PEPPER = PEPPER
    visitor.init(consentGiven=True)

    assert rekey() == "0 keys changed.\n"
    assert KEYED in keys()


@pytest.mark.parametrize("pepper", ["", "another-pepper-of-thirty-two-characters"])
def test_knows_no_way_from_one_pepper_to_another(peppered, settings, pepper):
    rekey()
    settings.SESSION_HASH_PEPPER = pepper

    with pytest.raises(CommandError, match="nothing was changed"):
        rekey()

    assert keys() == {KEYED}


def test_waits_until_the_service_is_stopped(peppered):
    GuestCreation.objects.update(overdue_at=timezone.now() + timedelta(seconds=9))

    with pytest.raises(CommandError, match="stop the service"):
        rekey()

    assert keys() == {PLAIN}


def test_keeps_the_log_attributable(peppered):
    rekey()

    output = io.StringIO()
    call_command("export_subject", "--session-hash", PLAIN, stdout=output)

    (session,) = json.loads(output.getvalue())["sessions"]
    kinds = [event["kind"] for event in session["changes"]]
    assert {"init.attempted", "consent.withdrawn", "subject.rekeyed"} <= set(kinds)
    assert PLAIN not in str(events("subject.rekeyed"))


def test_a_service_with_another_pepper_stores_nothing_and_calls_nobody(peppered):
    calls = len(peppered.sent())

    replies = [peppered.init(consentGiven=True), peppered.withdraw()]

    assert [reply.status_code for reply in replies] == [503, 503]
    assert {reply.json()["code"] for reply in replies} == {"storage_unavailable"}
    assert len(peppered.sent()) == calls
    assert keys() == {PLAIN}


def test_a_service_with_another_pepper_is_not_ready(peppered):
    page = Client().get("/readyz")

    assert page.status_code == 503
    assert "rekey_sessions" in page.content.decode()


def test_an_import_under_another_pepper_is_refused(peppered, tmp_path):
    file = tmp_path / "crm.csv"
    row = f"{SESSION},john@example.com,John,Gold,1"
    file.write_text(f"session_id,email,first_name,tier,previous_tickets\n{row}\n")

    with pytest.raises(CommandError, match="rekey_sessions"):
        call_command("import_crm", str(file))

    assert CrmRecord.objects.get().first_name == PERSON["first_name"]

"""A person is told what is stored, is erased, and is not erased while a legal hold stands."""

import io
import json
import stat
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit import log
from audit.models import AuditEvent, SubjectSalt
from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning import ledger, reviews
from provisioning.models import (
    GuestCreation,
    IdempotencyKey,
    LegalHold,
    PlatformDeletion,
    Review,
    Status,
    Withdrawal,
)
from tests.support.factories import staff
from tests.support.visitor import PERSON, SESSION, events, known_to_the_crm, latest

OTHER = "a-session-of-john"
KEY = hash_session(session_id=SESSION)


def run(command, *arguments, stdin=None, monkeypatch=None):
    if stdin is not None:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    output = io.StringIO()
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()


@pytest.fixture
def visited(visitor):
    """Jane, known to the CRM, with a guest; and John, of whom the same is stored."""
    known_to_the_crm()
    known_to_the_crm(OTHER, email="john@example.com", first_name="Johnny")
    visitor.init(OTHER, consentGiven=True)
    visitor.post(
        "init",
        {"sessionId": SESSION, "consentGiven": True, "noticeVersion": "of Jane"},
        **{"Idempotency-Key": "one"},
    )
    return visitor


NAMED = {
    "session id": (["--session-id-stdin"], f"{SESSION}\n"),
    "session hash": (["--session-hash", KEY], None),
    "e-mail": (["--email", PERSON["email"].upper()], None),
    "guest id": (["--guest-id", ""], None),
}


@pytest.mark.parametrize("by", NAMED)
def test_erases_a_person_however_named(visited, monkeypatch, by):
    arguments, stdin = NAMED[by]
    guest_id = latest().guest_id
    arguments = [argument or guest_id for argument in arguments]

    run("erase_subject", *arguments, stdin=stdin, monkeypatch=monkeypatch)

    assert [record.first_name for record in CrmRecord.objects.all()] == ["Johnny"]
    assert GuestCreation.objects.filter(erased_at=None).count() == 1
    assert GuestCreation.objects.get(erased_at=None).session_hash == hash_session(session_id=OTHER)


@pytest.mark.parametrize(
    "named",
    [
        ("--email", "Jane <jane.doe@example.com>"),
        ("--email", "\u200bjane.doe@example.com"),
        ("--email", "jane.doe@example.com."),
        ("--email", ""),
        ("--guest-id", ""),
        ("--guest-id", "\x01"),
    ],
)
def test_takes_what_names_nobody_for_no_person_of_whom_nothing_is_stored(visited, named):
    for command in ("erase_subject", "export_subject"):
        with pytest.raises(CommandError, match=r"not an e-mail address|guest id is"):
            run(command, *named)


def test_leaves_nothing_of_the_person_in_their_rows(visited):
    visited.withdraw()

    run("erase_subject", "--session-hash", KEY)

    row = GuestCreation.objects.exclude(erased_at=None).get()
    named = ("session_hash", "guest_id", "salt", "profile_digest", "payload_digest", "request_id")
    assert [getattr(row, name) for name in (*named, "notice_version")] == [""] * 7
    assert row.sent_fields == []
    for model in (CrmRecord, GuestCreation, Withdrawal, IdempotencyKey, SubjectSalt):
        assert not model.objects.filter(session_hash=KEY).exists()
    assert not IdempotencyKey.objects.filter(creation=row).exists()


def test_blanks_what_reviewers_wrote_and_keeps_their_verdict(visited):
    row = latest()
    words = {"verdict": "follow_up", "reason": "Janette called, jane.doe@example.com"}
    reviews.review(creations=[row.id], reviewer=staff(), **words)

    run("erase_subject", "--session-hash", KEY)

    left = Review.objects.get()
    assert (left.creation_id, left.verdict, left.reason) == (row.id, "follow_up", "")


def test_keeps_the_proof_of_consent_and_records_the_erasure(visited):
    pseudonym = log.pseudonym(session_hash=KEY)
    before = AuditEvent.objects.filter(subject=pseudonym).count()

    run("erase_subject", "--session-hash", KEY, "--actor", "dpo")

    (event,) = events("subject.erased")
    assert event["subject"] == pseudonym
    assert event["actor"] == "dpo"
    assert event["data"] == {"reason": "request", "creations": 1, "crmRecords": 1}
    assert AuditEvent.objects.filter(subject=pseudonym).count() == before + 1
    row = GuestCreation.objects.exclude(erased_at=None).get()
    assert (row.consent_given, row.consent_basis) == (True, "stated")


def test_erasing_twice_changes_nothing_the_second_time(visited):
    run("erase_subject", "--session-hash", KEY)
    count = AuditEvent.objects.count()

    said = run("erase_subject", "--session-hash", KEY)

    assert "Nothing is stored" in said
    assert AuditEvent.objects.count() == count


def test_starts_anew_for_an_erased_person_who_comes_again(visited):
    run("erase_subject", "--session-hash", KEY)

    reply = visited.init(consentGiven=True)

    assert reply.status_code == 200
    assert latest().session_hash == KEY
    assert PERSON["email"] not in json.dumps(reply.json())


def test_answers_an_erased_guest_like_a_foreign_one(visited):
    guest_id = latest().guest_id
    run("erase_subject", "--session-hash", KEY)

    body = {"sessionId": SESSION, "guestId": guest_id}
    replies = [visited.post(path, body) for path in ("token", "consent/receipt")]

    assert [reply.status_code for reply in replies] == [404, 404]


def test_waits_for_an_init_that_is_under_way(visited):
    GuestCreation.objects.filter(session_hash=KEY).update(
        overdue_at=timezone.now() + timedelta(seconds=9)
    )

    with pytest.raises(CommandError, match="try again in"):
        run("erase_subject", "--session-hash", KEY)

    assert CrmRecord.objects.filter(session_hash=KEY).exists()


def test_queues_the_deletion_on_the_platform_until_somebody_did_it(visited, monkeypatch):
    guest_id = latest().guest_id
    run("erase_subject", "--session-hash", KEY)
    listed = run("platform_deletions")

    run("platform_deletions", "--done", stdin=listed, monkeypatch=monkeypatch)

    row = PlatformDeletion.objects.get()
    assert guest_id in listed
    assert (row.state, row.guest_id) == ("done", "")
    assert run("platform_deletions") == ""
    assert events("platform_deletion.done")[0]["data"] == {"creation": str(row.creation_id)}


def test_queues_a_guest_that_only_may_exist(visited):
    row = latest()
    GuestCreation.objects.filter(id=row.id).update(status=Status.UNKNOWN, guest_id="")

    run("erase_subject", "--session-hash", KEY)

    assert PlatformDeletion.objects.get().guest_id == ""
    assert PlatformDeletion.objects.get().state == "waiting"


def test_a_late_answer_of_the_platform_writes_nothing_into_an_erased_row(visited):
    row = latest()
    entry = ledger.Entry.of(row, row.request_in_events)
    GuestCreation.objects.filter(id=row.id).update(status=Status.UNKNOWN, guest_id="")
    run("erase_subject", "--session-hash", KEY)

    with pytest.raises(ledger.Lost):
        ledger.guest_created(
            entry=entry,
            guest_id="late",
            echo_given=True,
            echo_type="explicit",
            echo_created="",
        )

    row.refresh_from_db()
    assert row.guest_id == ""


def test_a_legal_hold_keeps_a_person_from_being_erased(visited):
    run("legal_hold", "--place", "case-7/26", "--session-hash", KEY)

    with pytest.raises(CommandError, match="case-7/26"):
        run("erase_subject", "--email", PERSON["email"])

    assert CrmRecord.objects.filter(session_hash=KEY).exists()
    pseudonym = log.pseudonym(session_hash=KEY)
    for kind in ("hold.placed", "subject.erasure_refused"):
        (event,) = events(kind)
        assert (event["subject"], event["data"]) == (pseudonym, {"reference": "case-7/26"})


def test_erases_once_the_hold_is_lifted(visited):
    run("legal_hold", "--place", "case-7", "--session-hash", KEY)
    run("legal_hold", "--lift", "--session-hash", KEY)

    run("erase_subject", "--session-hash", KEY)

    assert not CrmRecord.objects.filter(session_hash=KEY).exists()
    assert not LegalHold.objects.exists()
    assert len(events("hold.lifted")) == 1


@pytest.mark.parametrize(
    "reference", ["Jane Doe", "", "jane@example.com", "x" * 65, KEY, KEY.upper()]
)
def test_takes_only_a_case_number_for_a_reference(visited, reference):
    with pytest.raises(CommandError, match="reference"):
        run("legal_hold", "--place", reference, "--session-hash", KEY)


def test_exports_all_that_is_stored_of_a_person(visited):
    visited.withdraw()

    document = json.loads(run("export_subject", "--session-hash", KEY, "--actor", "dpo"))

    (session,) = document["sessions"]
    (creation,) = session["creations"]
    history = creation["receiptContent"]["events"]
    assert session["crmRecord"]["email"] == PERSON["email"]
    assert session["withdrawnAt"]
    assert creation["guestId"] == GuestCreation.objects.get(session_hash=KEY).guest_id
    assert [event["event_state"] for event in history] == ["given", "withdrawn"]
    assert creation["receipt"].count(".") == 2
    assert "consent.withdrawn" in [event["kind"] for event in session["changes"]]
    assert "Johnny" not in json.dumps(document)


def test_records_who_exported_whom(visited):
    run("export_subject", "--session-hash", KEY, "--actor", "dpo")

    (event,) = events("subject.exported")
    assert event["actor"] == "dpo"
    assert event["subject"] == log.pseudonym(session_hash=KEY)


def test_writes_an_export_for_its_owner_alone(visited, tmp_path):
    file = tmp_path / "jane.json"

    run("export_subject", "--session-hash", KEY, "--output", str(file))

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_subject", "--session-hash", KEY, "--output", str(file))


@pytest.mark.parametrize("command", ["erase_subject", "export_subject"])
@pytest.mark.parametrize(
    "arguments", [[], ["--email", "a@b.c", "--guest-id", "1"], ["--session-hash", "123"]]
)
@pytest.mark.django_db
def test_wants_exactly_one_name_of_the_person(command, arguments):
    with pytest.raises(CommandError):
        run(command, *arguments)


class Terminal(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self):
        return True


@pytest.fixture
def spelled(db):
    """Records of one address in two spellings."""
    for session, email in (("a", "info@MÜLLER.de"), ("b", "Info@müller.de")):
        known_to_the_crm(session, email=email)
    known_to_the_crm("c", email="info@muller.de")


def left():
    return sorted(CrmRecord.objects.values_list("email", flat=True))


def test_erases_nothing_of_several_spellings_where_nobody_can_be_asked(spelled, monkeypatch):
    output = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    with pytest.raises(CommandError, match="Nothing was erased") as refused:
        call_command("erase_subject", "--email", "info@müller.de", stdout=output)

    assert refused.value.returncode == 1
    assert "info@MÜLLER.de" in output.getvalue()
    assert "Info@müller.de" in output.getvalue()
    assert "@" not in str(refused.value)
    assert len(left()) == 3


@pytest.mark.parametrize("typed", ["n\n", "\n"])
def test_erases_nothing_of_several_spellings_without_a_yes(spelled, monkeypatch, typed):
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_subject", "--email", "info@müller.de", stdout=io.StringIO())

    assert len(left()) == 3


def test_erases_several_spellings_once_somebody_agrees(spelled, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))

    call_command("erase_subject", "--email", "info@müller.de", stdout=io.StringIO())

    assert left() == ["info@muller.de"]


def test_erases_several_spellings_unasked_with_all(spelled, monkeypatch):
    run(
        "erase_subject",
        "--email",
        "INFO@xn--mller-kva.de",
        "--all",
        stdin="",
        monkeypatch=monkeypatch,
    )

    assert left() == ["info@muller.de"]


def test_erases_and_exports_by_another_spelling(db):
    known_to_the_crm(email="info@MÜLLER.de")

    document = json.loads(run("export_subject", "--email", "info@müller.de"))
    run("erase_subject", "--email", "info@müller.de")

    assert document["sessions"][0]["crmRecord"]["email"] == "info@MÜLLER.de"
    assert left() == []

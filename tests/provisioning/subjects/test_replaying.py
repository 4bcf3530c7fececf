"""What was done to persons since a backup is done again after its restore, and nothing else is."""

import io
import json
import re

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent, SubjectSalt
from crm import changes
from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.follow_up import deletions
from provisioning.ledger.erasing import empty_write_ahead_log
from provisioning.models import GuestCreation, LegalHold, PlatformDeletion, Withdrawal
from provisioning.subjects import erasure, holds
from tests.support.backup import Backup
from tests.support.visitor import PERSON, SESSION, events, known_to_the_crm, latest

KEY = hash_session(session_id=SESSION)
OTHER = "a-session-of-john"


@pytest.fixture
def listed(tmp_path, settings):
    """The file that RESTORE_LIST names, empty, as housekeeping makes it."""
    settings.RESTORE_LIST = tmp_path / "restore-list.jsonl"
    settings.RESTORE_LIST.touch()
    return settings.RESTORE_LIST


@pytest.fixture
def visited(visitor, listed):
    """Jane, known to the CRM, with a guest; and John, of whom the same is stored."""
    known_to_the_crm()
    known_to_the_crm(OTHER, email="john@example.com", first_name="Johnny")
    for session in (OTHER, SESSION):
        assert visitor.init(session, consentGiven=True).status_code == 200
    return visitor


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    """Do something, and list it as after its commit; SQLite's log cannot be cut in a test."""

    def do(act):
        with django_capture_on_commit_callbacks() as hooks:
            act()
        for hook in hooks:
            if hook is not empty_write_ahead_log:
                hook()

    return do


@pytest.fixture
def since(visited, commit):
    """Do something after a backup, and restore that."""

    def do(*acts):
        backup = Backup()
        for act in acts:
            commit(act)
        backup.restore()

    return do


def run(*arguments):
    output = io.StringIO()
    call_command("audit_restored", "--yes", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def erase(session=SESSION):
    return lambda: erasure.erase(session_hashes=[hash_session(session_id=session)], actor="dpo")


def hold():
    holds.place(session_hash=KEY, reference="case-7", actor="dpo")


def lift():
    holds.lift(session_hash=KEY, actor="dpo")


def stored(session=SESSION):
    key = hash_session(session_id=session)
    return {
        model.__name__: model.objects.filter(session_hash=key).count()
        for model in (GuestCreation, CrmRecord, SubjectSalt)
    }


def test_a_person_erased_since_the_backup_is_erased_again(since):
    since(erase())
    assert stored() == {"GuestCreation": 1, "CrmRecord": 1, "SubjectSalt": 1}

    run("--actor", "operator")

    assert stored() == {"GuestCreation": 0, "CrmRecord": 0, "SubjectSalt": 0}
    assert stored(OTHER) == {"GuestCreation": 1, "CrmRecord": 1, "SubjectSalt": 1}
    assert events("subject.erased")[-1]["data"]["reason"] == "restored"
    assert events("subject.erased")[-1]["actor"] == "operator"


def test_a_person_known_to_the_crm_alone_is_erased_again(since):
    known_to_the_crm("never-came", email="ann@example.com")

    since(erase("never-came"))
    run()

    assert not CrmRecord.objects.filter(email="ann@example.com").exists()


def test_consent_withdrawn_since_the_backup_is_withdrawn_again(since, visited):
    since(visited.withdraw)
    run()

    row = GuestCreation.objects.get(session_hash=KEY)
    assert row.withdrawn_at == Withdrawal.objects.get(session_hash=KEY).withdrawn_at
    assert visited.token(row.guest_id).json()["code"] == "consent_declined"
    visited.init(SESSION)
    assert (latest().consent_given, latest().consent_basis) == (False, "withdrawn")
    assert not Withdrawal.objects.exclude(session_hash=KEY).exists()


def test_consent_stated_anew_after_a_withdrawal_is_not_undone(since, visited):
    first = GuestCreation.objects.get(session_hash=KEY)

    since(visited.withdraw, lambda: visited.init(SESSION, consentGiven=True))
    run()

    assert not Withdrawal.objects.exists()
    first.refresh_from_db()
    assert first.withdrawn_at is not None
    visited.init(SESSION)
    assert latest().consent_given is True


def test_a_withdrawal_in_the_backup_that_a_statement_ended_since_is_ended_again(since, visited):
    visited.withdraw()

    since(lambda: visited.init(SESSION, consentGiven=True))
    run()

    assert not Withdrawal.objects.exists()
    assert events("consent.restated")


def test_a_withdrawal_after_the_statement_stands(since, visited):
    since(visited.withdraw, lambda: visited.init(SESSION, consentGiven=True), visited.withdraw)
    run()

    assert Withdrawal.objects.filter(session_hash=KEY).exists()


def test_what_the_list_tells_of_before_the_backup_does_no_harm(since, visited, commit):
    commit(visited.withdraw)
    commit(lambda: visited.init(SESSION, consentGiven=True))
    mine = GuestCreation.objects.filter(session_hash=KEY).values_list("id", "withdrawn_at")
    before = list(mine)
    since(erase(OTHER))

    run()

    assert list(mine) == before
    assert not Withdrawal.objects.exists()


def test_a_hold_placed_since_the_backup_forbids_the_erasure(since):
    since(hold)
    run()

    with pytest.raises(holds.OnHold):
        erase()()
    today = timezone.now()
    assert LegalHold.objects.get().reference == f"restored-{today:%Y-%m-%d}"


@pytest.mark.parametrize("acts", [(hold, lift), (hold, lift, hold, lift)], ids=len)
def test_a_hold_that_was_lifted_since_does_not_stand(since, acts):
    since(*acts)

    assert "Nothing to do" in run()
    assert not LegalHold.objects.exists()


def test_a_hold_of_the_backup_that_was_lifted_for_an_erasure_does_not_keep_the_person(since):
    hold()

    since(lift, erase())
    run()

    assert stored()["GuestCreation"] == 0
    assert not LegalHold.objects.exists()


def test_says_of_an_erasure_that_a_hold_forbids_that_it_was_not_done(since, listed):
    hold()
    since(lift, erase())
    listed.write_text(listed.read_text().splitlines(keepends=True)[1])  # the lifting is lost

    with pytest.raises(CommandError, match="legal hold case-7"):
        run()

    assert stored()["GuestCreation"] == 1


def test_a_crm_record_deleted_since_the_backup_is_deleted_again(since):
    since(lambda: changes.delete_record(record=CrmRecord.objects.get(session_hash=KEY), actor="x"))
    run()

    assert not CrmRecord.objects.filter(session_hash=KEY).exists()


def test_a_guest_that_was_deleted_on_the_platform_is_not_deleted_there_again(since):
    row = latest()

    since(erase(), lambda: deletions.mark_done(creations=[row.id], actor="dpo"))
    run()

    assert PlatformDeletion.objects.get(creation=row).state == "done"


def test_a_guest_that_nobody_has_deleted_on_the_platform_waits_for_it_again(since):
    row = latest()

    since(erase())
    run()

    assert PlatformDeletion.objects.get(creation=row).guest_id == row.guest_id


def test_says_the_second_time_that_there_is_nothing_to_do(since, visited):
    acts = (visited.withdraw, lambda: visited.init(SESSION, consentGiven=True), erase(OTHER), hold)
    since(*acts)
    run()
    before = AuditEvent.objects.count()

    assert "Nothing to do" in run()
    assert AuditEvent.objects.count() == before


def test_passes_over_a_session_that_is_younger_than_the_backup(since, visited):
    since(lambda: visited.init("younger", consentGiven=True), lambda: visited.withdraw("younger"))

    assert "Nothing to do" in run()


def test_what_is_done_again_is_not_listed_again(since, listed, visited, commit):
    since(visited.withdraw, hold, lift, erase())
    before = listed.read_text()

    commit(run)

    assert listed.read_text() == before


def test_the_list_holds_random_ids_and_nothing_of_the_person(since, listed, visited):
    ids = {str(latest().id), str(CrmRecord.objects.get(session_hash=KEY).record_id)}
    guest = latest().guest_id

    since(visited.withdraw, hold, lift, erase())

    text = listed.read_text()
    assert [json.loads(line)["what"] for line in text.splitlines()] == [
        "withdrawn",
        "held",
        "lifted",
        "erased",
    ]
    assert set(re.findall(r"[0-9a-f-]{36}", text)) == ids
    for secret in (KEY, KEY[:8], guest, SESSION, "case-7", *PERSON.values()):
        assert secret not in text


def test_a_withdrawal_that_changes_nothing_is_not_listed(since, listed, visited):
    since(visited.withdraw, visited.withdraw, lambda: visited.withdraw("nobody knows"))

    assert len(listed.read_text().splitlines()) == 1


def test_a_withdrawal_stands_although_it_cannot_be_listed(since, listed, visited, caplog):
    listed.unlink()
    listed.mkdir()

    answers = []
    since(lambda: answers.append(visited.withdraw()))

    assert answers[0].json() == {"withdrawn": 1}
    assert "a restore from a backup that exists now would undo what was withdrawn" in caplog.text


def test_an_erasure_that_cannot_be_listed_is_done_and_fails(visited, listed):
    listed.unlink()
    listed.mkdir()

    with pytest.raises(CommandError, match="Erased, but not listed for a restore"):
        call_command("erase_subject", "--session-hash", KEY, stdout=io.StringIO())

    assert stored()["GuestCreation"] == 0


def test_refuses_where_the_list_is_gone(since, listed):
    since(erase())
    listed.unlink()

    with pytest.raises(CommandError, match="--without-list"):
        run()

    assert stored()["GuestCreation"] == 1


def test_goes_on_without_the_list_where_it_is_told_to(since, listed):
    since(erase())
    listed.unlink()

    assert "Nothing to do" in run("--without-list")


def test_does_what_it_can_read_and_names_the_lines_that_it_cannot(since, listed):
    since(erase())
    listed.write_text("what?\n" + listed.read_text())

    with pytest.raises(CommandError, match="line 1: is not an entry"):
        run()

    assert stored()["GuestCreation"] == 0


def test_says_that_nothing_is_done_again_without_a_list(since, settings):
    since(erase())
    settings.RESTORE_LIST = None

    assert "Nothing to do" in run()

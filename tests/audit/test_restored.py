"""`audit_restored` excuses the seals that a backup lacks, and nothing else."""

import json
import subprocess
import sys
from dataclasses import asdict
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from audit import restored, triggers
from audit.models import AuditEvent, AuditLeaf, AuditSeal
from audit.sealing import anchor_lines, seals, signing
from audit.sealing import anchors as anchor_file
from tests.audit.factories import event, events
from tests.conftest import drop_audit_triggers
from tests.support.factories import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

STRANGER = "22" * 32


def _run(command, *arguments):
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=out)
    return out.getvalue()


def _refused(command, *arguments):
    with pytest.raises(CommandError) as failure:
        _run(command, *arguments)
    return str(failure.value)


def _announce():
    return _run("audit_restored", "--yes", "--actor", "operator")


def _grow(number):
    """Make `number` more seals of two events each."""
    for _ in range(number):
        events(2)
        seals.seal()


def _go_back(seal):
    """Make the log what a backup taken at `seal` holds; what had no seal then is not there."""
    drop_audit_triggers()
    kept = AuditLeaf.objects.filter(seal_id__lte=seal).values("event_id")
    AuditEvent.objects.exclude(id__in=list(kept.values_list("event_id", flat=True)))._raw_delete(
        "default"
    )
    AuditLeaf.objects.filter(seal_id__gt=seal)._raw_delete("default")
    AuditSeal.objects.filter(number__gt=seal)._raw_delete("default")
    triggers.install()


@pytest.fixture
def lost():
    """Five seals, of which the backup has two."""
    _grow(5)
    _go_back(2)


@pytest.fixture
def announced(lost):
    _announce()


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def _rewrite(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _is_restore(line):
    return "restored_seal" in line


def test_a_restored_log_does_not_verify_and_says_why(lost):
    problems = _refused("verify_audit")

    assert "seal 3: was cut off" in problems
    assert "audit_restored" in problems


def test_an_announced_restore_verifies_every_time_and_names_the_gap(announced):
    for _ in range(2):
        said = _run("verify_audit")

        assert "restored from a backup, announced 20" in said
        assert "seals 3 to 5 are lost, the log goes on after seal 2" in said
        assert "verified: " in said


def test_the_restore_is_an_event_under_a_seal(announced):
    told = AuditEvent.objects.get(kind="audit.restored")

    assert told.actor == "operator"
    data = json.loads(told.body)["data"]
    assert (data["restored_seal"], data["last_seal"]) == (2, 5)
    assert told.leaf.seal_id == 3


def test_seals_after_the_restore_are_anchored_under_their_old_numbers(announced, anchors):
    _grow(3)

    numbers = [line.get("seal") for line in _lines(anchors)]
    assert numbers == [1, 2, 3, 4, 5, None, 3, 4, 5, 6]
    assert "seals 1 to 6" in _run("verify_audit")
    assert "seals 5 to 6" in _run("verify_audit", "--since", "5")


def test_says_the_second_time_that_there_is_nothing_to_do(announced, anchors):
    before = anchors.read_bytes()

    assert "Nothing to do" in _announce()
    assert anchors.read_bytes() == before
    assert AuditEvent.objects.filter(kind="audit.restored").count() == 1


def test_says_of_a_log_that_was_not_restored_that_there_is_nothing_to_do(anchors):
    _grow(2)
    before = anchors.read_bytes()

    assert "Nothing to do" in _announce()
    assert anchors.read_bytes() == before


@pytest.mark.parametrize("backups", [(2, 2), (2, 1), (2, 4), (4, 3, 2, 1), (0, 0), (2, 3)])
def test_several_restores_one_after_another_verify(backups):
    _grow(5)
    for backup in backups:
        _go_back(backup)
        _announce()
        _grow(4)

    assert _run("verify_audit").count("restored from a backup") == len(backups)


def test_takes_over_the_seals_that_a_service_made_before_the_restore_was_announced(lost, anchors):
    _grow(2)
    assert len(_lines(anchors)) == 5  # the sealer added nothing to a file it contradicts
    assert "seal 3: is not the one anchored" in _refused("verify_audit")

    _announce()

    assert "seals 3 to 5 are lost, the log goes on after seal 2" in _run("verify_audit")


def test_a_restore_is_announced_in_the_anchor_file_of_each_machine(lost, anchors, settings):
    other = anchors.with_suffix(".of-another-machine")
    other.write_bytes(anchors.read_bytes())
    for file in (anchors, other):
        settings.AUDIT_ANCHORS = file
        _announce()
        _grow(1)

    assert AuditEvent.objects.filter(kind="audit.restored").count() == 1
    for file in (anchors, other):
        settings.AUDIT_ANCHORS = file
        seals.seal()
        assert "seals 3 to 5 are lost" in _run("verify_audit")


def test_seals_what_the_backup_had_not_sealed(lost):
    waiting = event()

    _announce()

    assert AuditLeaf.objects.get(event_id=waiting.id).seal_id == 3
    assert "verified" in _run("verify_audit")


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "not sealed"])
def test_goes_on_where_a_run_was_killed_after_its_event(lost, sealed):
    event(kind="audit.restored", data=asdict(restored.find_gap()))
    if sealed:
        seals.seal()

    _announce()

    assert AuditEvent.objects.filter(kind="audit.restored").count() == 1
    assert "verified" in _run("verify_audit")


def test_writes_a_torn_line_of_a_restore_again(lost, anchors):
    _announce()
    text = anchors.read_bytes()
    at = text.index(b'{"event"')
    anchors.write_bytes(text[: at + 40])

    _announce()

    assert "verified" in _run("verify_audit")


def test_does_nothing_without_a_terminal_and_without_yes(lost, anchors):
    before = anchors.read_bytes()

    assert "--yes" in _refused("audit_restored")
    assert anchors.read_bytes() == before
    assert not AuditEvent.objects.filter(kind="audit.restored").exists()


class _Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("typed", ["", "yes\n", "no\n"])
def test_does_nothing_where_the_word_is_not_typed(lost, anchors, monkeypatch, typed):
    monkeypatch.setattr(sys, "stdin", _Terminal(typed or "\n"))
    before = anchors.read_bytes()

    assert _refused("audit_restored") == "Nothing was done."
    assert anchors.read_bytes() == before


def test_goes_on_where_the_word_is_typed(lost, monkeypatch):
    monkeypatch.setattr(sys, "stdin", _Terminal("restored\n"))

    assert "seals 3 to 5 are lost" in _run("audit_restored")
    assert "verified" in _run("verify_audit")


def test_refuses_while_the_rest_of_the_log_does_not_verify(lost, anchors):
    before = anchors.read_bytes()
    drop_audit_triggers()
    first = AuditLeaf.objects.get(position=0).event_id
    AuditEvent.objects.filter(id=first).update(actor="forged")
    triggers.install()

    assert f"event {first}: its column actor was edited" in _refused("audit_restored", "--yes")
    assert anchors.read_bytes() == before


def test_refuses_an_anchor_file_of_another_log(lost, anchors):
    _rewrite(anchors, [line | {"log": str(uuid4())} for line in _lines(anchors)])

    assert "is of another log" in _refused("audit_restored", "--yes")


def test_refuses_without_the_anchor_file(lost, anchors):
    anchors.unlink()

    assert "is missing" in _refused("audit_restored", "--yes")


def test_refuses_an_anchor_file_that_lacks_a_line(lost, anchors):
    lines = _lines(anchors)
    _rewrite(anchors, [line for line in lines if line["seal"] != 4])

    assert "does not follow the one before" in _refused("audit_restored", "--yes")


def test_finds_an_event_that_was_changed_in_the_restored_log(announced):
    drop_audit_triggers()
    first = AuditLeaf.objects.get(position=1).event_id
    AuditEvent.objects.filter(id=first).update(kind="forged")
    triggers.install()

    assert f"event {first}: its column kind was edited" in _refused("verify_audit")


def test_finds_a_seal_that_a_stranger_made_in_the_restored_log(announced, settings):
    own, settings.AUDIT_SIGNING_KEY = settings.AUDIT_SIGNING_KEY, STRANGER
    _grow(1)
    settings.AUDIT_SIGNING_KEY = own

    assert "seal 4: signed with key" in _refused("verify_audit")


def test_finds_that_more_seals_are_gone_than_were_announced(announced):
    _go_back(1)

    assert "seal 2: was cut off" in _refused("verify_audit")


def test_finds_a_second_restore_that_nobody_announced(announced):
    _grow(2)
    _go_back(2)

    assert "line 6: the restore has no event in the log" in _refused("verify_audit")


def test_finds_a_second_restore_that_took_only_later_seals(announced):
    _grow(2)
    _go_back(3)

    assert "seal 4: was cut off" in _refused("verify_audit")


def test_finds_the_line_of_a_restore_given_again_for_a_second_one(announced, anchors):
    _grow(2)
    _go_back(2)
    lines = _lines(anchors)
    _rewrite(anchors, [*lines, next(filter(_is_restore, lines))])

    assert "does not name the last anchored seal" in _refused("verify_audit")


def test_finds_that_anchors_were_cut_back_to_an_earlier_restore(announced, anchors):
    _grow(2)
    _go_back(2)
    _rewrite(anchors, _lines(anchors)[:6])

    assert "has no event in the log" in _refused("verify_audit")


def _forged(anchors_file, settings, key):
    """Add the line of a restore that never was, signed by `key`."""
    gap = restored.find_gap()
    own, settings.AUDIT_SIGNING_KEY = settings.AUDIT_SIGNING_KEY, key
    line = anchor_lines.restored(
        log_id=restored._log_id(), gap=gap, event=uuid4(), event_seal=3, time="2026-01-01"
    )
    settings.AUDIT_SIGNING_KEY = own
    with anchors_file.open("ab") as file:
        file.write(line)


def test_finds_a_restore_that_a_stranger_announced(lost, anchors, settings):
    _forged(anchors, settings, STRANGER)

    assert "is signed with a key that nobody knows" in _refused("verify_audit")


def test_finds_a_restore_that_the_log_does_not_tell_of(lost, anchors, settings):
    _forged(anchors, settings, settings.AUDIT_SIGNING_KEY)

    assert "has no event in the log" in _refused("verify_audit")


@pytest.mark.parametrize(
    "change",
    [{"restored_seal": 1}, {"last_seal": 6}, {"event_seal": 4}, {"time": "2026-01-01"}],
    ids=str,
)
def test_finds_a_changed_line_of_a_restore(announced, anchors, change):
    _rewrite(anchors, [each | change if _is_restore(each) else each for each in _lines(anchors)])

    assert "is not signed by us" in _refused("verify_audit")


def test_finds_the_line_of_a_restore_of_another_log(announced, anchors):
    other = {"log": str(uuid4())}
    _rewrite(anchors, [each | other if _is_restore(each) else each for each in _lines(anchors)])

    assert "is of another log" in _refused("verify_audit")


def test_finds_that_the_line_of_a_restore_was_taken_out(announced, anchors):
    _rewrite(anchors, [each for each in _lines(anchors) if not _is_restore(each)])

    assert "seal 3: is not the one anchored" in _refused("verify_audit")


def test_finds_an_abandoned_line_that_was_taken_out(announced, anchors):
    lines = _lines(anchors)
    del lines[3]
    _rewrite(anchors, lines)

    assert "does not follow the one before" in _refused("verify_audit")


def test_could_not_verify_a_restore_signed_with_a_key_it_was_not_told(lost, settings):
    _announce()
    settings.AUDIT_SIGNING_KEY = STRANGER

    with pytest.raises(CommandError) as failure:
        _run("verify_audit")

    assert failure.value.returncode == 3


def test_finds_a_cut_although_the_key_of_a_restore_is_missing(announced, settings):
    _grow(2)
    _go_back(4)
    settings.AUDIT_SIGNING_KEY = STRANGER

    assert "seal 5: was cut off" in _refused("verify_audit")


def test_verifies_a_restore_signed_with_an_earlier_key(announced, settings):

    settings.AUDIT_VERIFY_KEYS = [signing.public_key_hex()]
    settings.AUDIT_SIGNING_KEY = STRANGER
    _grow(1)

    assert "restored from a backup" in _run("verify_audit")


def test_says_at_once_that_the_last_anchored_seal_is_gone(lost):
    assert anchor_file.lost() == 5

    _announce()

    assert anchor_file.lost() == 0


def test_the_auditors_page_names_the_restore(announced):
    answer = signed_in("Auditor").post("/admin/audit/auditevent/verify/")

    page = b"".join(answer.streaming_content).decode()
    assert "The log is as it was written" in page
    assert "seals 3 to 5 are lost, the log goes on after seal 2" in page


def _exported(tmp_path):
    bundle = tmp_path / "bundle"
    _run("export_audit", "--output", str(bundle), "--actor", "auditor")
    return bundle


def _offline(bundle):
    script = [sys.executable, "-I", str(bundle / "verify_bundle.py")]
    return subprocess.run(script, capture_output=True, text=True, timeout=60)


def test_a_bundle_of_a_restored_log_verifies_offline_and_names_the_gap(announced, tmp_path):
    _grow(2)

    result = _offline(_exported(tmp_path))

    assert result.returncode == 0, result.stdout
    assert "seals 3 to 5 are lost" in result.stdout


def test_the_offline_verifier_finds_a_restore_that_was_not_signed(announced, tmp_path):
    bundle = _exported(tmp_path)
    file = bundle / "anchors.jsonl"
    _rewrite(file, [each | {"time": "x"} if _is_restore(each) else each for each in _lines(file)])

    result = _offline(bundle)

    assert (result.returncode, "does not verify" in result.stdout) == (1, True)


def test_the_offline_verifier_finds_that_the_line_of_a_restore_is_missing(announced, tmp_path):
    _grow(2)
    bundle = _exported(tmp_path)
    file = bundle / "anchors.jsonl"
    _rewrite(file, [each for each in _lines(file) if not _is_restore(each)])

    result = _offline(bundle)

    assert (result.returncode, "anchored twice" in result.stdout) == (1, True)

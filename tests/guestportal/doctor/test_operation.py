"""Doctor names what stands still: housekeeping, sealing, recovery, backups, verification."""

import os
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from audit import verify
from audit.sealing import seals
from guestportal.doctor import files
from provisioning.models import WriteProbe
from tests.audit.factories import event
from tests.guestportal.doctor.conftest import Doctor
from tests.support.factories import creation


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def silent_housekeeping(settings: Any) -> None:
    WriteProbe.objects.update(written_at=ago(hours=3))


def no_housekeeping(settings: Any) -> None:
    WriteProbe.objects.all().delete()


def unsealed_event(settings: Any) -> None:
    with time_machine.travel(ago(hours=3)):
        event()


def overdue_creation(settings: Any) -> None:
    creation(status="pending", guest_id="", overdue_at=ago(minutes=5))


def old_backup(settings: Any) -> None:
    long_ago = time.time() - 27 * 3600
    os.utime(settings.BACKUP_MARKER, (long_ago, long_ago))


def backup_of_tomorrow(settings: Any) -> None:
    tomorrow = time.time() + 86_400
    os.utime(settings.BACKUP_MARKER, (tomorrow, tomorrow))


def lost_anchors(settings: Any) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=10)):
        event()
        seals.seal()
    Path(settings.AUDIT_ANCHORS).unlink()


def anchors_of_another_log(settings: Any) -> None:
    path = Path(settings.AUDIT_ANCHORS)
    lost_anchors(settings)
    path.write_text('{"log": "another", "seal": 7, "hash": "00"}\n')


def lost_seals(settings: Any) -> None:
    path = Path(settings.AUDIT_ANCHORS)
    last = path.read_text().splitlines()[-1]
    newest = seals.latest().number
    path.write_text(last.replace(f'"seal": {newest}', f'"seal": {newest + 5}') + "\n")


def another_seal_in_its_place(settings: Any) -> None:
    path = Path(settings.AUDIT_ANCHORS)
    path.write_text(path.read_text().replace(seals.latest().hash, "0" * 64))


def anchors_in_memory(settings: Any) -> None:
    settings.AUDIT_ANCHORS = Path("/dev/shm/guestportal-anchors.jsonl")


def key_of_nobody(settings: Any) -> None:
    settings.AUDIT_SIGNING_KEY = "13579bdf02468ace" * 4


def log_that_did_not_verify(settings: Any) -> None:
    report = verify.Report(problems=["seal 1: was edited"])
    verify.remember(report=report, actor="system")


FAULTS: list[tuple[Callable[[Any], None], str, str, str]] = [
    (silent_housekeeping, "housekeeping", "has not run for 3 hours", "make serve"),
    (no_housekeeping, "housekeeping", "has never run", "make serve"),
    (unsealed_event, "sealing", "waited for its seal for 3 hours", "log says why"),
    (overdue_creation, "recovery", "1 creations are overdue", "recover_pending"),
    (old_backup, "backup", "27 hours old, 26 are allowed", "deploy/backup.py FOLDER"),
    (backup_of_tomorrow, "backup", "in the future", "backup job"),
    (lost_anchors, "anchors", "ends with seal 0", "AUDIT_ANCHORS"),
    (anchors_of_another_log, "anchors", "ends with seal 0 of this log", "AUDIT_ANCHORS"),
    (lost_seals, "anchors", "the database has lost it", "audit_restored"),
    (another_seal_in_its_place, "anchors", "the database has lost it", "audit_restored"),
    (anchors_in_memory, "anchors", "is in memory", "its disk"),
    (key_of_nobody, "AUDIT_VERIFY_KEYS", "seals are signed with key", "give back"),
    (log_that_did_not_verify, "verification", "not as it was written", "call compliance"),
]


@pytest.mark.parametrize(
    ("put_in", "name", "said", "remedy"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS]
)
def test_names_the_fault(
    put_in: Callable[[Any], None], name: str, said: str, remedy: str, doctor: Doctor, settings: Any
) -> None:
    put_in(settings)

    found = doctor()

    assert found[name]["state"] == "fault"
    assert said in found[name]["said"]
    assert remedy in found[name]["remedy"]


def test_asks_first_for_a_restore_where_the_anchors_are_ahead_of_a_log_that_does_not_verify(
    doctor: Doctor, settings: Any
) -> None:
    log_that_did_not_verify(settings)
    alone = doctor()["verification"]["remedy"]
    lost_seals(settings)

    remedy = doctor()["verification"]["remedy"]

    assert "audit_restored" not in alone
    assert remedy.startswith("Restored from a backup? Run: manage.py audit_restored")
    assert "call compliance" in remedy


def test_names_a_clock_that_is_behind_the_newest_seal(doctor: Doctor) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        found = doctor()["clock"]

    assert found["state"] == "fault"
    assert "NTP" in found["remedy"]


def test_housekeeping_leaves_word(doctor: Doctor) -> None:
    no_housekeeping(None)

    call_command("housekeeping", "--once")

    assert doctor()["housekeeping"]["state"] == "ok"


def test_warns_of_a_verification_that_is_older_than_a_day(doctor: Doctor) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        found = doctor()["verification"]

    assert found["state"] == "warning"
    assert "verify_audit" in found["remedy"]


def test_warns_of_a_key_that_has_signed_for_more_than_three_years(doctor: Doctor) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=1_100)):
        found = doctor()["age of AUDIT_SIGNING_KEY"]

    assert found["state"] == "warning"
    assert "AUDIT_VERIFY_KEYS" in found["remedy"]


def test_knows_since_when_a_new_key_signs(doctor: Doctor, settings: Any) -> None:
    from audit.sealing import signing

    earlier = signing.public_key_hex()
    settings.AUDIT_SIGNING_KEY = "13579bdf02468ace" * 4
    settings.AUDIT_VERIFY_KEYS = [earlier]
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        event()
        seals.seal()
    with time_machine.travel(timezone.now() + timedelta(days=410)):
        found = doctor()

    assert found["age of AUDIT_SIGNING_KEY"]["said"] == "it has signed for 10 days"
    assert "AUDIT_VERIFY_KEYS" not in found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_warns_root_that_it_sees_too_little(doctor: Doctor, settings: Any) -> None:
    shutil.chown(Path(settings.AUDIT_ANCHORS).parent, "nobody")

    found = doctor()["user"]

    assert found["state"] == "warning"
    assert "runuser -u nobody" in found["remedy"]


def test_names_a_disk_that_is_not_mounted(
    doctor: Doctor, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "fstab"
    table.write_text(f"# disks\nUUID=1 / ext4 defaults 0 1\nUUID=2 {tmp_path} ext4 defaults 0 2\n")
    monkeypatch.setattr(files, "FSTAB", table)

    found = doctor()["anchors"]

    assert found["state"] == "fault"
    assert found["said"] == f"{tmp_path} is in fstab and not mounted"

"""The audit log: its anchors where they outlive the machine, its keys, its last verification."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from audit import verify
from audit.models import AuditLog, AuditSeal
from audit.sealing import anchors, seals, signing
from guestportal.doctor import files
from guestportal.doctor.findings import FAULT, NOT_CHECKED, OK, WARNING, Check, Finding

_REMEDY = "Look at AUDIT_ANCHORS, its disk and housekeeping's log: docs/operators.md#symptoms"
_REPAIR_NOTHING = "Repair nothing, copy database and anchors, call compliance"
_RESTORED = (
    "Restored from a backup? Run: manage.py audit_restored, then verify_audit"
    f" (docs/operators.md#the-restore-step-by-step). If not: {_REPAIR_NOTHING.lower()}."
)
_NOTHING = "can be written; nothing has been sealed yet"
# The sealer writes a seal's line right after its commit, or in its next run.
_GRACE = timedelta(minutes=5)
_CLOCKS_DIFFER = timedelta(seconds=30)
VERIFIED_WITHIN = timedelta(days=1)
# NIST SP 800-57 part 1 rev. 5, table 1: a private signature key is used for one to three years.
KEY_DAYS = 3 * 365


def _anchors() -> Iterator[Finding]:
    path = Path(settings.AUDIT_ANCHORS).absolute()
    if owner := files.owner_root_stands_for(path=path):
        said = f"is root, and AUDIT_ANCHORS lies with {owner}: what {owner} may not write is unseen"
        remedy = f"Run: runuser -u {owner} -- … manage.py doctor (docs/operators.md#install)"
        yield Finding("user", WARNING, said, remedy)
    if said := files.unfit(path=path):
        yield Finding("anchors", FAULT, said, _REMEDY)
        return
    identity = AuditLog.objects.first()
    if identity is None:
        yield Finding("anchors", OK, _NOTHING)
        return
    try:
        last, last_hash = _last_anchored(str(identity.log_id))
    except OSError as exc:
        yield Finding("anchors", FAULT, f"{path} cannot be read ({exc.strerror})", _REMEDY)
        return
    yield _compared(path, last, last_hash)


def _compared(path: Path, last: int, last_hash: str) -> Finding:
    if _is_lost(last, last_hash):
        said = f"seal {last} is anchored, and the database has lost it"
        remedy = _RESTORED
        return Finding("anchors", FAULT, said, remedy)
    newest = seals.latest()  # after the file was read, which then holds no later one
    if newest is None:
        return Finding("anchors", OK, _NOTHING)
    if last < newest.number:
        if datetime.now(UTC) - newest.time <= _GRACE:
            return Finding("anchors", OK, "the line of the newest seal is about to be written")
        said = f"{path} ends with seal {last} of this log, its newest is seal {newest.number}"
        return Finding("anchors", FAULT, said, _REMEDY)
    if connection.vendor == "sqlite" and _same_disk(path):
        remedy = "Set AUDIT_ANCHORS to a file on another disk, or ship the log lines `audit seal`."
        said = "lie on the disk of the database: who loses one loses both"
        return Finding("anchors", WARNING, said, remedy)
    return Finding("anchors", OK, f"{path} ends with the newest seal, {last}")


def _is_lost(number: int, seal_hash: str) -> bool:
    return number > 0 and not AuditSeal.objects.filter(number=number, hash=seal_hash).exists()


def _anchors_are_ahead() -> bool:
    """Tell whether a seal is anchored that the database lacks, as after a restore."""
    identity = AuditLog.objects.first()
    try:
        return identity is not None and _is_lost(*_last_anchored(str(identity.log_id)))
    except OSError:
        return False  # which the check of the anchors names


def _last_anchored(log_id: str) -> tuple[int, str]:
    """Return number and hash of a log's last seal in the file, 0 without one. Raises OSError."""
    try:
        return anchors.last(log_id=log_id)
    except FileNotFoundError:
        return 0, ""


def _same_disk(path: Path) -> bool:
    database = Path(str(connection.settings_dict["NAME"]))
    return database.is_file() and database.stat().st_dev == path.stat().st_dev


def _signing_key() -> Iterator[Finding]:
    if not settings.AUDIT_SIGNING_KEY:
        yield Finding("age of AUDIT_SIGNING_KEY", NOT_CHECKED, "it is not set")
        return
    newest = seals.latest()
    first = seals.first_signed_by(key_id=signing.key_id())
    yield from _unknown_keys(newest, first)
    if first is None:
        yield Finding("age of AUDIT_SIGNING_KEY", OK, "it has not signed yet")
        return
    days = (datetime.now(UTC) - first.time).days
    if days > KEY_DAYS:
        said = f"it has signed for {days:,} days; three years are the most that is advised"
        remedy = "Set a new one, and the earlier public key in AUDIT_VERIFY_KEYS: docs/audit-log.md"
        yield Finding("age of AUDIT_SIGNING_KEY", WARNING, said, remedy)
    else:
        yield Finding("age of AUDIT_SIGNING_KEY", OK, f"it has signed for {days:,} days")


def _unknown_keys(newest: AuditSeal | None, first: AuditSeal | None) -> Iterator[Finding]:
    """Name the keys of the oldest seal, and of the last one before our own, that nobody knows."""
    if newest is None:
        return
    numbers = {1, first.number - 1 if first else newest.number}
    signed = AuditSeal.objects.filter(number__in=numbers).values_list("key_id", flat=True)
    for key_id in sorted(set(signed) - signing.public_keys().keys()):
        said = f"seals are signed with key {key_id}, which it does not hold"
        remedy = "Add that public key, or give back the AUDIT_SIGNING_KEY that this log had."
        yield Finding("AUDIT_VERIFY_KEYS", FAULT, said, remedy)


def _verification() -> Iterator[Finding]:
    last, remedy = verify.last(), "Run: manage.py verify_audit (every day, by cron or a timer)"
    if last is None:
        sealed = seals.latest() is not None
        said = "the audit log was never verified" if sealed else "nothing has been sealed yet"
        yield Finding("verification", WARNING if sealed else OK, said, remedy if sealed else "")
    elif not last.verified:
        said = f"at {last.time:%Y-%m-%d %H:%M} UTC the audit log was not as it was written"
        remedy = _RESTORED if _anchors_are_ahead() else f"{_REPAIR_NOTHING}."
        yield Finding("verification", FAULT, said, remedy)
    elif datetime.now(UTC) - last.time > VERIFIED_WITHIN:
        said = f"the last one was at {last.time:%Y-%m-%d %H:%M} UTC, more than a day ago"
        yield Finding("verification", WARNING, said, remedy)
    else:
        yield Finding("verification", OK, f"all was well at {last.time:%Y-%m-%d %H:%M} UTC")


def _clock() -> Iterator[Finding]:
    """Look at our clock beside the newest seal: no seal is made later than now."""
    now, newest = datetime.now(UTC), seals.latest()
    if newest is not None and newest.time - now > _CLOCKS_DIFFER:
        said = f"it is {now:%Y-%m-%d %H:%M} UTC here, and the newest seal is of a later time"
        remedy = "Run NTP here and wherever housekeeping runs (timedatectl says whether it does)."
        yield Finding("clock", FAULT, said, remedy)
        return
    there = now.astimezone(ZoneInfo(settings.STAFF_TIME_ZONE))
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC, for staff {there:%H:%M} ({settings.STAFF_TIME_ZONE})"
    yield Finding("clock", OK, said)


CHECKS = (
    Check("clock", _clock, needs="migrations"),
    Check("anchors", _anchors, needs="migrations"),
    Check("age of AUDIT_SIGNING_KEY", _signing_key, needs="migrations"),
    Check("verification", _verification, needs="migrations"),
)

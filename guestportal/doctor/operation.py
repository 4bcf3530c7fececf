"""What runs beside the web processes: housekeeping, the queue, the backup job."""

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from audit.sealing import seals
from guestportal.doctor import files
from guestportal.doctor.findings import FAULT, NOT_CHECKED, OK, Check, Finding
from guestportal.watch import backups
from provisioning import health

# Housekeeping leaves word once a minute, seals every 15 seconds, recovers every 5.
SILENT_SECONDS = 180.0
UNSEALED_SECONDS = 120.0
OVERDUE_SECONDS = 60.0
QUEUED_SECONDS = 60.0
_START = "Start it: make serve runs it too, or: systemctl start guestportal-housekeeping"
_HOUR = 3600


def _housekeeping() -> Iterator[Finding]:
    age = health.housekeeping_age()
    if age is None:
        yield Finding("housekeeping", FAULT, "has never run", _START)
    elif age > SILENT_SECONDS:
        said = f"has not run for {_duration(age)}"
        yield Finding("housekeeping", FAULT, said, _START)
    else:
        yield Finding("housekeeping", OK, f"ran {_duration(age)} ago")


def _sealing() -> Iterator[Finding]:
    age = seals.oldest_unsealed_age()
    if age > UNSEALED_SECONDS:
        said = f"an audit event has waited for its seal for {_duration(age)}"
        remedy = "Housekeeping's log says why (seal failed: the key, or the anchor file)."
        yield Finding("sealing", FAULT, said, remedy)
    else:
        yield Finding("sealing", OK, "no audit event waits for long")


def _recovery() -> Iterator[Finding]:
    if late := health.overdue(since=timedelta(seconds=OVERDUE_SECONDS)):
        said = f"{late:,} creations are overdue and not settled"
        remedy = "Housekeeping's log says why; by hand: manage.py recover_pending"
        yield Finding("recovery", FAULT, said, remedy)
    else:
        yield Finding("recovery", OK, "no creation is overdue")


def _queue() -> Iterator[Finding]:
    if not settings.CELERY_BROKER_URL:
        return
    age = health.oldest_queued_age()
    if age > QUEUED_SECONDS:
        said = f"an init has waited for {_duration(age)}"
        remedy = "The worker's log says why (retry: the platform): docs/operators.md#symptoms"
        yield Finding("queue", FAULT, said, remedy)
    else:
        yield Finding("queue", OK, "no init waits for long")


def _backup() -> Iterator[Finding]:
    age = backups.age()
    if age is None:
        said = "BACKUP_MARKER is not set: nobody knows whether there is one"
        yield Finding("backup", NOT_CHECKED, said)
        return
    path, most = settings.BACKUP_MARKER, settings.BACKUP_MAX_HOURS
    remedy = f"Look at the backup job (deploy/backup.py FOLDER); it touches {path} when it is done."
    if math.isinf(age):
        said = f"{path} cannot be found, or is dated in the future"
        yield Finding("backup", FAULT, said, remedy)
    elif age > most * _HOUR:
        said = f"the last one is {age / _HOUR:.0f} hours old, {most} are allowed"
        yield Finding("backup", FAULT, said, remedy)
    else:
        yield Finding("backup", OK, f"the last one is {age / _HOUR:.0f} hours old")


def _restore_list() -> Iterator[Finding]:
    if settings.RESTORE_LIST is None:
        said = "RESTORE_LIST is not set: after a restore, erasures would have to be found by hand"
        yield Finding("restore list", NOT_CHECKED, said)
        return
    path = Path(settings.RESTORE_LIST).absolute()
    if said := files.unfit(path=path):
        yield Finding("restore list", FAULT, said, "Look at RESTORE_LIST and its disk.")
    else:
        yield Finding("restore list", OK, f"{path} can be written")


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"


CHECKS = (
    Check("housekeeping", _housekeeping, needs="migrations"),
    Check("sealing", _sealing, needs="migrations"),
    Check("recovery", _recovery, needs="migrations"),
    Check("queue", _queue, needs="migrations"),
    Check("backup", _backup),
    Check("restore list", _restore_list),
)

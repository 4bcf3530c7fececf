"""A log restored from a backup: say which seals it lost, once, signed, in the log and the anchors.

From then on a verification reports that gap as restored, and finds whatever else is missing.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import log, verify
from audit.models import AuditEvent, AuditLeaf, AuditLog
from audit.sealing import anchor_lines, anchors, seals
from audit.sealing.anchor_lines import Gap
from audit.sealing.trail import RESTORED, Trail


class CannotAnnounce(Exception):
    """The gap cannot be found or announced; the message says why, and nothing was announced."""


def find_gap() -> Gap | None:
    """Return which anchored seals the database lacks; None where it lacks none.

    Reads the whole anchor file. Raises CannotAnnounce where that cannot be read.
    """
    path = Path(settings.AUDIT_ANCHORS)
    if not AuditLog.objects.exists() and not (path.exists() and path.stat().st_size):
        return None  # nothing was ever sealed
    trail = Trail(path, log_id=_log_id())
    gap = trail.gap()
    if said := trail.problem or trail.obstacle:
        raise CannotAnnounce(said)
    return gap


def announce(*, gap: Gap, actor: str, progress: Callable[[int], object] = lambda _: None) -> None:
    """Record in the log and in the anchor file that a restore lost the seals of `gap`.

    Seals what waits, and verifies the whole log but for the gap first; `progress` is called with
    the number of events checked since the last call. What a kill left half done is taken up by the
    next run. Raises CannotAnnounce where the rest of the log does not verify, SigningKeyMissing,
    or OSError where the anchor file cannot be written.
    """
    seals.seal(sweep=True)
    report = verify.verify(announcing=gap, progress=progress)
    if not report.verified:
        raise CannotAnnounce(
            "but for the seals that are lost the log does not verify:\n"
            + "\n".join([*report.problems, *report.obstacles])
        )
    event = _recorded(gap) or _record(gap, actor)
    seals.seal(sweep=True)
    sealed = AuditLeaf.objects.filter(event_id=event).values_list("seal_id", flat=True).first()
    if sealed is None:
        raise CannotAnnounce("another process seals the log: stop the service, and run this again")
    now, log_id = log.timestamp(datetime.now(UTC)), _log_id()
    line = anchor_lines.restored(log_id=log_id, gap=gap, event=event, event_seal=sealed, time=now)
    try:
        anchors.append_restored(line=line, log_id=log_id)
    except ValueError as exc:
        raise CannotAnnounce(str(exc)) from exc
    anchors.append_missing(log_id=log_id)


def _record(gap: Gap, actor: str) -> UUID:
    with transaction.atomic():
        log.record(kind=RESTORED, actor=actor, data=asdict(gap))
    event = _recorded(gap)
    assert event is not None  # noqa: S101  (just recorded)
    return event


def _recorded(gap: Gap) -> UUID | None:
    """Return the event that tells of `gap`, which a killed run may have left."""
    rows = AuditEvent.objects.filter(kind=RESTORED).order_by("-id").values_list("id", "body")
    return next((key for key, body in rows if json.loads(body)["data"] == asdict(gap)), None)


def _log_id() -> UUID:
    identity = AuditLog.objects.first()
    if identity is None:
        raise CannotAnnounce(
            f"the database has no log yet, and {settings.AUDIT_ANCHORS} is of one: which database"
            " is this, and when was its backup made?"
        )
    return identity.log_id

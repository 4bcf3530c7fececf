"""Is the log what it was? Everything is read again, and the first thing that is not is named.

`verify` checks the whole chain, `verify_seal` one seal; `remember` and `last` keep what came out as
an event of the log itself.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import log, records, triggers
from audit.models import AuditEvent, AuditLeaf, AuditLog, AuditSeal
from audit.sealing import checking, seals, unsealed
from audit.sealing.anchor_lines import Gap
from audit.sealing.trail import Trail

# Yields how many events were checked since the last step; returns the first problem.
Checking = Generator[int, None, str | None]
VERIFIED = "audit.verified"


@dataclass
class Report:
    """What a verification covered and found.

    `problems` name, for each thing checked, the first event, seal or line that is not as it was;
    `obstacles` the key or file without which something could not be checked, which says nothing
    against the log; `warnings` are what no rule forbids but a reviewer should see; `restored` are
    the gaps that `audit_restored` has announced and signed.
    """

    first_seal: int = 1
    last_seal: int = 0
    events: int = 0
    unsealed: int = 0
    late: int = 0
    problems: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Whether everything was looked at and is as it was written."""
        return not self.problems and not self.obstacles


@dataclass(frozen=True)
class Verification:
    """A verification that was made: when, whether all was well, up to which seal."""

    time: datetime
    verified: bool
    last_seal: int


class UnknownSeal(LookupError):
    """There is no seal of the number to begin with."""


def verify(
    *,
    since: int | None = None,
    anchors: Path | None = None,
    announcing: Gap | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Report:
    """Check the log as `steps` does; `progress` is called with what each step yields."""
    checking = steps(since=since, anchors=anchors, announcing=announcing)
    while True:
        try:
            progress(next(checking))
        except StopIteration as end:
            report: Report = end.value
            return report


def steps(
    *, since: int | None = None, anchors: Path | None = None, announcing: Gap | None = None
) -> Generator[int, None, Report]:
    """Check events, leaves, seals, signatures and anchors; memory stays flat.

    Begins with the seal `since`, checked against the one before, which is believed; reads the file
    `anchors`, without it ``AUDIT_ANCHORS``; takes the gap `announcing` for one that was announced.
    Yields the number of events checked since the last step, as many as a seal has; returns the
    report. Raises UnknownSeal where there is no seal `since`.
    """
    if since is not None and not AuditSeal.objects.filter(number=since).exists():
        raise UnknownSeal(f"there is no seal {since}")
    report = Report(first_seal=since or 1)
    report.problems += [
        f"trigger {name} is missing, altered or disabled" for name in triggers.missing()
    ]
    newest = seals.latest()
    identity = AuditLog.objects.first()
    if newest is not None and identity is None:
        report.problems.append("the log's id is gone from the database")
    log_id = identity.log_id if identity else UUID(int=0)
    trail = Trail(
        anchors or Path(settings.AUDIT_ANCHORS),
        log_id=log_id,
        since=report.first_seal,
        announcing=announcing,
    )
    previous = AuditSeal.objects.filter(number=report.first_seal - 1).first()
    signatures = checking.Signatures(previous=previous)
    _note(report, (yield from _check_seals(report, log_id, previous, signatures, trail)))
    trail.check_end(newest)
    _note(report, trail.problem)
    report.obstacles += filter(None, (signatures.obstacle, trail.obstacle))
    report.restored += map(str, trail.restored)
    _note(report, _check_extra_leaves(newest))
    _note(report, _check_unsealed(report))
    if report.late:
        report.warnings.append(
            f"{report.late} events were sealed after younger ones: committed late, or back-dated"
        )
    return report


def verify_seal(*, number: int) -> Report:
    """Check one seal with all its events, its signature and its link.

    The seals before it are believed: `verify` checks the whole chain and the anchors.
    """
    report = Report(first_seal=number, last_seal=number)
    seal = AuditSeal.objects.filter(number=number).first()
    identity = AuditLog.objects.first()
    if seal is None or identity is None:
        report.problems.append(f"seal {number} was deleted")
        return report
    previous = AuditSeal.objects.filter(number=number - 1).first()
    log_id = identity.log_id
    problem = checking.check_seal(seal=seal, previous=previous, first=number, log_id=log_id)
    signatures = checking.Signatures(previous=previous)
    problem = problem or signatures.check(seal, log_id)
    rows = islice(records.sealed(first_position=seal.first_position), seal.count)
    _note(report, problem or checking.check_batch(seal=seal, rows=list(rows)))
    report.obstacles += filter(None, (signatures.obstacle,))
    return report


def remember(*, report: Report, actor: str) -> None:
    """Record in the log that `actor` verified it, and what came out.

    Nothing is recorded where a key or a file was missing and nothing else was found.
    """
    if report.obstacles and not report.problems:
        return
    with transaction.atomic():
        log.record(
            kind=VERIFIED,
            actor=actor,
            data={
                "verified": report.verified,
                "first_seal": report.first_seal,
                "last_seal": report.last_seal,
                "events": report.events,
                "problems": len(report.problems),
                "restored": len(report.restored),
            },
        )


def last() -> Verification | None:
    """Return the newest verification on record, or None."""
    made = AuditEvent.objects.filter(kind=VERIFIED, time__lte=datetime.now(UTC))
    event = made.order_by("-id").first()
    if event is None:
        return None
    data = json.loads(event.body)["data"]
    return Verification(event.time, data["verified"], data["last_seal"])


def _note(report: Report, problem: str | None) -> None:
    if problem:
        report.problems.append(problem)


def _check_seals(
    report: Report,
    log_id: UUID,
    previous: AuditSeal | None,
    signatures: checking.Signatures,
    trail: Trail,
) -> Checking:
    first_position = previous.first_position + previous.count if previous else 0
    rows = records.sealed(first_position=first_position)
    newest_time, first = "", report.first_seal
    chain = AuditSeal.objects.filter(number__gte=report.first_seal).order_by("number")
    for seal in chain.iterator():
        problem = checking.check_seal(seal=seal, previous=previous, first=first, log_id=log_id)
        problem = problem or signatures.check(seal, log_id)
        if not problem:
            batch = list(islice(rows, seal.count))
            problem = checking.check_batch(seal=seal, rows=batch)
        if problem:
            return problem
        trail.check(seal)
        times = [row[5] for row in batch]
        report.late += _late(times, newest_time)
        newest_time = max(newest_time, *times)
        if not _is_time(newest_time):
            forged = next(row[4] for row in batch if row[5] == newest_time)
            return f"event {forged}: its time is none"
        report.events += seal.count
        report.last_seal = seal.number
        previous = seal
        yield seal.count
    return None


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _late(times: list[str], newest: str) -> int:
    """Count the events that are much older than one already sealed before them."""
    if not newest:
        return 0
    limit = log.timestamp(datetime.fromisoformat(newest) - unsealed.LOOK_BACK)
    return sum(time < limit for time in times)


def _check_extra_leaves(newest: AuditSeal | None) -> str | None:
    end = newest.first_position + newest.count if newest else 0
    extra = AuditLeaf.objects.filter(position__gte=end).order_by("position").first()
    # Another sealer may have gone on since; its leaves have their seal.
    if extra and not AuditSeal.objects.filter(number=extra.seal_id).exists():
        return f"event {extra.event_id}: was inserted at position {extra.position} without a seal"
    return None


def _check_unsealed(report: Report) -> str | None:
    """Check what no seal protects yet; the sealer takes an event within a minute."""
    after = _beginning(report.first_seal)
    limit = log.timestamp(datetime.now(UTC) - unsealed.LOOK_BACK)
    problem = None
    for event in records.unsealed(after=after):
        report.unsealed += 1
        if problem:
            continue
        if column := records.differing_column(event):
            problem = f"event {event[0]}: its column {column} was edited (not sealed yet)"
        elif event[1] < limit:
            problem = f"event {event[0]}: of {event[1]}, has no seal: no sealer runs, or inserted"
    return problem


def _beginning(first_seal: int) -> UUID:
    """Return the id from which on unsealed events concern a verification from `first_seal` on."""
    if first_seal == 1:
        return unsealed.BEGINNING
    position = AuditSeal.objects.values_list("first_position", flat=True).get(number=first_seal)
    first = AuditLeaf.objects.filter(position=position).values_list("event_id", flat=True).first()
    return first or unsealed.BEGINNING

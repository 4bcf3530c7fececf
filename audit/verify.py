"""Is the log what it was? Everything is read again, and the first thing that is not is named.

`verify` checks the whole chain, `verify_seal` one seal; `remember` and `last` keep what came out as
an event of the log itself.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import log, records, triggers
from audit.models import AuditEvent, AuditLeaf, AuditLog, AuditSeal
from audit.sealing import merkle, seals, signing, unsealed
from audit.sealing.anchors import Trail

# Yields how many events were checked since the last step; returns the first problem.
Checking = Generator[int, None, str | None]
VERIFIED = "audit.verified"


@dataclass
class Report:
    """What a verification covered and found.

    `problems` name, for each thing checked, the first event, seal or line that is not as it was;
    `obstacles` the key or file without which something could not be checked, which says nothing
    against the log; `warnings` are what no rule forbids but a reviewer should see.
    """

    first_seal: int = 1
    last_seal: int = 0
    events: int = 0
    unsealed: int = 0
    late: int = 0
    problems: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

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
    progress: Callable[[int], object] = lambda _: None,
) -> Report:
    """Check the log as `steps` does; `progress` is called with what each step yields."""
    checking = steps(since=since, anchors=anchors)
    while True:
        try:
            progress(next(checking))
        except StopIteration as end:
            report: Report = end.value
            return report


def steps(*, since: int | None = None, anchors: Path | None = None) -> Generator[int, None, Report]:
    """Check events, leaves, seals, signatures and anchors; memory stays flat.

    Begins with the seal `since`, checked against the one before, which is believed; reads the file
    `anchors`, without it ``AUDIT_ANCHORS``. Yields the number of events checked since the last
    step, as many as a seal has; returns the report. Raises UnknownSeal where there is no seal
    `since`.
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
    trail = Trail(anchors or Path(settings.AUDIT_ANCHORS), log_id=log_id, since=report.first_seal)
    _note(report, (yield from _check_seals(report, log_id, trail)))
    trail.check_end(newest)
    _note(report, trail.problem)
    report.obstacles += [trail.obstacle] if trail.obstacle else []
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
    problem = _check_seal(seal, previous, number, identity.log_id)
    signatures = _Signatures(report, previous=previous)
    problem = problem or signatures.check(seal, identity.log_id)
    rows = islice(records.sealed(first_position=seal.first_position), seal.count)
    _note(report, problem or _check_batch(seal, list(rows)))
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


def _check_seals(report: Report, log_id: UUID, trail: Trail) -> Checking:
    previous = AuditSeal.objects.filter(number=report.first_seal - 1).first()
    first_position = previous.first_position + previous.count if previous else 0
    rows = records.sealed(first_position=first_position)
    signatures = _Signatures(report, previous=previous)
    newest_time = ""
    chain = AuditSeal.objects.filter(number__gte=report.first_seal).order_by("number")
    for seal in chain.iterator():
        problem = _check_seal(seal, previous, report.first_seal, log_id)
        problem = problem or signatures.check(seal, log_id)
        if not problem:
            batch = list(islice(rows, seal.count))
            problem = _check_batch(seal, batch)
        if problem:
            return problem
        trail.check(seal)
        times = [row[5] for row in batch]
        report.late += _late(times, newest_time)
        newest_time = max(newest_time, *times)
        report.events += seal.count
        report.last_seal = seal.number
        previous = seal
        yield seal.count
    return None


def _check_seal(
    seal: AuditSeal, previous: AuditSeal | None, first: int, log_id: UUID
) -> str | None:
    name = f"seal {seal.number}"
    number = previous.number + 1 if previous else first
    if seal.number != number:
        return f"seal {number} was deleted"
    if seal.previous_hash != (previous.hash if previous else seals.NOTHING_BEFORE):
        return f"{name}: does not follow the seal before it"
    if seal.first_position != (previous.first_position + previous.count if previous else 0):
        return f"{name}: does not begin where the seal before it ends"
    message = seals.header(seal=seal, log_id=log_id)
    if sha256(message).hexdigest() != seal.hash:
        return f"{name}: was edited"
    return None


class _Signatures:
    """Checks the signatures of seals that are given in order.

    A key that we do not know may be an earlier one that AUDIT_VERIFY_KEYS lacks: an obstacle, which
    goes into `report`. Once our own key has signed, no other may follow.
    """

    def __init__(self, report: Report, *, previous: AuditSeal | None) -> None:
        self._report = report
        self._keys = signing.public_keys()
        self._own = signing.key_id() if settings.AUDIT_SIGNING_KEY else ""
        self._ours_has_signed = previous is not None and previous.key_id == self._own

    def check(self, seal: AuditSeal, log_id: UUID) -> str | None:
        """Return what is wrong with the signature of `seal`."""
        named = f"seal {seal.number}: signed with key {seal.key_id}"
        if seal.key_id not in self._keys:
            if self._ours_has_signed:
                return f"{named}, which nobody knows, after our own key"
            if not self._report.obstacles:
                self._report.obstacles.append(f"{named}, which AUDIT_VERIFY_KEYS does not hold")
            return None
        signature = signing.Signature(key_id=seal.key_id, signature=seal.signature)
        message = seals.header(seal=seal, log_id=log_id)
        if not signing.verify(message=message, purpose="seal", signature=signature):
            return f"seal {seal.number}: its signature is not ours"
        self._ours_has_signed |= seal.key_id == self._own
        return None


def _check_batch(seal: AuditSeal, rows: list[tuple[Any, ...]]) -> str | None:
    for position, row in enumerate(rows, seal.first_position):
        at, in_seal, leaf, leaf_event = row[:4]
        event = row[4:]
        if at != position or in_seal != seal.number:
            return f"seal {seal.number}: the leaf at position {position} was deleted or moved"
        if event[0] is None:
            return f"event {leaf_event}: was deleted (seal {seal.number}, position {position})"
        # str(): SQLite would also hold bytes in a text column.
        if merkle.leaf_hash(body=str(event[-1])).hex() != leaf:
            return f"event {leaf_event}: its body (or its leaf) was edited, seal {seal.number}"
        if column := records.differing_column(event):
            return f"event {leaf_event}: its column {column} was edited, seal {seal.number}"
    if len(rows) != seal.count:
        return f"seal {seal.number}: {seal.count - len(rows)} of its leaves were deleted"
    root = merkle.root(leaves=[bytes.fromhex(row[2]) for row in rows]).hex()
    if root != seal.root:
        return (
            f"seal {seal.number}: its events are not those it was made of"
            f" (positions {seal.first_position} to {seal.first_position + seal.count - 1})"
        )
    return None


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

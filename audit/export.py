"""Hand the log to somebody who trusts neither us nor our database: records, each with its proof.

A bundle is a zip file or a folder of records, seals, anchors, a stand-alone verifier, and a signed
manifest with the hash of each of these files.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit import bundle, log
from audit.models import AuditLeaf, AuditLog, AuditSeal
from audit.offline import verify_bundle
from audit.sealing import anchor_lines, merkle, receipt_keys, seals, signing
from audit.sealing.anchor_lines import Restored

EXPORTED = "audit.exported"


@dataclass(frozen=True)
class Filter:
    """Which events; what is None or empty does not narrow. `until` itself is left out."""

    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""
    subject: str = ""

    def leaves(self) -> QuerySet[AuditLeaf]:
        """Return the leaves of the sealed events that match, in the log's order."""
        wanted = {
            "event__time__gte": self.since,
            "event__time__lt": self.until,
            "event__kind": self.kind,
            "event__subject": self.subject,
        }
        narrowed = {name: value for name, value in wanted.items() if value}
        return AuditLeaf.objects.filter(**narrowed).order_by("position")

    def described(self) -> dict[str, str]:
        """Return what narrows, as JSON."""
        return {
            name: log.timestamp(value) if isinstance(value, datetime) else value
            for name, value in vars(self).items()
            if value
        }


def export(
    *,
    output: Path,
    actor: str,
    only: Filter | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Write a bundle to `output`, a zip file or a folder to make; return the number of records.

    A folder where the name does not end in ``.zip``. `progress` is called with the number of
    records written since the last call. Raises what `steps` does, and OSError where `output` exists
    or cannot be written.
    """
    with bundle.new(output=output) as made:
        return sum(_told(steps(made=made, actor=actor, only=only or Filter()), progress))


def download(*, actor: str, only: Filter) -> Iterator[bytes]:
    """Yield a bundle as a zip file, piece by piece. Raises what `steps` does, before the first."""
    stream = bundle.Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for _ in steps(made=bundle.Bundle(archive=archive), actor=actor, only=only):
            yield stream.taken()
    yield stream.taken()


def steps(*, made: bundle.Bundle, actor: str, only: Filter) -> Iterator[int]:
    """Write what proves the events of `only` into `made`; yield 0 at the start, 1 for each record.

    Seals what waits, so that every event so far has a proof, and records the export by `actor`,
    before the first byte is written: the log only grows, so that the events counted are those
    exported. Raises SigningKeyMissing, or OSError where the anchor file cannot be written or read.
    """
    seals.seal()
    newest = seals.latest()
    end = newest.first_position + newest.count if newest else 0
    leaves = only.leaves().filter(position__lt=end)
    count = leaves.count()
    with transaction.atomic():
        described = {"filter": only.described(), "rows": count}
        log.record(kind=EXPORTED, actor=actor, subject=only.subject, data=described)
    yield 0
    yield from _write(made, leaves)
    made.sign(
        {
            "format": 1,
            "log": str(AuditLog.objects.get().log_id),
            "exported_at": log.timestamp(datetime.now(UTC)),
            "actor": actor,
            "filter": only.described(),
            "records": count,
            # Tells an end that is missing from a record taken out.
            "last_position": leaves.values_list("position", flat=True).last() or 0,
            "public_keys": signing.public_keys(),
            "receipt_keys": receipt_keys.key_set(),
        }
    )


def _told(steps: Iterator[int], progress: Callable[[int], object]) -> Iterator[int]:
    for step in steps:
        progress(step)
        yield step


def _write(made: bundle.Bundle, leaves: QuerySet[AuditLeaf]) -> Iterator[int]:
    numbers = leaves.values_list("seal_id", flat=True)
    first, last = numbers.first() or 0, numbers.last() or 0
    for _ in made.write("records.jsonl", _records(leaves)):
        yield 1
    for name, lines in (
        ("seals.jsonl", _seals(first, last)),
        ("anchors.jsonl", _anchors(first, last)),
        ("verify_bundle.py", [Path(verify_bundle.__file__).read_bytes()]),
    ):
        for _ in made.write(name, lines):
            yield 0


def _records(leaves: QuerySet[AuditLeaf]) -> Iterator[bytes]:
    rows = leaves.values_list("seal_id", "position", "event__body").iterator()
    for number, batch in groupby(rows, key=lambda row: row[0]):
        seal = AuditSeal.objects.get(number=number)
        tree = _tree(seal)
        for _, position, body in batch:
            path = merkle.audit_path(tree=tree, index=position - seal.first_position)
            proof = [node.hex() for node in path]
            yield _line({"seal": number, "position": position, "body": body, "path": proof})


def _tree(seal: AuditSeal) -> list[list[bytes]]:
    positions = range(seal.first_position, seal.first_position + seal.count)
    hashes = AuditLeaf.objects.filter(
        position__gte=positions.start, position__lt=positions.stop
    ).order_by("position")
    return merkle.levels(
        leaves=[bytes.fromhex(leaf) for leaf in hashes.values_list("hash", flat=True)]
    )


def _seals(first: int, last: int) -> Iterator[bytes]:
    log_id = AuditLog.objects.get().log_id
    chain = AuditSeal.objects.filter(number__range=(first, last)).order_by("number")
    for seal in chain.iterator():
        signed = json.loads(seals.header(seal=seal, log_id=log_id))
        yield _line({**signed, "hash": seal.hash, "signature": seal.signature})


def _anchors(first: int, last: int) -> Iterator[bytes]:
    """Yield the lines of the seals, and of every restore, after which some are of lost seals."""
    log_id = str(AuditLog.objects.get().log_id)
    with Path(settings.AUDIT_ANCHORS).open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                line = anchor_lines.parse(text)
            except ValueError as exc:
                raise OSError(f"{file.name}, line {number} is not an anchor") from exc
            wanted = isinstance(line, Restored) or first <= line.number <= last
            if wanted and line.log_id == log_id:
                yield text


def _line(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False) + "\n").encode()

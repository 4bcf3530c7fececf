"""Seals: batches of events under a Merkle root, chained to the batch before, signed, anchored.

Events are read and hashed outside any lock; only the append itself is a transaction, so that on
SQLite no init waits longer than that (60 ms for 2,000 events, 150 for 10,000). A second sealer
finds the chain grown under its hands and leaves; should every lock fail, the seal's number is
unique.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

from django.db import connection, transaction

from audit import log
from audit.models import AuditLeaf, AuditLog, AuditSeal
from audit.sealing import anchor_lines, anchors, merkle, signing, unsealed

_ADVISORY_LOCK = 0x6175646974  # "audit": any constant that no other lock of the database uses


def seal(*, limit: int = 2_000, sweep: bool = False) -> list[AuditSeal]:
    """Seal every event that has no seal yet, `limit` to a seal; return the seals made.

    Looks a few minutes back; with `sweep`, and by itself once a day, at the whole log. Returns
    early when another sealer is at work. Safe to run at any time, anywhere, and to kill. Raises
    SigningKeyMissing, or OSError where the anchor file cannot be written: then the seals stand, and
    the next run adds their lines.
    """
    log_id = _log_id()
    anchors.append_missing(log_id=log_id)
    if unsealed.sweep_is_due():
        sweep = True
        with transaction.atomic():
            log.record(kind=unsealed.SWEPT)
    made: list[AuditSeal] = []
    after = unsealed.BEGINNING if sweep else unsealed.horizon()
    while True:
        previous = latest()  # before the events: what is sealed meanwhile then shows as a new seal
        events = list(unsealed.events(after=after).values_list("id", "body")[:limit])
        if not events or not (sealed := _append(previous, events, log_id)):
            return made
        anchors.append_missing(log_id=log_id)
        made.append(sealed)
        after = events[-1][0]


def latest() -> AuditSeal | None:
    """Return the newest seal, or None."""
    return AuditSeal.objects.order_by("-number").first()


def first_signed_by(*, key_id: str) -> AuditSeal | None:
    """Return the first seal that a key signed; None where it did not sign the newest.

    Keys follow one another, so of two halves of the chain one has it: no table is read through.
    """
    newest = latest()
    if newest is None or newest.key_id != key_id:
        return None
    low, high = 1, newest.number
    while low < high:
        middle = (low + high) // 2
        if AuditSeal.objects.filter(number=middle, key_id=key_id).exists():
            high = middle
        else:
            low = middle + 1
    return AuditSeal.objects.get(number=high)


def oldest_unsealed_age() -> float:
    """Return for how many seconds the oldest unsealed event has waited; 0 when all are sealed."""
    waiting = unsealed.events(after=unsealed.horizon())
    oldest = waiting.values_list("time", flat=True).first()
    return max(0.0, (datetime.now(UTC) - oldest).total_seconds()) if oldest else 0.0


def header(*, seal: AuditSeal, log_id: UUID) -> bytes:
    """Return the bytes that a seal's hash and signature are over: canonical JSON."""
    return log.canonical(
        {
            "log": str(log_id),
            "number": seal.number,
            "first_position": seal.first_position,
            "count": seal.count,
            "root": seal.root,
            "previous_hash": seal.previous_hash,
            "time": log.timestamp(seal.time),
            "key_id": seal.key_id,
        }
    ).encode()


def _append(
    previous: AuditSeal | None, events: Sequence[tuple[UUID, str]], log_id: UUID
) -> AuditSeal | None:
    hashes = [merkle.leaf_hash(body=body) for _, body in events]
    seal = _signed(previous, hashes, log_id)
    leaves = [
        AuditLeaf(position=position, event_id=event_id, seal_id=seal.number, hash=leaf.hex())
        for position, ((event_id, _), leaf) in enumerate(
            zip(events, hashes, strict=True), seal.first_position
        )
    ]
    with transaction.atomic(durable=True):
        if not _alone() or latest() != previous:
            return None
        AuditLeaf.objects.bulk_create(leaves)
        seal.save(force_insert=True)
    return seal


def _signed(previous: AuditSeal | None, hashes: Sequence[bytes], log_id: UUID) -> AuditSeal:
    seal = AuditSeal(
        number=previous.number + 1 if previous else 1,
        first_position=previous.first_position + previous.count if previous else 0,
        count=len(hashes),
        root=merkle.root(leaves=hashes).hex(),
        previous_hash=previous.hash if previous else anchor_lines.NOTHING_BEFORE,
        time=datetime.now(UTC),
        key_id=signing.key_id(),
    )
    message = header(seal=seal, log_id=log_id)
    seal.hash = sha256(message).hexdigest()
    seal.signature = signing.sign(message=message, purpose="seal").signature
    return seal


def _alone() -> bool:
    """Take the sealer's lock until the transaction ends; on SQLite its BEGIN IMMEDIATE is it."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        return bool(cursor.fetchone()[0])


def _log_id() -> UUID:
    identity, _ = AuditLog.objects.get_or_create(number=1, defaults={"log_id": uuid4()})
    return identity.log_id

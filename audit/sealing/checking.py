"""Is one seal, with its events and its signature, what it was? Each check names what is not."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings

from audit import records
from audit.models import AuditSeal
from audit.sealing import anchor_lines, merkle, seals, signing


def check_seal(
    *, seal: AuditSeal, previous: AuditSeal | None, first: int, log_id: UUID
) -> str | None:
    """Return what is wrong with `seal`'s own words; without a `previous` its number is `first`."""
    name = f"seal {seal.number}"
    number = previous.number + 1 if previous else first
    if seal.number != number:
        return f"seal {number} was deleted"
    if seal.previous_hash != (previous.hash if previous else anchor_lines.NOTHING_BEFORE):
        return f"{name}: does not follow the seal before it"
    if seal.first_position != (previous.first_position + previous.count if previous else 0):
        return f"{name}: does not begin where the seal before it ends"
    message = seals.header(seal=seal, log_id=log_id)
    if sha256(message).hexdigest() != seal.hash:
        return f"{name}: was edited"
    return None


class Signatures:
    """Checks the signatures of seals that are given in order.

    A key that we do not know may be an earlier one that AUDIT_VERIFY_KEYS lacks: that is the
    `obstacle`, if there is one. Once our own key has signed, no other may follow.
    """

    def __init__(self, *, previous: AuditSeal | None) -> None:
        self.obstacle: str | None = None
        self._keys = signing.public_keys()
        self._own = signing.key_id() if settings.AUDIT_SIGNING_KEY else ""
        self._ours_has_signed = previous is not None and previous.key_id == self._own

    def check(self, seal: AuditSeal, log_id: UUID) -> str | None:
        """Return what is wrong with the signature of `seal`."""
        named = f"seal {seal.number}: signed with key {seal.key_id}"
        if seal.key_id not in self._keys:
            if self._ours_has_signed:
                return f"{named}, which nobody knows, after our own key"
            self.obstacle = self.obstacle or f"{named}, which AUDIT_VERIFY_KEYS does not hold"
            return None
        signature = signing.Signature(key_id=seal.key_id, signature=seal.signature)
        message = seals.header(seal=seal, log_id=log_id)
        if not signing.verify(message=message, purpose="seal", signature=signature):
            return f"seal {seal.number}: its signature is not ours"
        self._ours_has_signed |= seal.key_id == self._own
        return None


def check_batch(*, seal: AuditSeal, rows: list[tuple[Any, ...]]) -> str | None:
    """Return what is wrong with the events under `seal`, of which `rows` is what is stored."""
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

"""The lines of the anchor file: one for each seal, and one for each restore from a backup.

A line of a restore is signed, so that nobody without the key can excuse seals that are missing.
"""

import json
from dataclasses import asdict, dataclass
from uuid import UUID

from audit import log
from audit.models import AuditSeal
from audit.sealing import receipt_keys, signing

NOTHING_BEFORE = "0" * 64  # in the place of a hash where there is no seal
MARK = b'"restored_seal"'  # stands in lines of restores alone


@dataclass(frozen=True)
class Anchor:
    """One line: the seal `number` of the log `log_id` had this hash (hex)."""

    log_id: str
    number: int
    hash: str


@dataclass(frozen=True)
class Gap:
    """Seals that a restore from a backup took away: those after `restored`, up to `last`.

    `restored_hash` and `last_hash` are the hashes (hex) of the seal from which the log goes on, 0
    for none, and of the last one that was anchored.
    """

    restored_seal: int
    restored_hash: str
    last_seal: int
    last_hash: str

    def __str__(self) -> str:
        lost = f"seals {self.restored_seal + 1} to {self.last_seal} are lost"
        return f"{lost}, the log goes on after seal {self.restored_seal}"


@dataclass(frozen=True)
class Restored:
    """One line of a restore: its gap, and the event and seal in which the log itself tells of it.

    `time` is RFC 3339.
    """

    log_id: str
    gap: Gap
    event: UUID
    event_seal: int
    time: str
    signature: signing.Signature

    def __str__(self) -> str:
        return f"restored from a backup, announced {self.time}: {self.gap}"

    @property
    def message(self) -> bytes:
        """Return the bytes that the signature is over: canonical JSON."""
        return _message(self.log_id, self.gap, self.event, self.event_seal, self.time)


def anchor(*, seal: AuditSeal, log_id: UUID) -> bytes:
    """Return `seal`'s line. Raises SigningKeyMissing.

    It names the key of our receipts, so that whoever holds a copy need not believe the address
    that serves it.
    """
    values = {
        "log": str(log_id),
        "seal": seal.number,
        "hash": seal.hash,
        "time": log.timestamp(seal.time),
        "events": seal.first_position + seal.count,
        "receipt_key": receipt_keys.own_thumbprint(),
    }
    return (json.dumps(values) + "\n").encode()


def restored(*, log_id: UUID, gap: Gap, event: UUID, event_seal: int, time: str) -> bytes:
    """Return the signed line of a restore. Raises SigningKeyMissing."""
    message = _message(str(log_id), gap, event, event_seal, time)
    made = signing.sign(message=message, purpose="restored")
    return (json.dumps(json.loads(message) | asdict(made)) + "\n").encode()


def parse(text: bytes) -> Anchor | Restored:
    """Return what one line says. Raises ValueError where it is not a whole one."""
    if not text.endswith(b"\n"):
        raise ValueError("torn line")
    try:
        values = json.loads(text)
        if MARK not in text:
            return Anchor(str(values["log"]), int(values["seal"]), str(values["hash"]))
        gap = Gap(
            int(values["restored_seal"]),
            str(values["restored_hash"]),
            int(values["last_seal"]),
            str(values["last_hash"]),
        )
        return Restored(
            str(values["log"]),
            gap,
            UUID(values["event"]),
            int(values["event_seal"]),
            str(values["time"]),
            signing.Signature(str(values["key_id"]), str(values["signature"])),
        )
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise ValueError("not an anchor") from exc


def _message(log_id: str, gap: Gap, event: UUID, event_seal: int, time: str) -> bytes:
    said = {"log": log_id, "event": str(event), "event_seal": event_seal, "time": time}
    return log.canonical(said | asdict(gap)).encode()

"""Anchors: a line for each seal in a file and in the service's log, both outside the database.

Whoever rewrites the database, seals and all, still meets these lines. Only the sealer writes them
(`append_missing`), after the seal's commit; a line that a crash kept back or tore is written by its
next run. Where the database lacks a seal that the file names, it writes none, until
`audit.restored` has added a line that says so. `audit.sealing.trail` compares file and seals.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from audit.models import AuditSeal
from audit.sealing import anchor_lines
from audit.sealing.anchor_lines import NOTHING_BEFORE, Restored
from backoffice.private import private

logger = logging.getLogger(__name__)
_TAIL = 64 * 1024


def append_missing(*, log_id: UUID) -> None:
    """Append a line for each seal after the last one in the file, and have it on disk.

    Raises OSError where the file cannot be written, SigningKeyMissing where a line is missing.
    """
    with _locked(_path()) as file:
        _cut_torn_line(file)
        last, last_hash = _last(file, str(log_id))
        if not _holds(last, last_hash):
            logger.error("audit seal %d is anchored, but the database has lost it", last)
            return
        seals = AuditSeal.objects.filter(number__gt=last).order_by("number")
        for seal in seals.iterator():
            file.write(anchor_lines.anchor(seal=seal, log_id=log_id))
            _log(seal, log_id)
        _to_disk(file)


def append_restored(*, line: bytes, log_id: UUID) -> None:
    """Append the line of a restore, and have it on disk.

    Raises OSError where the file cannot be written, ValueError where it has grown meanwhile and
    no longer ends with the seal that the line names.
    """
    restored = anchor_lines.parse(line)
    assert isinstance(restored, Restored)  # noqa: S101  (made by anchor_lines.restored)
    with _locked(_path()) as file:
        _cut_torn_line(file)
        gap = restored.gap
        if _last(file, str(log_id)) != (gap.last_seal, gap.last_hash):
            raise ValueError(f"{_path()} has changed meanwhile")
        file.write(line)
        _to_disk(file)
    logger.warning("audit log %s %s", log_id, restored)


def last(*, log_id: str = "") -> tuple[int, str]:
    """Return number and hash (hex) of the last seal by the file's end: after a restore, by that.

    0 and zeros where there is none of the log `log_id`; empty means any log. Raises OSError, also
    where there is no such file.
    """
    with _path().open("rb") as file:
        return _last(file, log_id)


def lost() -> int:
    """Return the number of the last anchored seal where the database lacks it; else 0.

    Then it was restored from a backup, or somebody removed the seal. Raises OSError as `last`.
    """
    number, seal_hash = last()
    return 0 if _holds(number, seal_hash) else number


def _path() -> Path:
    return Path(settings.AUDIT_ANCHORS)


def _holds(number: int, seal_hash: str) -> bool:
    """Tell whether the database has the seal `number` with this hash; 0 is the log's beginning."""
    return not number or AuditSeal.objects.filter(number=number, hash=seal_hash).exists()


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for reading and appending, one process of this machine at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b", opener=private) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _cut_torn_line(file: BinaryIO) -> None:
    """Cut what a crash left of a half-written last line: its seal is written again."""
    size = file.seek(0, os.SEEK_END)
    tail = _tail(file, _TAIL)
    if tail and not tail.endswith(b"\n"):
        file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)


def _last(file: BinaryIO, log_id: str) -> tuple[int, str]:
    """Return number and hash of the seal that this log's last line leaves as the last one.

    (0, zeros) without a line; looks near the end first. An empty `log_id` is any log's.
    """
    for size in (_TAIL, file.seek(0, os.SEEK_END)):
        for text in reversed(_tail(file, size).splitlines(keepends=True)):
            try:
                line = anchor_lines.parse(text)
            except ValueError:
                continue
            if log_id not in ("", line.log_id):
                continue
            if isinstance(line, Restored):
                return line.gap.restored_seal, line.gap.restored_hash
            return line.number, line.hash
    return 0, NOTHING_BEFORE


def _tail(file: BinaryIO, size: int) -> bytes:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - size))
    return file.read()


def _log(seal: AuditSeal, log_id: UUID) -> None:
    # In groups, because the log blots out what looks like a session hash.
    grouped = "-".join(seal.hash[start : start + 16] for start in range(0, 64, 16))
    logger.info("audit seal %d of log %s: %s", seal.number, log_id, grouped)

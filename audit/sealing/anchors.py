"""Anchors: a line for each seal in a file and in the service's log, both outside the database.

Whoever rewrites the database, seals and all, still meets these lines. Only the sealer writes them
(`append_missing`), after the seal's commit; a line that a crash kept back or tore is written by its
next run. `Trail` compares the file with the seals when the log is verified.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from audit import log
from audit.models import AuditSeal
from audit.sealing import receipt_keys
from backoffice.private import private

logger = logging.getLogger(__name__)
_TAIL = 64 * 1024
# The sealer writes a line right after its commit, or in its next run.
_GRACE = timedelta(minutes=5)


@dataclass(frozen=True)
class Anchor:
    """One line: the seal `number` of the log `log_id` had this hash (hex)."""

    log_id: str
    number: int
    hash: str


def append_missing(*, log_id: UUID) -> None:
    """Append a line for each seal after the last one in the file, and have it on disk.

    Raises OSError where the file cannot be written, SigningKeyMissing where a line is missing.
    """
    path = Path(settings.AUDIT_ANCHORS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path) as file:
        _cut_torn_line(file)
        last = _last_number(file, str(log_id))
        if last and not AuditSeal.objects.filter(number=last).exists():
            logger.error("audit seal %d is anchored, but the database has lost it", last)
        seals = AuditSeal.objects.filter(number__gt=last).order_by("number")
        for seal in seals.iterator():
            file.write(line(seal=seal, log_id=log_id))
            _log(seal, log_id)
        file.flush()
        os.fsync(file.fileno())


def line(*, seal: AuditSeal, log_id: UUID) -> bytes:
    """Return `seal`'s line of the file. Raises SigningKeyMissing.

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


def parse(text: bytes) -> Anchor:
    """Return the anchor in one line. Raises ValueError where it is not a whole one."""
    if not text.endswith(b"\n"):
        raise ValueError("torn line")
    try:
        values = json.loads(text)
        return Anchor(str(values["log"]), int(values["seal"]), str(values["hash"]))
    except (KeyError, TypeError, OverflowError, RecursionError) as exc:
        raise ValueError("not an anchor") from exc


class Trail:
    """The anchor file, checked against seals that are given in order.

    `problem` names the first line or seal that does not fit, `obstacle` the file that cannot be
    read; each may be None.
    """

    def __init__(self, path: Path, *, log_id: UUID, since: int) -> None:
        self.problem: str | None = None
        self.obstacle: str | None = None
        self._path = path
        self._log_id = str(log_id)
        self._since = since
        self._lines = self._read()

    def check(self, seal: AuditSeal) -> None:
        """Compare `seal` with its line."""
        if self.problem or self.obstacle:
            return
        anchor = next(self._lines, None)
        if anchor is None:
            # Where the reader stopped for a problem, it stands, and a missing line is no news.
            # One dated in the future has had its time as well.
            fresh = timedelta(0) <= datetime.now(UTC) - seal.time <= _GRACE
            if not self.problem and not self.obstacle and not fresh:
                self.problem = f"seal {seal.number}: has no line in {self._path}"
        elif anchor.number != seal.number:
            self.problem = f"seal {seal.number}: {self._path} has seal {anchor.number} in its place"
        elif anchor.hash != seal.hash:
            self.problem = f"seal {seal.number}: is not the one anchored in {self._path}"

    def check_end(self, newest: AuditSeal | None) -> None:
        """Look for an anchored seal beyond `newest` that the database does not have."""
        end = newest.number if newest else 0
        for anchor in self._lines:
            if anchor.number > end and not AuditSeal.objects.filter(number=anchor.number).exists():
                self.problem = f"seal {anchor.number}: was cut off; {self._path} has its line"
                return

    def _read(self) -> Iterator[Anchor]:
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            if AuditSeal.objects.exists():
                self.obstacle = f"the anchor file {self._path} is missing"
            return
        except OSError as exc:
            self.obstacle = f"the anchor file {self._path} cannot be read: {exc.strerror}"
            return
        with file:
            for number, text in enumerate(file, 1):
                try:
                    anchor = parse(text)
                except ValueError:
                    if text.endswith(b"\n"):
                        self.problem = f"{self._path}, line {number}: is not an anchor"
                    return  # a torn last line: the sealer's next run mends it
                if anchor.log_id != self._log_id:
                    self.problem = (
                        f"{self._path}, line {number}: is of another log, {anchor.log_id}"
                    )
                    return
                if anchor.number >= self._since:
                    yield anchor


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for reading and appending, one process of this machine at a time."""
    with open(path, "a+b", opener=private) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _cut_torn_line(file: BinaryIO) -> None:
    """Cut what a crash left of a half-written last line: its seal is written again."""
    size = file.seek(0, os.SEEK_END)
    tail = _tail(file, _TAIL)
    if tail and not tail.endswith(b"\n"):
        file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)


def _last_number(file: BinaryIO, log_id: str) -> int:
    """Return the number of this log's last line, 0 without one; looks near the end first."""
    for size in (_TAIL, file.seek(0, os.SEEK_END)):
        for text in reversed(_tail(file, size).splitlines(keepends=True)):
            try:
                anchor = parse(text)
            except ValueError:
                continue
            if anchor.log_id == log_id:
                return anchor.number
    return 0


def _tail(file: BinaryIO, size: int) -> bytes:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - size))
    return file.read()


def _log(seal: AuditSeal, log_id: UUID) -> None:
    # In groups, because the log blots out what looks like a session hash.
    grouped = "-".join(seal.hash[start : start + 16] for start in range(0, 64, 16))
    logger.info("audit seal %d of log %s: %s", seal.number, log_id, grouped)

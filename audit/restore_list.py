"""What is done to persons' rows, listed outside the database, so that a restore does it again.

``RESTORE_LIST`` is a file of JSON lines, each with a time, what was done, and random ids of rows:
nothing in it names a person, a session or a guest. A line is appended after the commit of what it
tells of; what is older than any backup (``BACKUP_KEEP_DAYS``) is dropped by `prune`.
"""

import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import log
from backoffice.private import private

logger = logging.getLogger(__name__)
_replaying: ContextVar[bool] = ContextVar("restore_list_replaying", default=False)
_lost = 0  # entries that this process could not write


class What(StrEnum):
    """What was done. Values stand in files."""

    ERASED = "erased"
    WITHDRAWN = "withdrawn"
    RESTATED = "restated"  # consent was stated again after a withdrawal
    HELD = "held"
    LIFTED = "lifted"
    CRM_DELETED = "crm_deleted"
    PLATFORM_DELETED = "platform_deleted"  # the guests of erased creations, on the platform


@dataclass(frozen=True)
class Entry:
    """One line. `creations` are ids of guest creations, `record` is the CRM record's record_id."""

    time: datetime
    what: What
    creations: Sequence[UUID] = ()
    record: UUID | None = None


class Unreadable(ValueError):
    """The file cannot be read, or a line of it is none; the message names it."""


def append_after_commit(
    *, what: What, creations: Sequence[UUID] = (), record: UUID | None = None
) -> None:
    """Append an entry as `append` does, once the caller's transaction is committed."""
    if not _replaying.get():
        entry = partial(append, what=what, creations=creations, record=record)
        transaction.on_commit(entry)


def append(*, what: What, creations: Sequence[UUID] = (), record: UUID | None = None) -> None:
    """Append an entry of now and have it on disk; without RESTORE_LIST, or without ids, nothing.

    Call it after the commit. What was done stands: a file that cannot be written is logged, counted
    for `trouble`, and raises nothing.
    """
    global _lost
    path: Path | None = settings.RESTORE_LIST
    if path is None or _replaying.get() or not (creations or record):
        return
    try:
        with _locked(path) as file:
            file.write(_separator(file) + _line(Entry(datetime.now(UTC), what, creations, record)))
            _to_disk(file)
    except OSError as exc:
        _lost += 1
        logger.error(
            "RESTORE_LIST: %s cannot be written (%s): a restore from a backup that exists now"
            " would undo what was %s. Mend it, then make a backup",
            path,
            exc.strerror,
            what,
        )


def trouble() -> str:
    """Return why no entry can be written, or that some were lost here; empty: all is well."""
    path: Path | None = settings.RESTORE_LIST
    if path is None:
        return ""
    try:
        with open(path, "ab", opener=private):
            pass
    except OSError as exc:
        return f"RESTORE_LIST: {path} cannot be written: {exc.strerror}"
    return f"RESTORE_LIST: {_lost} entries were not written: make a backup" if _lost else ""


@contextmanager
def replaying() -> Iterator[None]:
    """List nothing while what is listed is done again."""
    reset = _replaying.set(True)
    try:
        yield
    finally:
        _replaying.reset(reset)


def read() -> list[Entry | Unreadable]:
    """Return what is listed, in the order of time; what a line of it is not, in its place.

    Raises Unreadable where there is no such file, or none can be read.
    """
    path: Path = settings.RESTORE_LIST
    try:
        texts = path.read_bytes().splitlines(keepends=True)
    except OSError as exc:
        raise Unreadable(f"RESTORE_LIST: {path}: {exc.strerror}") from exc
    found: list[Entry | Unreadable] = []
    for number, text in enumerate(texts, 1):
        try:
            found.append(_parsed(text))
        except Unreadable as exc:
            found.append(Unreadable(f"RESTORE_LIST: {path}, line {number}: {exc}"))
    # Several machines' lists may have been joined; equal times stay as they stand.
    return sorted(found, key=lambda each: each.time if isinstance(each, Entry) else _EARLIEST)


def prune() -> int:
    """Drop entries that no backup is old enough to need; return how many. Makes the file.

    Lines that are none stay: somebody has to look at them. Raises OSError.
    """
    path: Path | None = settings.RESTORE_LIST
    if path is None:
        return 0
    oldest = datetime.now(UTC) - timedelta(days=settings.BACKUP_KEEP_DAYS)
    with _locked(path) as file:
        file.seek(0)
        texts = file.read().splitlines(keepends=True)
        kept = [text for text in texts if not _is_before(text, oldest)]
        if len(kept) < len(texts):
            _replace(path, kept)
    return len(texts) - len(kept)


_EARLIEST = datetime.min.replace(tzinfo=UTC)


def _line(entry: Entry) -> bytes:
    values: dict[str, Any] = {"time": log.timestamp(entry.time), "what": entry.what}
    if entry.creations:
        values["creations"] = [str(creation) for creation in entry.creations]
    if entry.record:
        values["record"] = str(entry.record)
    return (json.dumps(values) + "\n").encode()


def _parsed(text: bytes) -> Entry:
    if not text.endswith(b"\n"):
        raise Unreadable("ends early")
    try:
        values = json.loads(text)
        record = values.get("record")
        return Entry(
            datetime.fromisoformat(values["time"]).astimezone(UTC),
            What(values["what"]),
            [UUID(each) for each in values.get("creations", ())],
            UUID(record) if record else None,
        )
    except (
        ValueError, OverflowError, LookupError, TypeError, AttributeError, RecursionError,
    ) as exc:  # fmt: skip
        raise Unreadable("is not an entry") from exc


def _is_before(text: bytes, oldest: datetime) -> bool:
    try:
        return _parsed(text).time < oldest
    except Unreadable:
        return False


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for reading and appending, one process of this machine at a time."""
    while True:
        with open(path, "a+b", opener=private) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # `prune` puts another file in its place: whoever waited has the old one.
            if _is_at(path, file):
                yield file
                return


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _separator(file: BinaryIO) -> bytes:
    """Return what ends a line that a full disk cut short: the next one must stand by itself."""
    if not file.seek(0, os.SEEK_END):
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read() == b"\n" else b"\n"


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _replace(path: Path, lines: Sequence[bytes]) -> None:
    """Put a file of `lines` in the place of `path`, in one step."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as new:
        try:
            os.fchmod(new.fileno(), path.stat().st_mode & 0o777)
            new.writelines(lines)
            _to_disk(new)  # type: ignore[arg-type]
            os.replace(new.name, path)
        except BaseException:
            os.unlink(new.name)
            raise

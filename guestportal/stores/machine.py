"""What the processes of this machine tell one another of something they try by turns.

A file, because nothing else is always there: Redis may be away, the web processes share no memory,
and the database is what is tried. It holds moments of the machine's monotonic clock and a sentence.
Its lock is held for reading and writing the file, never during the try, so no process that stops or
dies in between keeps the others from theirs. Without a folder for it each process keeps its own.
"""

import fcntl
import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

_TRIES_FOR_THE_LOCK = 20


@dataclass(frozen=True)
class Tried:
    """The last try: when it `began` and `ended`, its `trouble` in words; empty: it went well.

    `busy_since`: since when tries have only been kept waiting; 0 where the last one was not.
    """

    began: float = 0.0
    ended: float = 0.0
    trouble: str = ""
    busy_since: float = 0.0


class TakenInTurns:
    """One thing that only one process at a time tries; `path` None: this process alone does."""

    def __init__(self, *, path: Path | None) -> None:
        self._path = path
        self._own = Tried()
        self._lock = threading.Lock()

    def claim(self, *, every: float) -> tuple[Tried, bool]:
        """Return the last try, and whether the next is the caller's: one in `every` seconds is.

        The caller's has begun with that, and the caller must `keep` what comes of it.
        """

        def change(known: Tried) -> Tried:
            now = time.monotonic()
            return known if now - known.began < every else replace(known, began=now)

        before, after = self._change(change)
        return after, before != after

    def keep(self, tried: Tried) -> None:
        """Tell all what came of the caller's try."""
        self._change(lambda known: tried)

    def _change(self, change: Callable[[Tried], Tried]) -> tuple[Tried, Tried]:
        try:
            with self._opened() as file:
                before = _read(file)
                after = change(before)
                _write(file, after)
        except OSError:
            with self._lock:
                before, after = self._own, change(self._own)
                self._own = after
        return before, after

    @contextmanager
    def _opened(self) -> Iterator[int]:
        if self._path is None:
            raise FileNotFoundError
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            found = os.fstat(file)
            if found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode):
                raise PermissionError("somebody else's file")  # the folder is everybody's
            _lock(file)
            yield file
        finally:
            os.close(file)  # which gives the lock back


def _lock(file: int) -> None:
    """Take the file's lock, with turns for others of this process. Raises BlockingIOError."""
    for _ in range(_TRIES_FOR_THE_LOCK - 1):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
    return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read(file: int) -> Tried:
    """Return what stands there; nothing where it is torn, or of before the machine's last start."""
    try:
        tried = Tried(**json.loads(os.pread(file, 4096, 0)))
        is_past = max(tried.began, tried.ended, tried.busy_since) <= time.monotonic()
    except (ValueError, TypeError):
        return Tried()
    return tried if is_past else Tried()


def _write(file: int, tried: Tried) -> None:
    content = json.dumps(asdict(tried)).encode()
    os.pwrite(file, content, 0)
    os.ftruncate(file, len(content))

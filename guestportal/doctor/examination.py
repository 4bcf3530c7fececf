"""All checks, in the order in which they are read; none keeps another from being made."""

import logging
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from django.db import InterfaceError, OperationalError, connection

from guestportal.doctor import database, log, operation, platform, settings, staff, stores
from guestportal.doctor.findings import FAULT, NOT_CHECKED, Check, Finding
from provisioning.time_left import answer_within

CHECKS: tuple[Check, ...] = (
    *settings.CHECKS,
    *database.CHECKS,
    *stores.CHECKS,
    *platform.CHECKS,
    *operation.CHECKS,
    *log.CHECKS,
    *staff.CHECKS,
)
logger = logging.getLogger(__name__)


class TimeUp(BaseException):
    """A check took too long. Not an Exception: libraries would take it for one of theirs."""


def examine(*, checks: Sequence[Check] = CHECKS) -> Iterator[Finding]:
    """Yield what each check finds, as it finds it."""
    faults: set[str] = set()
    for check in checks:
        if check.needs in faults:
            said = f"waits until {check.needs} is in order"
            faults.add(check.name)
            yield Finding(check.name, NOT_CHECKED, said)
            continue
        for finding in _look(check):
            faults |= {finding.name} if finding.state is FAULT else set()
            yield finding


def _look(check: Check) -> Iterator[Finding]:
    """Yield what a check finds; what it found before it broke off counts."""
    found: list[Finding] = []
    try:
        with _at_most(check.seconds):
            for finding in check.look():
                found.append(finding)
    except TimeUp:
        said = f"could not be checked in {check.seconds:.0f} seconds"
        found.append(Finding(check.name, FAULT, said, "Look whether what it asks hangs."))
        _leave_nothing_behind()
    except Exception as exc:
        is_news = isinstance(exc, OperationalError | InterfaceError | OSError)  # and no bug
        logger.error("doctor: %s could not be checked", check.name, exc_info=not is_news)
        said = f"could not be checked ({type(exc).__name__})"
        remedy = "Run doctor again; the log, on standard error, says where it broke off."
        found.append(Finding(check.name, FAULT, said, remedy))
        _leave_nothing_behind()
    yield from found


def _leave_nothing_behind() -> None:
    """Give the next check a connection of its own: ours may wait for an answer, or be closed."""
    if not connection.in_atomic_block:  # a caller's, in a test
        connection.close()


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Give the block `seconds`. Raises TimeUp in it.

    Waits for a store end by themselves (`provisioning.time_left`); the alarm is for all others.
    Only a main thread can have one.
    """
    if threading.current_thread() is not threading.main_thread():
        with answer_within(seconds):
            yield
        return
    handler = signal.signal(signal.SIGALRM, _raise_time_up)
    before = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with answer_within(seconds):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, handler)


def _raise_time_up(number: int, frame: FrameType | None) -> None:
    raise TimeUp

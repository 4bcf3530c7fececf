"""One round of a duty: a bounded time, and an end as soon as the platform takes no call."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model, Q
from django.utils import timezone

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Busy, PlatformError, TimedOut, Unavailable

logger = logging.getLogger(__name__)
BATCH = 10  # visitors come first: they share the platform's rate
CLOCKS_DIFFER = timedelta(minutes=5)  # by less than this, whatever the machine
# What passes by itself: the round ends, and the next one tries again.
_PASSING = (Busy, TimedOut, Unavailable)


def go_round(
    rows: Iterable[Any],
    work: Callable[[Any, Deadline], bool],
    *,
    put_off: Callable[[Any], None],
) -> int:
    """Do `work` for each row, within one init's deadline; return for how many it did something.

    A row that the platform will not have is put off, so that it does not keep the others waiting.
    """
    deadline, done = Deadline(seconds=settings.GENESYS_DEADLINE), 0
    for row in rows:
        try:
            done += work(row, deadline)
        except _PASSING as exc:
            logger.info("the platform takes no call now: %s", exc)
            break
        except PlatformError as exc:
            logger.warning("%s: %s. %s", _name(row), exc, exc.remedy)
            put_off(row)
    return done


def is_due(column: str, *, within: timedelta) -> Q:
    """Return the condition: the moment in `column` has come.

    One further ahead than `within` was written by a clock that has been corrected since.
    """
    now = timezone.now()
    return Q(**{f"{column}__lte": now}) | Q(**{f"{column}__gt": now + within})


def _name(row: Model) -> str:
    return f"{row._meta.verbose_name}, not done on the platform"

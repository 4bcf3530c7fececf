"""What the worker does; all that crosses the broker is the id of a row.

A message that comes twice finds its row taken.
"""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from crm.profiles import LookupFailed
from provisioning import ledger
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError
from provisioning.genesys.platform import get_platform
from provisioning.init import pipeline, planning
from provisioning.init.publishing import TASK
from provisioning.ledger import ConsentWithdrawn, Lost, Outcome
from provisioning.models import Status

MAX_RETRIES = 8
logger = logging.getLogger(__name__)


class NotYet(Exception):
    """The platform takes no call now; the row still waits. `retry_after`: seconds, if known."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("the platform takes no call now")
        self.retry_after = retry_after


@shared_task(bind=True, name=TASK, max_retries=MAX_RETRIES)
def run_init(task: Any, creation_id: str) -> None:
    """Do a queued init; while nothing can be done, try again, later each time.

    After the last try the row stays queued until recovery settles it as failed: the dead letters
    are rows, in the admin under their status.
    """
    pause = min(60, 2**task.request.retries)
    try:
        run(creation_id=UUID(creation_id))
    except NotYet as exc:
        task.retry(exc=exc, countdown=max(pause, exc.retry_after or 0))
    except (LookupFailed, DatabaseError, InterfaceError) as exc:
        task.retry(exc=exc, countdown=pause)


def run(*, creation_id: UUID) -> None:
    """Do the work of a queued creation, once: who comes second finds nothing to do.

    Raises NotYet while the row is untouched and another try makes sense; LookupFailed likewise.
    """
    deadline = Deadline(seconds=settings.GENESYS_DEADLINE)
    waiting = ledger.find_queued(creation_id=creation_id)
    if waiting is None:
        return
    _, guest = planning.plan_guest(
        consent=waiting.consent, session_hash=waiting.session_hash, creation_id=creation_id
    )
    try:
        # The token is asked for later, by the page.
        reservation = get_platform().reserve(guest=guest, token=False, deadline=deadline)
    except PlatformError as exc:
        raise NotYet(exc.retry_after) from exc
    try:
        ledger.start(
            entry=waiting.entry,
            session_hash=waiting.session_hash,
            sending=planning.sending(guest=guest),
        )
        pipeline.create_guest(waiting.entry, guest, reservation, deadline, rests=True)
    except ConsentWithdrawn:
        outcome = Outcome("consent_declined")
        ledger.settle(entry=waiting.entry, status=Status.FAILED, outcome=outcome)
    except Lost:
        pass  # somebody else is doing it, or recovery was faster
    except (PlatformError, pipeline.ConsentDeclined) as exc:
        logger.info("a queued init ended: %s", type(exc).__name__)  # the row says the rest

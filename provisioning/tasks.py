"""What crosses the broker: the id of a row, and nothing else."""

import logging
from typing import Any
from uuid import UUID

from amqp.exceptions import AMQPError
from celery import shared_task
from django.db import DatabaseError, InterfaceError
from kombu.exceptions import KombuError

from crm.profiles import LookupFailed
from provisioning import queued

MAX_RETRIES = 8
CONFIRM_SECONDS = 2
logger = logging.getLogger(__name__)


def publish(*, creation_id: UUID) -> bool:
    """Hand a creation to the worker; False where the broker does not confirm it."""
    try:
        run_init.apply_async((str(creation_id),), confirm_timeout=CONFIRM_SECONDS)  # type: ignore[call-arg]
    except (KombuError, AMQPError, OSError) as exc:
        logger.error("the broker did not take an init (%s)", type(exc).__name__)
        return False
    return True


@shared_task(bind=True, name="guestportal.run_init", max_retries=MAX_RETRIES)
def run_init(task: Any, creation_id: str) -> None:
    """Do a queued init; while nothing can be done, try again, later each time.

    After the last try the row stays queued until recovery settles it as failed: the dead letters
    are rows, in the admin under their status.
    """
    pause = min(60, 2**task.request.retries)
    try:
        queued.run(creation_id=UUID(creation_id))
    except queued.NotYet as exc:
        task.retry(exc=exc, countdown=max(pause, exc.retry_after or 0))
    except (LookupFailed, DatabaseError, InterfaceError) as exc:
        task.retry(exc=exc, countdown=pause)

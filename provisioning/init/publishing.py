"""Hand a queued creation to the worker, in a part of the time that its visitor still waits.

A broker that hangs or is blocked answers nothing, and then the init is done at once instead. As
long as the last message was not taken, one caller at a time finds out whether the next one is; the
others do not wait for that.
"""

import logging
import threading
from uuid import UUID

from provisioning.time_left import answer_within, time_left

TASK = "guestportal.run_init"
CONFIRM_SECONDS = 2.0
logger = logging.getLogger(__name__)
_finding_out = threading.Lock()
_in_trouble = False


def publish(*, creation_id: UUID) -> bool:
    """Hand a creation to the worker; False where the broker does not confirm it in time."""
    if not _in_trouble:
        return _tried(creation_id)
    if not _finding_out.acquire(blocking=False):
        return False
    try:
        return _tried(creation_id)
    finally:
        _finding_out.release()


def _tried(creation_id: UUID) -> bool:
    global _in_trouble
    left = time_left()
    seconds = CONFIRM_SECONDS if left is None else min(CONFIRM_SECONDS, left / 2)
    try:
        with answer_within(seconds):
            _send(str(creation_id), seconds)
    except Exception as exc:  # noqa: BLE001  (whatever its clients raise, the init goes on)
        _in_trouble = True
        logger.error("the broker did not take an init (%s)", type(exc).__name__)
        return False
    _in_trouble = False
    return True


def _send(creation_id: str, seconds: float) -> None:
    """Publish on a connection of the pool; one that failed is not used again.

    What was sent on it may be confirmed later, and would be taken for the next message's word.
    """
    from celery import current_app  # here: without a broker nobody pays for Celery

    with current_app.producer_pool.acquire(block=True, timeout=seconds) as producer:
        try:
            current_app.send_task(TASK, (creation_id,), producer=producer)
        except Exception:
            if producer.connection:
                producer.connection.collect()
            raise

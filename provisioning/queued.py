"""The story of an init that the page does not wait for (``Prefer: respond-async``, RFC 7240).

    page ─► row QUEUED ─► broker: the row's id ─► worker: consent again ─► guest ─► the page asks

The row is the truth and the message only a nudge. A message that comes twice finds its row taken;
one that never comes leaves a row that recovery settles as failed, for reviewers to see.
"""

import logging
from uuid import UUID

from django.conf import settings

from provisioning import capability, ledger, pipeline, planning
from provisioning.genesys.client import get_client
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError
from provisioning.in_flight import Overloaded
from provisioning.ledger import ConsentWithdrawn, Lost, Outcome, Step
from provisioning.models import Status

logger = logging.getLogger(__name__)


class NotYet(Exception):
    """The platform takes no call now; the row still waits. `retry_after`: seconds, if known."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("the platform takes no call now")
        self.retry_after = retry_after


def accept(*, request: planning.InitRequest) -> str | None:
    """Queue an init; return the capability to ask about it, None where it must be done at once.

    That is so without a broker, and while it cannot be reached. Raises what opening a creation
    raises, and Overloaded when QUEUE_LIMIT inits are waiting.
    """
    if not settings.CELERY_BROKER_URL:
        return None
    if ledger.queue_depth() >= settings.QUEUE_LIMIT:
        raise Overloaded
    opened = ledger.open_creation(intent=planning.plan(request=request, queued=True).intent)
    if opened.step is Step.CREATE and not _published(opened.entry.id):
        # Should the message have arrived after all, the worker finds the row settled.
        ledger.settle(
            entry=opened.entry, status=Status.FAILED, outcome=Outcome("broker_unavailable")
        )
        return None
    return capability.issue(creation_id=opened.entry.id)


def run(*, creation_id: UUID) -> None:
    """Do the work of a queued creation, once: who comes second finds nothing to do.

    Raises NotYet while the row is untouched and another try makes sense; LookupFailed likewise.
    """
    deadline = Deadline(seconds=settings.GENESYS_DEADLINE)
    waiting = ledger.find_queued(creation_id=creation_id)
    if waiting is None:
        return
    try:
        get_client().admit(deadline=deadline)
    except PlatformError as exc:
        raise NotYet(exc.retry_after) from exc
    _, guest = planning.plan_guest(
        consent=waiting.consent, session_hash=waiting.session_hash, creation_id=creation_id
    )
    try:
        ledger.start(
            entry=waiting.entry,
            session_hash=waiting.session_hash,
            sending=planning.sending(guest=guest),
        )
        pipeline.create_guest(waiting.entry, guest, deadline, queued=True)
    except ConsentWithdrawn:
        outcome = Outcome("consent_declined")
        ledger.settle(entry=waiting.entry, status=Status.FAILED, outcome=outcome)
    except Lost:
        pass  # somebody else is doing it, or recovery was faster
    except (PlatformError, pipeline.ConsentDeclined) as exc:
        logger.info("a queued init ended: %s", type(exc).__name__)  # the row says the rest


def _published(creation_id: UUID) -> bool:
    from provisioning.tasks import publish  # Celery, which without a broker nobody imports

    return publish(creation_id=creation_id)

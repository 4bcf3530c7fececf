"""Guests of erased persons that are to be deleted on the platform too: a step somebody takes.

The API this service talks to has no deletion. The vendor documents ``POST /api/v2/gdpr/requests``
(permission ``gdpr:request:add``) for it; whoever has done that says so here, and only then is the
guest id forgotten.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import log
from provisioning.models import PlatformDeletion
from provisioning.subjects.erasure import empty_write_ahead_log

State = PlatformDeletion.State


def mark_done(*, creations: Iterable[UUID], actor: str) -> int:
    """Record that these creations' guests are deleted on the platform; return how many waited."""
    with transaction.atomic():
        done = sum(_mark(creation, actor) for creation in creations)
    transaction.on_commit(empty_write_ahead_log)
    return done


def _mark(creation: UUID, actor: str) -> bool:
    waiting = PlatformDeletion.objects.filter(creation=creation, state=State.WAITING)
    now = timezone.now()
    if not waiting.update(state=State.DONE, guest_id="", done_at=now, done_by=actor):
        return False
    log.record(kind="platform_deletion.done", actor=actor, data={"creation": str(creation)})
    return True

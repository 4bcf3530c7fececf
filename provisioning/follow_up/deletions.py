"""Guests of erased persons that are to be deleted on the platform too.

Where the platform can be asked to, housekeeping does it, one step at a time. Else, and where that
failed three times or came to no end in 30 days, somebody does it there (the vendor documents
``POST /api/v2/gdpr/requests``) and says so here. Only when it is done is what names the guest
forgotten.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import log, restore_list
from audit.restore_list import What
from provisioning.follow_up.rounds import BATCH, CLOCKS_DIFFER, go_round, is_due
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.platform import Deletion, get_platform
from provisioning.ledger.erasing import empty_write_ahead_log, queue_deletion
from provisioning.models import GuestCreation, PlatformDeletion

State = PlatformDeletion.State
HOUSEKEEPING = "system"  # the log's name for nobody on the staff
MOST_ERRORS = 3
# While one process takes a step no other does.
STEP_TAKES = timedelta(minutes=2)
# The vendor's exports take days; who waits longer than this waits for a person.
LONGEST = timedelta(days=30)
# No step is put off for as long as this.
LONGEST_PAUSE = timedelta(days=2)


def subjects_of(creation: GuestCreation) -> list[str] | None:
    """Return what housekeeping is to delete of a creation that is being erased; None: a person."""
    platform = get_platform()
    if not platform.follows_up or creation.platform != settings.GENESYS_PLATFORM:
        return None
    deletion = platform.deletion(
        guest_id=creation.guest_id,
        session_key=creation.session_hash,
        generation=creation.token_generation,
    )
    return list(deletion.subjects)


def delete_duplicate(creation: GuestCreation, guest_id: str) -> None:
    """Have a second guest of `creation`'s session deleted; the creation stays as it is."""
    deletion = get_platform().deletion(guest_id=guest_id, session_key="", generation=0)
    with transaction.atomic():
        subjects = list(deletion.subjects)
        queue_deletion(creation, guest_id=guest_id, subjects=subjects, now=timezone.now())


def delete_on_platform() -> int:
    """Take the next step of each deletion that is due; return how many are done now."""
    if not get_platform().follows_up:
        return 0
    ours = PlatformDeletion.objects.filter(platform=settings.GENESYS_PLATFORM)
    now = timezone.now()
    # Asked for by a clock that ran ahead: the wait for a person would begin that much later.
    ours.exclude(state=State.DONE).filter(requested_at__gt=now + CLOCKS_DIFFER).update(
        requested_at=now
    )
    due = ours.filter(is_due("due_at", within=LONGEST_PAUSE))
    return go_round(due.order_by("due_at")[:BATCH], _take_step, put_off=_failed)


def waiting_for_a_person() -> int:
    """Return how many deletions only a person can do: no call for it, or three failures."""
    return PlatformDeletion.objects.filter(due_at=None).exclude(state=State.DONE).count()


def mark_done(*, creations: Iterable[UUID], actor: str) -> int:
    """Record that these creations' guests are deleted on the platform; return how many waited."""
    with transaction.atomic():
        done = [creation for creation in creations if _mark(creation, actor)]
        restore_list.append_after_commit(what=What.PLATFORM_DELETED, creations=done)
    transaction.on_commit(empty_write_ahead_log)
    return len(done)


def _take_step(row: PlatformDeletion, deadline: Deadline) -> bool:
    """Take steps until the platform needs time; each is kept before the next one is taken."""
    if not _claim(row):
        return False
    deletion = Deletion(tuple(row.subjects), row.request_id, row.errors)
    while deletion.subjects:
        deletion = get_platform().delete_guest(
            deletion=deletion, deadline=deadline, is_ours=_is_somebodys
        )
        _keep(row, deletion)
        if deletion.pause:
            return False
    return bool(mark_done(creations=[row.creation_id], actor=HOUSEKEEPING))


def _is_somebodys(guest_id: str) -> bool:
    rows = GuestCreation.objects.filter(guest_id=guest_id, platform=settings.GENESYS_PLATFORM)
    return rows.filter(erased_at=None).exists()


def _claim(row: PlatformDeletion) -> bool:
    ours = PlatformDeletion.objects.filter(pk=row.pk, due_at=row.due_at)
    return bool(ours.update(due_at=timezone.now() + STEP_TAKES))


def _failed(row: PlatformDeletion) -> None:
    row.refresh_from_db()
    deletion = Deletion(tuple(row.subjects), row.request_id, row.errors)
    _keep(row, deletion.failed(request_id=row.request_id))


def _keep(row: PlatformDeletion, deletion: Deletion) -> None:
    given_up = deletion.errors >= MOST_ERRORS or timezone.now() - row.requested_at > LONGEST
    asked = State.REQUESTED if deletion.request_id else State.WAITING
    due = timezone.now() + timedelta(seconds=deletion.pause)
    PlatformDeletion.objects.filter(pk=row.pk).exclude(state=State.DONE).update(
        subjects=list(deletion.subjects),
        request_id=deletion.request_id,
        errors=deletion.errors,
        state=State.ERROR if given_up else asked,
        due_at=None if given_up else due,
    )


def _mark(creation: UUID, actor: str) -> bool:
    waiting = PlatformDeletion.objects.filter(creation=creation).exclude(state=State.DONE)
    done = waiting.update(
        state=State.DONE,
        guest_id="",
        subjects=[],
        request_id="",
        due_at=None,
        done_at=timezone.now(),
        done_by=actor,
    )
    if not done:
        return False
    log.record(kind="platform_deletion.done", actor=actor, data={"creation": str(creation)})
    return True

"""Creations whose outcome is unknown, settled by looking, never by asking for the guest again.

A guest asked for after its consent was taken back would have that consent. Found: the creation has
its guest, which rests. Not found twice, a minute apart: there is none.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from provisioning import ledger
from provisioning.follow_up.deletions import delete_duplicate
from provisioning.follow_up.rounds import BATCH, CLOCKS_DIFFER, go_round
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.platform import Guest, get_platform
from provisioning.ledger import Entry
from provisioning.models import GuestCreation, Status

LOOK_AGAIN_AFTER = timedelta(seconds=60)


def unsettled() -> QuerySet[GuestCreation]:
    """Return the creations of which a look may still tell whether there is a guest."""
    rows = GuestCreation.objects.filter(status=Status.UNKNOWN, erased_at=None)
    if not get_platform().follows_up:
        return rows.none()
    return rows.filter(platform=settings.GENESYS_PLATFORM)


def settle_unknown() -> int:
    """Look for the guests that may exist; return how many creations were settled."""
    again = timezone.now() - LOOK_AGAIN_AFTER
    due = unsettled().filter(
        Q(looked_up_at=None) | Q(looked_up_at__lt=again) | Q(looked_up_at__gt=_ahead())
    )
    rows = due.order_by(F("looked_up_at").asc(nulls_first=True), "id")[:BATCH]
    return go_round(rows, _look, put_off=ledger.looked_up)


def _look(row: GuestCreation, deadline: Deadline) -> bool:
    guest = get_platform().find_guest(session_key=row.session_hash, deadline=deadline)
    entry = Entry.of(row, row.request_in_events)
    if guest:
        ledger.guest_created(
            entry=entry,
            guest_id=_only_one(row, guest, deadline),
            echo_given=guest.consent_given,
            echo_type=guest.consent_type,
            echo_created=guest.created_date,
            rests=True,
        )
        return True
    if row.looked_up_at is None or row.looked_up_at > _ahead():
        ledger.looked_up(row)
        return False
    return ledger.not_found(entry=entry)


def _only_one(row: GuestCreation, guest: Guest, deadline: Deadline) -> str:
    """Return the id of the session's one guest, and have others of the same session deleted."""
    session = GuestCreation.objects.filter(
        session_hash=row.session_hash, platform=row.platform, consent_given=True
    ).exclude(guest_id="")
    named = {each.guest_id: each for each in session}
    ids = {guest.id, *named}
    if len(ids) == 1:
        return guest.id
    extra = get_platform().duplicates(guest_ids=ids, deadline=deadline)
    for guest_id in extra:
        delete_duplicate(named.get(guest_id, row), guest_id)
    return guest.id if guest.id not in extra else min(ids.difference(extra))


def _ahead() -> datetime:
    """Return the moment after which a look is dated by a clock that has been corrected since."""
    return timezone.now() + CLOCKS_DIFFER

"""Do again, after a restore from a backup, what was done to persons since that backup.

Entries of the list are taken in the order of time. Each is looked at in the database as it is: what
is there already is not done again, so that it does no harm to run this twice, or on a list that
begins long before the backup. What names no row that the backup holds is passed over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from audit import restore_list
from audit.restore_list import Entry, What
from crm import changes
from crm.models import CrmRecord
from provisioning import ledger
from provisioning.follow_up import deletions
from provisioning.ledger.transitions import withdrawable
from provisioning.ledger.withdrawal import end_again, withdraw_again
from provisioning.models import GuestCreation, LegalHold, PlatformDeletion, Withdrawal
from provisioning.subjects import erasure, holds

REASON = "restored"
# Of these, whatever was done last is how it stands.
_UNDONE_BY = {
    What.WITHDRAWN: "consent", What.RESTATED: "consent", What.HELD: "hold", What.LIFTED: "hold",
}  # fmt: skip
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Step:
    """An entry, and whether nothing that follows undoes it."""

    entry: Entry
    stands: bool


@dataclass(frozen=True)
class Replayed:
    """How many entries were done again, and of those that could not be, why."""

    done: int
    failures: Sequence[str]


def steps(*, entries: Sequence[Entry]) -> list[Step]:
    """Return `entries` in their order, each with what those that follow say of its session."""
    followed: set[tuple[str, str]] = set()
    found = []
    for entry in reversed(entries):
        kind = _UNDONE_BY.get(entry.what)
        key = (kind, _session(entry)) if kind else None
        found.append(Step(entry, stands=key not in followed))
        if key and key[1]:
            followed.add(key)
    return found[::-1]


def count_pending(*, steps: Sequence[Step], progress: Progress = lambda _: None) -> int:
    """Return how many of `steps` the database does not show yet."""
    count = 0
    for step in steps:
        count += _is_pending(step)
        progress(1)
    return count


def replay(*, steps: Sequence[Step], actor: str, progress: Progress = lambda _: None) -> Replayed:
    """Do again what the database does not show; one transaction each, so safe to repeat.

    Nothing of it is listed again. `progress` is called with 1 for each step. Raises WrongPepper.
    """
    done, failures = 0, []
    with restore_list.replaying():
        for step in steps:
            if _is_pending(step):
                try:
                    _do(step, actor)
                    done += 1
                except (holds.OnHold, ledger.InWork, changes.Protected) as exc:
                    failures.append(f"{step.entry.what} of {step.entry.time:%Y-%m-%d %H:%M}: {exc}")
            progress(1)
    return Replayed(done, failures)


def _is_pending(step: Step) -> bool:
    entry = step.entry
    if entry.what is What.CRM_DELETED:
        return CrmRecord.objects.filter(record_id=entry.record).exists()
    if entry.what is What.PLATFORM_DELETED:
        return _undeleted(entry).exists()
    session = _session(entry)
    return bool(session) and _PENDING[entry.what](step, session)


def _do(step: Step, actor: str) -> None:
    entry, session = step.entry, _session(step.entry)
    match entry.what:
        case What.ERASED:
            erasure.erase(session_hashes=[session], actor=actor, reason=REASON)
        case What.WITHDRAWN:
            withdraw_again(session_hash=session, newest=_newest(entry), at=entry.time)
        case What.RESTATED:
            end_again(session_hash=session)
        case What.HELD:
            reference = f"{REASON}-{entry.time:%Y-%m-%d}"
            holds.place(session_hash=session, reference=reference, actor=actor)
        case What.LIFTED:
            holds.lift(session_hash=session, actor=actor)
        case What.CRM_DELETED:
            for record in CrmRecord.objects.filter(record_id=entry.record):
                changes.delete_record(record=record, actor=actor)
        case What.PLATFORM_DELETED:
            left = _undeleted(entry).values_list("creation_id", flat=True)
            deletions.mark_done(creations=list(left), actor=actor)


def _is_withdrawal_pending(step: Step, session: str) -> bool:
    if withdrawable(session_hash=session, newest=_newest(step.entry)).exists():
        return True
    return step.stands and not Withdrawal.objects.filter(session_hash=session).exists()


def _is_statement_pending(step: Step, session: str) -> bool:
    # One that is younger than the statement is news that the list lacks: it stands.
    withdrawn = Withdrawal.objects.filter(session_hash=session, withdrawn_at__lte=step.entry.time)
    return step.stands and withdrawn.exists()


def _is_hold_pending(step: Step, session: str) -> bool:
    return step.stands and not LegalHold.objects.filter(session_hash=session).exists()


def _is_lifting_pending(step: Step, session: str) -> bool:
    placed = LegalHold.objects.filter(session_hash=session, placed_at__lte=step.entry.time)
    return step.stands and placed.exists()


# Of what names a session that the database knows. Erasing takes the names away.
_PENDING: dict[What, Callable[[Step, str], bool]] = {
    What.ERASED: lambda step, session: True,
    What.WITHDRAWN: _is_withdrawal_pending,
    What.RESTATED: _is_statement_pending,
    What.HELD: _is_hold_pending,
    What.LIFTED: _is_lifting_pending,
}


def _session(entry: Entry) -> str:
    """Return the key of the session whose rows `entry` names; empty where none is there."""
    rows = GuestCreation.objects.filter(id__in=entry.creations, erased_at=None).order_by("id")
    found = rows.values_list("session_hash", flat=True).first()
    if not found and entry.record:
        records = CrmRecord.objects.filter(record_id=entry.record)
        found = records.values_list("session_hash", flat=True).first()
    return found or ""


def _newest(entry: Entry) -> UUID | None:
    """Return the last creation of the session that there was; None where there was none."""
    return max(entry.creations, default=None)


def _undeleted(entry: Entry) -> QuerySet[PlatformDeletion]:
    rows = PlatformDeletion.objects.filter(creation__in=entry.creations)
    return rows.exclude(state=PlatformDeletion.State.DONE)

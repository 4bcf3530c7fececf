"""Name a session by random ids of its rows, for the list from which a restore does things again."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from audit import restore_list
from audit.restore_list import What
from crm.models import CrmRecord
from provisioning.models import GuestCreation

# If a backup knows any creation of the session, it knows the oldest.
_OLDEST = 10


@dataclass(frozen=True)
class Ids:
    """Random ids of a session's rows: its oldest creations and the newest, its CRM record's id."""

    creations: Sequence[UUID]
    record: UUID | None


def ids_of(*, session_hash: str) -> Ids:
    """Return ids by which the session's rows are found again in a backup: three SELECTs."""
    rows = GuestCreation.objects.filter(session_hash=session_hash).values_list("id", flat=True)
    newest = rows.order_by("-id").first()
    records = CrmRecord.objects.filter(session_hash=session_hash)
    return Ids(
        list(dict.fromkeys([*rows.order_by("id")[:_OLDEST], *([newest] if newest else [])])),
        records.values_list("record_id", flat=True).first(),
    )


def list_after_commit(*, what: What, ids: Ids) -> None:
    """Have what the caller's transaction does to a session listed, once that is committed."""
    restore_list.append_after_commit(what=what, creations=ids.creations, record=ids.record)

"""The ledger: the only writer of GuestCreation, each change with its audit event.

opening.py       open_creation(): a new row, or which earlier one serves
transitions.py   what becomes of a row
queue.py         rows that wait for the worker
withdrawal.py    consent taken back: what it does to the session's rows
erasing.py       what an erasure leaves of a row
listing.py       random ids of a session's rows, for the list of what a restore does again
recovery.py      what a crash left open
transactions.py  the units and short transactions that all of it is made of
sql.py           what every init reads and writes, as SQL; sqlite.py, postgresql.py: how

QUEUED ─► PENDING ─► GUEST_CREATED ─► READY
             │             └ rests until the session's next init, which mints the token
             ├─► REFUSED   the platform takes no declined guest
             ├─► FAILED    certainly no guest
             └─► UNKNOWN   a guest may exist; a late answer may still correct it
"""

from provisioning.ledger.erasing import InWork, erase_creations
from provisioning.ledger.opening import (
    ConsentWithdrawn,
    Intent,
    KeyInUse,
    KeyMismatch,
    Opened,
    Step,
    find_guest,
    open_creation,
)
from provisioning.ledger.queue import Waiting, find_queued, queue_depth, start
from provisioning.ledger.transactions import (
    QUEUED_FOR,
    Entry,
    Outcome,
    Sending,
    in_work,
    session_transaction,
)
from provisioning.ledger.transitions import (
    Lost,
    consent_stands,
    give_up,
    guest_created,
    looked_up,
    mark_reviewed,
    mark_withdrawn,
    not_found,
    ready,
    rest,
    settle,
    token_failed,
)

__all__ = [
    "QUEUED_FOR",
    "ConsentWithdrawn",
    "Entry",
    "InWork",
    "Intent",
    "KeyInUse",
    "KeyMismatch",
    "Lost",
    "Opened",
    "Outcome",
    "Sending",
    "Step",
    "Waiting",
    "consent_stands",
    "erase_creations",
    "find_guest",
    "find_queued",
    "give_up",
    "guest_created",
    "in_work",
    "looked_up",
    "mark_reviewed",
    "mark_withdrawn",
    "not_found",
    "open_creation",
    "queue_depth",
    "ready",
    "rest",
    "session_transaction",
    "settle",
    "start",
    "token_failed",
]

"""Re-key a database from plain session hashes to those under SESSION_HASH_PEPPER.

Only that way: a stored key is HMAC(pepper, SHA-256 of the id), and from it nobody can get back to
the SHA-256 that another pepper would need.
"""

from collections.abc import Callable, Iterator
from itertools import chain

from django.db import connection, models, transaction

from audit import log
from audit.models import SubjectSalt
from crm import sessions
from crm.models import CrmRecord
from provisioning import ledger
from provisioning.follow_up import lookups
from provisioning.ledger.erasing import empty_write_ahead_log
from provisioning.models import (
    GuestCreation,
    IdempotencyKey,
    LegalHold,
    Withdrawal,
    WithdrawalCase,
)

_KEYED: tuple[type[models.Model], ...] = (
    CrmRecord, GuestCreation, IdempotencyKey, LegalHold, Withdrawal, WithdrawalCase,
)  # fmt: skip
_BATCH = 1_000


class CannotRekey(Exception):
    """The database is not in a state from which it can be re-keyed; nothing was changed."""


def rekey(*, progress: Callable[[int], object] = lambda _: None) -> int:
    """Re-key every table in one transaction; return how many keys were changed.

    0: it is keyed with this pepper already. Keeps all keys of one table in memory, about 120 bytes
    each. `progress` is called with the number of keys done since the last call.

    Raises CannotRekey.
    """
    with transaction.atomic():
        _lock()
        if not _needs_rekeying():
            return 0
        changed = 0
        for count in chain(*map(_rekey_table, _KEYED), _rekey_log()):
            changed += count
            progress(count)
        sessions.adopt_pepper()
        log.record(kind="sessions.rekeyed", data={"keys": changed})
    # The old keys are what a dictionary could be tried on.
    transaction.on_commit(empty_write_ahead_log)
    return changed


def _lock() -> None:
    """Keep every writer out; on SQLite the transaction does so by itself."""
    if connection.vendor == "postgresql":
        keyed: tuple[type[models.Model], ...] = (*_KEYED, SubjectSalt)
        tables = ", ".join(model._meta.db_table for model in keyed)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")


def _needs_rekeying() -> bool:
    stored, ours = sessions.stored_fingerprint(), sessions.fingerprint()
    if not ours:
        raise CannotRekey("SESSION_HASH_PEPPER is not set")
    if stored == ours:
        return False
    if stored:
        raise CannotRekey("the database is keyed with another pepper, and that is for good")
    if GuestCreation.objects.filter(ledger.in_work()).exists():
        raise CannotRekey("inits are under way: stop the service first")
    if lookups.unsettled().exists():  # a guest is looked for by what comes of the session's key
        raise CannotRekey("creations are unknown: let housekeeping settle them first")
    return True


def _rekey_table(model: type[models.Model]) -> Iterator[int]:
    """Change each key of a table; yield how many, batch by batch."""
    keys = _keys(model)
    statement = f"UPDATE {model._meta.db_table} SET session_hash = %s WHERE session_hash = %s"  # noqa: S608
    with connection.cursor() as cursor:
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            pairs = [(sessions.key_for_hash(session_hash=key), key) for key in batch]
            cursor.executemany(statement, pairs)
            yield len(batch)


def _rekey_log() -> Iterator[int]:
    for key in _keys(SubjectSalt):
        log.rekey(session_hash=key, new_hash=sessions.key_for_hash(session_hash=key))
        yield 1


def _keys(model: type[models.Model]) -> list[str]:
    rows = model._default_manager.exclude(session_hash="")
    return list(rows.order_by().values_list("session_hash", flat=True).distinct())

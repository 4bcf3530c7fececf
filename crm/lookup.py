"""Find records by address, in whatever spelling; give a key and an id to rows that have none.

A row's key was made for one version of the row. The release before, which may still write during an
upgrade, raises the version and knows no key: such a row is out of date until `fill` has read it.
Every search fills first, housekeeping does in between; there is nearly always nothing to fill.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.db import connections, transaction
from django.db.models import QuerySet

from backoffice.foreign import is_storable
from crm.addresses import address_key
from crm.models import MAX_ADDRESS_KEY, OUT_OF_DATE, CrmRecord

BATCH = 500

_FILL = """
    UPDATE crm_crmrecord
    SET address_key = %s, address_version = %s, record_id = COALESCE(record_id, %s)
    WHERE id = %s AND version = %s
"""


def records_of(*, address: str) -> QuerySet[CrmRecord]:
    """Return the records whose address is `address`, however either is spelled."""
    key = address_key(address)
    if not is_storable(key, limit=MAX_ADDRESS_KEY):
        return CrmRecord.objects.none()
    fill()
    return CrmRecord.objects.filter(address_key=key)


def fill(*, records: QuerySet[Any] | None = None) -> int:
    """Make key and id of all records that are out of date; return how many there were.

    A batch is a transaction. Rows that are changed meanwhile stay out of date. `records` is for
    migrations, whose model is not today's.
    """
    every = CrmRecord.objects.all() if records is None else records
    found = (
        every.filter(OUT_OF_DATE).order_by("pk").values("pk", "session_hash", "email", "version")
    )
    done = 0
    batch = list(found[:BATCH])
    while batch:
        _fill_batch(batch, every.db)
        done += len(batch)
        batch = list(found.filter(pk__gt=batch[-1]["pk"])[:BATCH])
    return done


def _fill_batch(batch: Sequence[Mapping[str, Any]], using: str) -> None:
    # In the order of the session's key, as every writer of many rows: so none can dead-lock.
    rows = sorted(batch, key=lambda row: str(row["session_hash"]))
    values = [
        (address_key(row["email"]), row["version"], uuid4().hex, row["pk"], row["version"])
        for row in rows
    ]
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.executemany(_FILL, values)

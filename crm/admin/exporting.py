"""CRM records as a CSV file that an import reads back: untouched, it changes nothing.

With a pepper nobody can tell the plain hash of a session, and the stored key is shown to nobody:
the file names its records by `record_id`. Each further attribute has a column of its own.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from backoffice.downloads import csv_download
from backoffice.turns import give_way
from crm import lookup
from crm.conversion import as_text
from crm.imports.columns import MAX_COLUMNS, column_of
from crm.models import RECORD_FIELDS, CrmRecord

MOST_ATTRIBUTES = MAX_COLUMNS - 1 - len(RECORD_FIELDS)
_CHUNK = 2_000


class TooManyAttributes(Exception):
    """The records have more different attributes than a file can have columns."""


def download(*, records: QuerySet[CrmRecord]) -> StreamingHttpResponse:
    """Return `records` as a file. Raises TooManyAttributes."""
    attributes = _attributes(records)
    key = "session_hash"
    if settings.SESSION_HASH_PEPPER:
        lookup.fill()
        key, records = "record_id", records.exclude(record_id=None)
    columns = (key, *RECORD_FIELDS, "attributes")
    return csv_download(
        name="crm-records.csv",
        header=[*columns[:-1], *(column_of(attribute=name) for name in attributes)],
        rows=_rows(records.values_list(*columns), attributes),
    )


def _attributes(records: QuerySet[CrmRecord]) -> list[str]:
    """Return the names of all further attributes that `records` have, sorted."""
    names: set[str] = set()
    turn = time.monotonic()
    found = records.exclude(attributes={}).values_list("attributes", flat=True)
    for number, further in enumerate(found.iterator(chunk_size=_CHUNK)):
        names.update(further)
        if len(names) > MOST_ATTRIBUTES:
            raise TooManyAttributes
        if number % 200 == 0:
            turn = give_way(since=turn)
    return sorted(names)


def _rows(found: QuerySet[Any, Any], attributes: Sequence[str]) -> Iterator[Sequence[object]]:
    for *fixed, further in found.iterator(chunk_size=_CHUNK):
        yield [*fixed, *(as_text(further.get(name, "")) for name in attributes)]

"""The header of a file: which column holds what.

Labels are ours without regard to capitals, blanks and marks: "Session ID" and "E-Mail" are
session_id and email. All others are names of further attributes.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from django.core.exceptions import ValidationError

from crm import validators
from crm.imports.faults import RowFault, Unreadable
from crm.models import RECORD_FIELDS

# One of them names the record of a row. A file that gives session ids is no export of ours.
KEY_COLUMNS = ("session_id", "session_hash", "record_id")
MAX_COLUMNS = 100
# A further attribute that has the name of another column stands in one with this before its name.
_PREFIX = "attributes."


def _loose(label: str) -> str:
    plain = unicodedata.normalize("NFKC", label).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


# Not record_id: many a CRM has a "Record ID" of its own, and ours comes from an export, untouched.
_FIELDS = {_loose(column): column for column in (*KEY_COLUMNS[:2], *RECORD_FIELDS)}


def field_of(*, label: str) -> str:
    """Return which of our columns `label` stands for; empty where it is none of them."""
    plain = label.strip()
    return plain if plain == "record_id" else _FIELDS.get(_loose(label), "")


def column_of(*, attribute: str) -> str:
    """Return the name of the column for a further attribute."""
    return _PREFIX + attribute if _is_taken(attribute) else attribute


@lru_cache(maxsize=MAX_COLUMNS)  # every row has the same columns
def attribute_of(*, column: str) -> str:
    """Return the name of the further attribute in a column: the inverse of `column_of`."""
    rest = column.removeprefix(_PREFIX)
    return rest if rest != column and _is_taken(rest) else column


def read_header(*, labels: Sequence[str], row: int) -> list[str]:
    """Return the columns that `labels`, in `row` of the file, stand for.

    A column is one of ours, or what stands for a further attribute; empty: it has no name, and no
    row may have a value in it. Raises Unreadable.
    """
    if len(labels) > MAX_COLUMNS:
        raise Unreadable(RowFault(row, "", f"A file has at most {MAX_COLUMNS} columns."))
    if len(labels) == 1 and re.search(r"[,;\t|]", labels[0]):
        raise Unreadable(RowFault(row, "", _ONE_CELL))
    if not any(field_of(label=label) for label in labels):
        raise Unreadable(RowFault(row, "", _NO_HEADER))
    columns = [field_of(label=label) or label.strip() for label in labels]
    faults = [
        RowFault(row, f"column {place}", sentence)
        for place, column in enumerate(columns, start=1)
        if column and (sentence := _name_fault(columns, place, column))
    ]
    if faults := [*faults, *_missing(columns, row)]:
        raise Unreadable(*faults)
    return columns


_ONE_CELL = (
    "The whole header is one cell: its columns must be parted by commas, semicolons, tabs or |, and"
    " not stand in quotation marks together."
)
_NO_HEADER = (
    "This row should be the header, and has none of its labels: session_id or session_hash,"
    f" {', '.join(RECORD_FIELDS)}."
)
_NO_KEY = "Exactly one of session_id and session_hash is needed. An export may have record_id."


def _is_taken(attribute: str) -> bool:
    while attribute.startswith(_PREFIX):
        attribute = attribute.removeprefix(_PREFIX)
    return bool(field_of(label=attribute))


def _name_fault(columns: Sequence[str], place: int, column: str) -> str:
    first = columns.index(column) + 1
    if first != place and field_of(label=column):
        return (
            f"It is read as {column}, as column {first} is. Leave one out; a further attribute of"
            f" this name stands in a column {_PREFIX}<name>."
        )
    if first != place:
        return f"It has the same name as column {first}."
    try:
        validators.validate_attribute_name(attribute_of(column=column))
    except ValidationError as exc:
        return str(exc.messages[0])
    return ""


def _missing(columns: Sequence[str], row: int) -> list[RowFault]:
    faults = []
    if len([column for column in KEY_COLUMNS if column in columns]) != 1:
        faults.append(RowFault(row, "", _NO_KEY))
    if missing := [column for column in RECORD_FIELDS if column not in columns]:
        faults.append(RowFault(row, "", f"Columns are missing: {', '.join(missing)}."))
    return faults

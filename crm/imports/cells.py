"""The cells of one row: checked, and put into the form that `crm.upsert` takes."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from crm import validators
from crm.imports.columns import KEY_COLUMNS, attribute_of
from crm.imports.faults import RowFault
from crm.sessions import hash_session, key_for_hash


@dataclass(frozen=True)
class Row:
    """One row: its record's key, the values as `crm.upsert` takes them, its faults.

    A blank row has no key and no faults.
    """

    number: int
    key: str
    values: dict[str, Any]
    faults: list[RowFault]


def read_row(*, number: int, cells: Iterable[tuple[str, str]]) -> Row:
    """Return row `number` of `cells`, each with the column that it stands in."""
    fields: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    faults = []
    for place, (column, cell) in enumerate(cells, start=1):
        try:
            if check := _CHECKS.get(column):
                fields[column] = check(cell)
            elif column or cell.strip():
                validators.validate_scalar(cell)
                attributes[_attribute(column)] = cell
        except ValidationError as exc:
            faults.append(RowFault(number, column or f"column {place}", exc.messages[0]))
    key = next((fields.pop(column) for column in KEY_COLUMNS if column in fields), "")
    return Row(number, key, {**fields, "attributes": attributes}, faults)


def _attribute(column: str) -> str:
    if not column:
        raise ValidationError("The header has no name for this value.")
    return attribute_of(column=column)


def _session_id(cell: str) -> str:
    validators.validate_session_id(cell)
    return hash_session(session_id=cell)


def _session_hash(cell: str) -> str:
    return key_for_hash(session_hash=validators.plain_hash(cell))


def _record_id(cell: str) -> str:
    try:
        return str(UUID(cell))
    except ValueError as exc:
        raise ValidationError("This is not a record id.") from exc


def _text(limit: int, validate: Callable[[str], None], cell: str) -> str:
    if len(cell) > limit:
        raise ValidationError(f"This is longer than {limit} characters.")
    validate(cell)
    return cell


def _tickets(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", cell) or int(cell) > validators.MAX_TICKETS:
        raise ValidationError(f"This is not a whole number from 0 to {validators.MAX_TICKETS:,}.")
    return int(cell)


_CHECKS: dict[str, Callable[[str], Any]] = {
    "session_id": _session_id,
    "session_hash": _session_hash,
    "record_id": _record_id,
    "email": partial(_text, validators.MAX_EMAIL, validators.validate_address),
    "first_name": partial(_text, validators.MAX_FIRST_NAME, validators.validate_text),
    "tier": partial(_text, validators.MAX_TIER, validators.validate_text),
    "previous_tickets": _tickets,
}

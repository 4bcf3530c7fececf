"""What an import would change, for people who confirm it: masked as in the lists."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backoffice.inert import mask, mask_address, visible
from crm.models import RECORD_FIELDS, CrmRecord
from crm.upsert import PlannedRow, same_attributes

_NOTHING = "–"
_MOST_VALUES = 12
_MASKS: dict[str, Callable[[Any], str]] = {
    "email": mask_address,
    "first_name": mask,
    "tier": visible,
    "previous_tickets": str,
}


@dataclass(frozen=True)
class ChangedValue:
    """One value of a record, as it is and as it would be; `before` is empty for a new record."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class ChangedRow:
    """What a row of the file does to its record; `more` values are changed than `values` tells."""

    number: int
    is_new: bool
    values: Sequence[ChangedValue]
    more: int


def changed_rows(*, planned: Sequence[tuple[int, PlannedRow]]) -> list[ChangedRow]:
    """Compare `planned` rows, each with its number in the file, with the records as they are."""
    keys = [row[0] for _, row in planned]
    stored = CrmRecord.objects.filter(session_hash__in=keys)
    found = {record.session_hash: record for record in stored}
    return [_changed(number, row, found.get(row[0])) for number, row in planned]


def _changed(number: int, row: PlannedRow, stored: CrmRecord | None) -> ChangedRow:
    values = [*_fields(row, stored), *_attributes(json.loads(row[5]), stored)]
    return ChangedRow(number, stored is None, values[:_MOST_VALUES], len(values[_MOST_VALUES:]))


def _fields(row: PlannedRow, stored: CrmRecord | None) -> Iterator[ChangedValue]:
    for name, after in zip(RECORD_FIELDS, row[1:5], strict=True):
        before = getattr(stored, name) if stored else None
        if after != before:
            shown = _masked(name, before) if stored else ""
            yield ChangedValue(name, shown, _masked(name, after))


def _attributes(after: Mapping[str, Any], stored: CrmRecord | None) -> Iterator[ChangedValue]:
    before: Mapping[str, Any] = stored.attributes if stored else {}
    for name in _names(before, after):
        one, other = (
            {name: attributes[name]} if name in attributes else {} for attributes in (before, after)
        )
        if not same_attributes(one, other):
            shown = ["…" if each else _NOTHING for each in (one, other)]
            yield ChangedValue(visible(name), shown[0] if stored else "", shown[1])


def _names(*attributes: Iterable[str]) -> list[str]:
    return sorted({name for each in attributes for name in each})


def _masked(name: str, value: Any) -> str:
    return _MASKS[name](value) or _NOTHING

"""Create, change and delete CRM records for another system, each with its audit event.

A bulk upsert keeps what is right and refuses what is wrong, record by record: nobody sits beside a
nightly job to mend its one bad row. All that is kept is one transaction.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.exceptions import ValidationError

from audit import log
from backoffice.turns import give_way
from crm import changes, sessions
from crm.imports.csvfile import FIXED_COLUMNS
from crm.models import CrmRecord
from crm.sessions import key_for_hash
from crm.sync.preconditions import Preconditions
from crm.sync.serializers import MAX_RECORDS, RecordPatch
from crm.upsert import COLUMNS, PreparedRow, upsert

_BATCH = 500
_TRIES = 5
_NO_RECORD: dict[str, Any] = {
    "email": None,
    "first_name": "",
    "tier": "",
    "previous_tickets": 0,
    "attributes": {},
}
Refusal = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Patch:
    """What to change about the record `key`; `version` is the one it must be at (0: absent)."""

    key: str
    values: Mapping[str, Any] = field(repr=False)
    version: int | None = None


@dataclass(frozen=True)
class Result:
    """What became of one record: ``created``, ``updated``, ``unchanged`` or ``refused``."""

    outcome: str
    version: int | None = None
    errors: Refusal = field(default_factory=dict)


class Overtaken(Exception):
    """Others changed the same records at the same time, again and again; nothing was stored."""


def upsert_records(
    *, patches: Sequence[Patch | Refusal], actor: str, request_id: str
) -> list[Result]:
    """Apply `patches`, each of another record, and say of each what became of it.

    What is a Refusal already stays one. Raises Overtaken, with nothing stored.
    """
    for _ in range(_TRIES):
        # Compared before the transaction opens: on SQLite it keeps every visitor's init waiting.
        plan = list(_planned(patches))
        results = [result for result, _ in plan]
        # In the order of their keys, so that two upserts on PostgreSQL cannot dead-lock.
        rows = sorted(row for _, row in plan if row)
        with suppress(_Changed), transaction.atomic():
            sessions.require_pepper()
            _write(rows)
            counts = Counter(result.outcome for result in results)
            log.record(kind="crm.imported", actor=actor, request_id=request_id, data=dict(counts))
            return results
    raise Overtaken


def replace_record(
    *,
    key: str,
    values: Mapping[str, Any],
    preconditions: Preconditions,
    actor: str,
    request_id: str,
) -> tuple[CrmRecord, bool]:
    """Make the record `key` have exactly `values`, every column; return it, and if it is new.

    Raises PreconditionFailed.
    """
    arguments = (key, values, preconditions, actor, request_id)
    try:
        return _replace(*arguments)
    except IntegrityError:  # somebody made it in between: now it can be changed
        return _replace(*arguments)


def delete_record(*, key: str, preconditions: Preconditions, actor: str, request_id: str) -> bool:
    """Delete the record `key`; False where there is none. Raises PreconditionFailed."""
    with transaction.atomic():
        record = _locked(key)
        preconditions.check(record)
        if record is not None:
            changes.delete_record(record=record, actor=actor, request_id=request_id)
    return record is not None


class _Changed(Exception):
    """A record was changed after it had been compared with its patch."""


def _planned(
    patches: Sequence[Patch | Refusal],
) -> Iterator[tuple[Result, PreparedRow | None]]:
    for start in range(0, len(patches), _BATCH):
        batch = patches[start : start + _BATCH]
        stored = _stored([patch.key for patch in batch if isinstance(patch, Patch)])
        for patch in batch:
            if isinstance(patch, Patch):
                yield _plan(patch, stored.get(patch.key))
            else:
                yield Result("refused", errors=patch), None


def _stored(keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = CrmRecord.objects.filter(session_hash__in=keys).values(*COLUMNS)
    return {row["session_hash"]: row for row in rows}


def _plan(patch: Patch, stored: dict[str, Any] | None) -> tuple[Result, PreparedRow | None]:
    version = stored["version"] if stored else 0
    if patch.version not in (None, version):
        sentence = f"The record is at version {version}." if stored else "There is no record."
        return Result("refused", version or None, {"version": [sentence]}), None
    before = stored or _NO_RECORD
    fixed = [patch.values.get(name, before[name]) for name in FIXED_COLUMNS]
    if fixed[0] is None:
        return Result("refused", errors={"email": ["A new record needs an address."]}), None
    attributes = _merged(before["attributes"], patch.values.get("attributes", {}))
    if stored and [*fixed, attributes] == [stored[name] for name in (*FIXED_COLUMNS, "attributes")]:
        return Result("unchanged", version), None
    row = (patch.key, *fixed, json.dumps(attributes), version + 1)
    return Result("updated" if stored else "created", version + 1), row


def _merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes as a merge patch leaves them: null, and nothing, remove a name."""
    return {name: value for name, value in {**stored, **given}.items() if value not in ("", None)}


def _write(rows: Sequence[PreparedRow]) -> None:
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        if upsert(rows=batch) != len(batch):
            raise _Changed


def _replace(
    key: str, values: Mapping[str, Any], preconditions: Preconditions, actor: str, request_id: str
) -> tuple[CrmRecord, bool]:
    wanted = {**values, "attributes": _merged({}, values["attributes"])}
    with transaction.atomic():
        found = _locked(key)
        preconditions.check(found)
        record = found or CrmRecord(session_hash=key)
        changed = [name for name in wanted if getattr(record, name) != wanted[name]]
        for name in changed:
            setattr(record, name, wanted[name])
        if changed:
            changes.save_record(record=record, fields=changed, actor=actor, request_id=request_id)
    return record, found is None


def _locked(key: str) -> CrmRecord | None:
    return CrmRecord.objects.select_for_update().filter(session_hash=key).first()


_BREATH = 200


def sent_records(body: Any) -> list[Any]:
    """Return the records of a request's body, unchecked. Raises ValidationError."""
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not 0 < len(records) <= MAX_RECORDS:
        sentence = f"records must be a list of 1 to {MAX_RECORDS:,} records."
        raise ValidationError({"records": [sentence]})
    return records


def patches(records: Sequence[Any]) -> Iterator[Patch | Refusal]:
    """Yield for each record what it changes, or why it is refused."""
    check = RecordPatch()
    places: dict[str, int] = {}
    turn = time.monotonic()
    for index, record in enumerate(records):
        if index % _BREATH == 0:
            turn = give_way(since=turn)
        try:
            values = check.run_validation(record)
        except ValidationError as exc:
            whole = {"non_field_errors": exc.detail}  # null is no record: DRF names no field then
            yield exc.detail if isinstance(exc.detail, dict) else whole  # type: ignore[misc]
            continue
        session_hash = values.pop("sessionHash")
        earlier = places.setdefault(session_hash, index)
        if earlier == index:
            version = values.pop("version", None)
            yield Patch(key_for_hash(session_hash=session_hash), values, version)
        else:
            yield {"sessionHash": [f"The same session is at index {earlier}."]}


def answer(results: Sequence[Result]) -> dict[str, Any]:
    """Return the answer's JSON object."""
    counts = Counter(result.outcome for result in results)
    outcomes = ("created", "updated", "unchanged", "refused")
    told = [_told(index, result) for index, result in enumerate(results)]
    return {**{name: counts[name] for name in outcomes}, "results": told}


def _told(index: int, result: Result) -> dict[str, Any]:
    told: dict[str, Any] = {"index": index, "result": result.outcome}
    if result.version:
        told["version"] = result.version
    if result.errors:
        told["fields"] = result.errors
    return told

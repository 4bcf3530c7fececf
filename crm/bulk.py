"""A bulk upsert on the wire: every record checked for itself, every result in its place."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rest_framework.exceptions import ValidationError

from crm.serializers import MAX_RECORDS, RecordPatch
from crm.sessions import key_for_hash
from crm.sync import Patch, Refusal, Result
from crm.turns import give_way

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

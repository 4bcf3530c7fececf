"""Create, change and delete CRM records for another system, each with its audit event.

A bulk upsert keeps what is right and refuses what is wrong, record by record: nobody sits beside a
nightly job to mend its one bad row. All that is kept is one transaction.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.exceptions import APIException, ValidationError

from audit import log
from backoffice.turns import give_way
from crm import changes
from crm.models import CrmRecord
from crm.sessions import key_for_hash
from crm.sync.preconditions import Preconditions
from crm.sync.serializers import MAX_RECORDS, RecordPatch
from crm.upsert import (
    TRIES,
    Change,
    Overtaken,
    Plan,
    merged_attributes,
    plan_all,
    same_attributes,
    write,
)

_RECORDS_A_TURN = 200


class LegalHold(APIException):
    """The record must not be deleted now; it may be changed."""

    status_code = 409
    default_code = "legal_hold"
    default_detail = "A legal hold stands: the record may be corrected, not deleted."


def checked_patches(*, body: Any) -> list[Change | Plan]:
    """Return what a bulk request changes about each of its records, or the plan to refuse it.

    Raises ValidationError where the body is no list of 1 to MAX_RECORDS records.
    """
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not 0 < len(records) <= MAX_RECORDS:
        sentence = f"records must be a list of 1 to {MAX_RECORDS:,} records."
        raise ValidationError({"records": [sentence]})
    return list(_checked(records))


def upsert_records(*, patches: Sequence[Change | Plan], actor: str, request_id: str) -> list[Plan]:
    """Apply `patches`, each of another record, and return what became of each.

    What is refused already stays so. Raises Overtaken, with nothing stored.
    """
    for _ in range(TRIES):
        plans = _planned(patches)
        rows = sorted(plan.row for plan in plans if plan.row)
        with suppress(Overtaken), transaction.atomic():
            for _ in write(rows=rows):
                pass
            counts = _counts(plans)
            log.record(kind="crm.imported", actor=actor, request_id=request_id, data=counts)
            return plans
    raise Overtaken


def bulk_results(*, plans: Sequence[Plan]) -> dict[str, Any]:
    """Return the JSON object that says what became of each record of a bulk request."""
    none = dict.fromkeys(("created", "updated", "unchanged", "refused"), 0)
    results = [_result(index, plan) for index, plan in enumerate(plans)]
    return {**none, **_counts(plans), "results": results}


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
        return _replaced(*arguments)
    except IntegrityError:  # somebody made it in between: now it can be changed
        return _replaced(*arguments)


def delete_record(*, key: str, preconditions: Preconditions, actor: str, request_id: str) -> bool:
    """Delete the record `key`; False where there is none.

    Raises PreconditionFailed or LegalHold.
    """
    with transaction.atomic():
        record = _locked(key)
        preconditions.check(record=record)
        if record is not None:
            try:
                changes.delete_record(record=record, actor=actor, request_id=request_id)
            except changes.Protected as exc:
                raise LegalHold from exc
    return record is not None


def _checked(records: Sequence[Any]) -> Iterator[Change | Plan]:
    check = RecordPatch()
    places: dict[str, int] = {}
    turn = time.monotonic()
    for index, record in enumerate(records):
        if index % _RECORDS_A_TURN == 0:
            turn = give_way(since=turn)
        try:
            values = check.run_validation(record)
        except ValidationError as exc:
            whole = {"non_field_errors": exc.detail}  # null is no record: DRF names no field then
            errors: Any = exc.detail if isinstance(exc.detail, dict) else whole
            yield Plan("refused", errors=errors)
            continue
        session_hash = values.pop("sessionHash")
        earlier = places.setdefault(session_hash, index)
        if earlier == index:
            version = values.pop("version", None)
            yield Change(key_for_hash(session_hash=session_hash), values, version)
        else:
            sentence = f"The same session is at index {earlier}."
            yield Plan("refused", errors={"sessionHash": [sentence]})


def _planned(patches: Sequence[Change | Plan]) -> list[Plan]:
    to_plan = (patch for patch in patches if isinstance(patch, Change))
    plans = chain.from_iterable(plan_all(changes=to_plan))
    return [next(plans) if isinstance(patch, Change) else patch for patch in patches]


def _counts(plans: Sequence[Plan]) -> dict[str, int]:
    counts: Counter[str] = Counter(plan.outcome for plan in plans)
    return dict(counts)


def _result(index: int, plan: Plan) -> dict[str, Any]:
    result: dict[str, Any] = {"index": index, "result": plan.outcome}
    if plan.version:
        result["version"] = plan.version
    if plan.errors:
        result["fields"] = plan.errors
    return result


def _replaced(
    key: str, values: Mapping[str, Any], preconditions: Preconditions, actor: str, request_id: str
) -> tuple[CrmRecord, bool]:
    attributes = merged_attributes(stored={}, given=values["attributes"])
    wanted = {**values, "attributes": attributes}
    with transaction.atomic():
        found = _locked(key)
        preconditions.check(record=found)
        record = found or CrmRecord(session_hash=key)
        changed = [name for name in wanted if not _same(name, getattr(record, name), wanted[name])]
        for name in changed:
            setattr(record, name, wanted[name])
        if changed:
            changes.save_record(record=record, fields=changed, actor=actor, request_id=request_id)
    return record, found is None


def _same(name: str, stored: Any, wanted: Any) -> bool:
    return same_attributes(stored, wanted) if name == "attributes" else bool(stored == wanted)


def _locked(key: str) -> CrmRecord | None:
    return CrmRecord.objects.select_for_update().filter(session_hash=key).first()

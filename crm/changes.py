"""Change single records and mappings, each in one transaction with its audit event.

Events name the fields of a record, never their values; a mapping holds nothing of a person, so its
event shows the whole set before and after.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from audit import log, restore_list
from audit.restore_list import What
from crm import sessions
from crm.models import AttributeMapping, CrmRecord
from crm.profiles import forget_mappings

MAPPING_CHANGED = "mapping.changed"
_MAPPING_COLUMNS = (
    "target", "source_kind", "source", "value_type", "default", "enabled", "order",
)  # fmt: skip

_guard: Callable[[str], str] | None = None


class Protected(Exception):
    """Somebody else needs the record: it may be corrected, but not be deleted."""


def guard_deletions_with(*, guard: Callable[[str], str]) -> None:
    """Ask `guard`, before a record is deleted, why its session's may not; empty: it may."""
    global _guard
    _guard = guard


def obstacle(*, record: CrmRecord) -> str:
    """Return why `record` may not be deleted; empty where it may."""
    return _guard(record.session_hash) if _guard else ""


def save_record(
    *, record: CrmRecord, fields: Iterable[str], actor: str, request_id: str = ""
) -> None:
    """Store `record`, of which `fields` are new or changed, with its event."""
    with transaction.atomic():
        sessions.require_pepper()
        record.save()
        _record_event("crm.changed", record, actor, request_id, {"fields": sorted(fields)})


def delete_record(*, record: CrmRecord, actor: str, request_id: str = "") -> None:
    """Delete `record` with its event. Raises Protected."""
    with transaction.atomic():
        # Who protects a record locks it as well, so that it is there still, or was gone before.
        list(CrmRecord.objects.select_for_update().filter(pk=record.pk).values_list("pk"))
        if reason := obstacle(record=record):
            raise Protected(reason)
        _record_event("crm.deleted", record, actor, request_id, {})
        restore_list.append_after_commit(what=What.CRM_DELETED, record=record.record_id)
        record.delete()


def erase_record(*, session_hash: str) -> bool:
    """Delete the record of a person who is erased; the caller's transaction records the erasure."""
    return bool(CrmRecord.objects.filter(session_hash=session_hash).delete()[0])


def save_mapping(*, mapping: AttributeMapping, actor: str) -> None:
    """Store `mapping` together with an event that shows all before and after."""
    with _recorded(actor):
        mapping.save()


def delete_mapping(*, mapping: AttributeMapping, actor: str) -> None:
    """Delete `mapping` with an event like that of `save_mapping`."""
    with _recorded(actor):
        mapping.delete()


def restore_mappings(*, mappings: Sequence[Mapping[str, Any]], actor: str) -> None:
    """Replace the whole set by `mappings`, as an event recorded it, with an event of its own.

    Raises ValidationError where today's rules refuse one of them; then nothing was changed.
    """
    with _recorded(actor):
        AttributeMapping.objects.all().delete()
        for mapping in as_mappings(recorded=mappings):
            mapping.full_clean()
            mapping.save()


def as_mappings(*, recorded: Sequence[Mapping[str, Any]]) -> list[AttributeMapping]:
    """Return the mappings that an event recorded, in their order, as rows that are not stored."""
    rows = [
        AttributeMapping(**{name: each[name] for name in _MAPPING_COLUMNS}) for each in recorded
    ]
    return sorted(rows, key=lambda mapping: (mapping.order, mapping.target))


def stored_mappings() -> list[dict[str, Any]]:
    """Return the whole set, as an event records it."""
    return list(AttributeMapping.objects.values(*_MAPPING_COLUMNS))


def _record_event(
    kind: str, record: CrmRecord, actor: str, request_id: str, data: dict[str, Any]
) -> None:
    subject = log.pseudonym(session_hash=record.session_hash)
    log.record(kind=kind, subject=subject, actor=actor, request_id=request_id, data=data)


@contextmanager
def _recorded(actor: str) -> Iterator[None]:
    """Run a change of the mappings in one transaction with an event of all before and after."""
    with transaction.atomic():
        before = stored_mappings()
        yield
        data = {"before": before, "after": stored_mappings()}
        log.record(kind=MAPPING_CHANGED, actor=actor, data=data)
    forget_mappings()

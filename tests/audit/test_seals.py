"""Sealing takes every event once, chains, signs and anchors; crashes and rivals do no harm."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID

import pytest
import time_machine
from django.core.management import CommandError, call_command

from audit import log, verify
from audit.models import AuditEvent, AuditLeaf, AuditSeal
from audit.sealing import merkle, seals, signing
from backoffice.periods import id_at
from tests.audit.factories import event, events, sealed_event
from tests.conftest import drop_audit_triggers

pytestmark = pytest.mark.django_db


def _event_at(moment: datetime, number: int = 0) -> AuditEvent:
    """Insert an event with the id and time of `moment`, as a late commit or an outage leaves it."""
    event_id = UUID(int=id_at(moment).int | 0x7 << 76 | number)
    columns = {"kind": "k", "actor": "a", "subject": "", "request_id": ""}
    values = {**columns, "id": str(event_id), "time": log.timestamp(moment), "data": {}}
    body = log.canonical(values)
    return AuditEvent.objects.create(id=event_id, time=moment, body=body, **columns)


def test_seals_every_event_once_in_the_order_of_ids():
    made = events(5)

    sealed = seals.seal(limit=2)

    leaves = AuditLeaf.objects.order_by("position").values_list("position", "event_id", "seal_id")
    assert [one.count for one in sealed] == [2, 2, 1]
    assert list(leaves) == [(at, one.id, at // 2 + 1) for at, one in enumerate(made)]


def test_roots_depend_on_the_events_alone():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in (3, 0, 2, 1):
        _event_at(start, number)

    (sealed,) = seals.seal()

    bodies = AuditEvent.objects.order_by("id").values_list("body", flat=True)
    assert sealed.root == merkle.root(leaves=[merkle.leaf_hash(body=body) for body in bodies]).hex()
    # Pinned, so that SQLite and PostgreSQL are known to agree.
    assert sealed.root == "14724505c4b68139343e266432fd8957a191ee13a42626dc3c617c4d7e020b8d"


def test_does_nothing_when_all_are_sealed():
    sealed_event()

    assert seals.seal() == []


def test_chains_each_seal_to_the_one_before():
    sealed_event()
    sealed_event()

    first, second = AuditSeal.objects.order_by("number")
    assert first.previous_hash == "0" * 64
    assert second.previous_hash == first.hash


def test_takes_an_event_that_was_committed_late():
    now = datetime.now(UTC)
    sealed_event()
    late = _event_at(now - timedelta(minutes=2))

    seals.seal()

    assert AuditLeaf.objects.get(event=late).position == 1


def test_finds_an_older_straggler_only_when_it_looks_at_the_whole_log():
    sealed_event()
    straggler = _event_at(datetime.now(UTC) - timedelta(hours=2))

    assert seals.seal() == []
    call_command("seal_audit", "--all", stdout=StringIO())
    assert AuditLeaf.objects.filter(event=straggler).exists()


def test_looks_at_the_whole_log_once_a_day_by_itself():
    sealed_event()
    straggler = _event_at(datetime.now(UTC) - timedelta(hours=2))

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        first, second = seals.seal(), seals.seal()

    assert AuditLeaf.objects.filter(event=straggler).exists()
    assert len(first) == 1
    assert second == []
    assert AuditEvent.objects.filter(kind="audit.swept").count() == 1


def test_keeps_sealing_after_a_clock_that_ran_ahead():
    _event_at(datetime.now(UTC) + timedelta(days=365))
    seals.seal()

    waiting = event()
    seals.seal()

    assert AuditLeaf.objects.filter(event=waiting).exists()


def test_tells_how_long_the_oldest_event_has_waited():
    assert seals.oldest_unsealed_age() == 0
    waiting = event()

    with time_machine.travel(waiting.time + timedelta(seconds=90), tick=False):
        assert seals.oldest_unsealed_age() == 90

    seals.seal()
    assert seals.oldest_unsealed_age() == 0


def test_needs_the_signing_key(settings):
    settings.AUDIT_SIGNING_KEY = ""
    event()

    with pytest.raises(CommandError, match="AUDIT_SIGNING_KEY is not set"):
        call_command("seal_audit")


def test_anchors_each_seal_in_the_file_and_the_log(anchors, caplog):
    with caplog.at_level("INFO", logger="audit.sealing.anchors"):
        sealed_event()

    (line,) = anchors.read_text().splitlines()
    sealed = AuditSeal.objects.get()
    assert json.loads(line)["hash"] == sealed.hash
    assert sealed.hash == caplog.messages[0].rpartition(" ")[2].replace("-", "")


def test_writes_the_lines_that_a_crash_kept_back(anchors):
    for _ in range(3):
        sealed_event()
    whole = anchors.read_bytes()
    anchors.write_bytes(whole.splitlines(keepends=True)[0])

    seals.seal()

    assert anchors.read_bytes() == whole


def test_tells_in_the_log_that_the_database_lost_a_seal(caplog):
    sealed_event()
    drop_audit_triggers()
    AuditSeal.objects.all()._raw_delete("default")
    AuditLeaf.objects.all()._raw_delete("default")

    seals.seal()

    assert "audit seal 1 is anchored, but the database has lost it" in caplog.messages


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_mends_a_torn_last_line(anchors, cut):
    for _ in range(2):
        sealed_event()
    whole = anchors.read_bytes()
    anchors.write_bytes(whole[:-cut])

    seals.seal()

    assert anchors.read_bytes() == whole


def test_mends_a_file_that_is_one_torn_line(anchors):
    sealed_event()
    whole = anchors.read_bytes()
    anchors.write_bytes(whole[:10])

    seals.seal()

    assert anchors.read_bytes() == whole


def test_says_that_the_anchor_file_cannot_be_written_and_mends_it_later(settings, tmp_path):
    settings.AUDIT_ANCHORS = tmp_path
    event()
    with pytest.raises(CommandError, match="anchor file cannot be written"):
        call_command("seal_audit")

    settings.AUDIT_ANCHORS = tmp_path / "anchors.jsonl"
    call_command("seal_audit", stdout=StringIO())

    assert verify.verify().verified


def test_a_signature_is_good_for_its_purpose_only():
    signature = signing.sign(message=b"m", purpose="seal")

    assert signing.verify(message=b"m", purpose="seal", signature=signature)
    assert not signing.verify(message=b"m", purpose="receipt", signature=signature)
    assert not signing.verify(message=b"n", purpose="seal", signature=signature)


def _swept(at: datetime) -> None:
    """Leave a sweep on record of `at`, as a clock that ran ahead dates it."""
    swept = id_at(at)
    columns = {"kind": "audit.swept", "actor": "system", "subject": "", "request_id": ""}
    values = {**columns, "id": str(swept), "time": log.timestamp(at), "data": {}}
    AuditEvent.objects.create(id=swept, time=at, body=log.canonical(values), **columns)


def test_sweeps_daily_although_a_sweep_is_on_record_of_the_future():
    sealed_event()
    _swept(datetime.now(UTC) + timedelta(days=400))
    swept = AuditEvent.objects.filter(kind="audit.swept")

    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        for _ in range(3):
            seals.seal()

    assert swept.count() == 2  # the one of the future, and one of that day


def test_sweeps_although_the_first_seal_is_of_the_future():
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400)):
        sealed_event()

    for _ in range(3):
        seals.seal()

    assert AuditEvent.objects.filter(kind="audit.swept").count() == 1

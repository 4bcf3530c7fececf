"""`verify_audit` finds a log intact, and names what the database's owner did to it."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit import log, verify
from audit.models import AuditEvent, AuditLeaf, AuditSeal
from audit.sealing import merkle, seals, signing
from backoffice.periods import id_at
from tests.audit.factories import event, events, sealed_event
from tests.conftest import drop_audit_triggers

pytestmark = pytest.mark.django_db


def _verify(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue()


def _problems(*arguments: str) -> str:
    with pytest.raises(CommandError) as failure:
        _verify(*arguments)
    return str(failure.value)


@pytest.fixture
def batches():
    """Two seals of four events each, and no triggers: the owner is about to tamper."""
    made = []
    for _ in range(2):
        made.append(events(4))
        seals.seal()
    drop_audit_triggers()
    return made


def _reseal_everything():
    """Build leaves and chain anew over what the events now are, as an owner with the key can."""
    AuditSeal.objects.all()._raw_delete("default")
    AuditLeaf.objects.all()._raw_delete("default")
    seals.seal(limit=4, sweep=True)


def test_verifies_an_untouched_log():
    sealed_event()
    event()

    assert _verify().startswith("verified: 1 events, seals 1 to 1; 1 events wait")


def test_verifies_an_empty_log():
    assert _verify().startswith("verified: 0 events")


def test_verifies_actors_and_data_that_json_must_escape():
    sealed_event(actor='staff:"ü"\\', data={"text": 'a"b\\c\n\u2028é', "time": "x"})

    assert _verify().startswith("verified: 1 events")


def test_names_an_edited_body(batches):
    target = batches[0][2]
    AuditEvent.objects.filter(id=target.id).update(body=target.body.replace("created", "deleted"))

    assert f"event {target.id}: its body (or its leaf) was edited" in _problems()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "forged"),
        ("subject", "forged"),
        ("actor", "forged"),
        ("request_id", "forged"),
        ("time", "2020-01-01T00:00:00Z"),
    ],
)
def test_names_an_edited_column(batches, column, value):
    target = batches[1][0]
    AuditEvent.objects.filter(id=target.id).update(**{column: value})

    assert f"event {target.id}: its column {column} was edited" in _problems()


def test_names_an_event_given_another_id(batches):
    target = batches[1][0]
    forged = uuid4()
    AuditEvent.objects.filter(id=target.id).update(id=forged)
    AuditLeaf.objects.filter(event_id=target.id).update(event_id=forged)

    assert f"event {forged}: its column id was edited" in _problems()


def test_names_a_deleted_event(batches):
    target = batches[0][3]
    AuditEvent.objects.filter(id=target.id)._raw_delete("default")

    assert f"event {target.id}: was deleted" in _problems()


def test_names_the_seal_of_an_event_deleted_with_its_leaf(batches):
    target = batches[0][1]
    AuditLeaf.objects.filter(event_id=target.id)._raw_delete("default")
    AuditEvent.objects.filter(id=target.id)._raw_delete("default")

    assert "seal 1: the leaf at position 1 was deleted" in _problems()


def test_names_an_event_edited_with_its_leaf(batches):
    target = batches[0][2]
    body = target.body.replace('"index":2', '"index":7')
    AuditEvent.objects.filter(id=target.id).update(body=body)
    AuditLeaf.objects.filter(event_id=target.id).update(hash=merkle.leaf_hash(body=body).hex())

    assert "seal 1: its events are not those it was made of" in _problems()


def test_names_an_event_inserted_at_the_end(batches):
    inserted = event()
    AuditLeaf.objects.create(position=8, event_id=inserted.id, seal_id=3, hash="0" * 64)

    assert f"event {inserted.id}: was inserted at position 8" in _problems()


def test_names_an_event_inserted_with_an_old_date(batches):
    inserted = event()
    old = "2026-01-01T00:00:00.000000Z"
    body = json.dumps(
        json.loads(inserted.body) | {"time": old}, sort_keys=True, separators=(",", ":")
    )
    AuditEvent.objects.filter(id=inserted.id).update(body=body, time=old)

    assert f"event {inserted.id}: of {old}, has no seal" in _problems()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's columns take any text")
def test_names_an_event_whose_time_is_none_before_it_was_sealed(batches):
    forged = event()
    none = "x" * 26 + "Z"
    body = json.dumps(
        json.loads(forged.body) | {"time": none}, sort_keys=True, separators=(",", ":")
    )
    with connection.cursor() as cursor:
        stored = none.removesuffix("Z")
        cursor.execute(
            "UPDATE audit_auditevent SET body = %s, time = %s WHERE id = %s",
            [body, stored, forged.id.hex],
        )
    seals.seal(sweep=True)

    assert f"event {forged.id}: its time is none" in _problems()


def test_names_an_edited_event_that_has_no_seal_yet(batches):
    waiting = event()
    AuditEvent.objects.filter(id=waiting.id).update(kind="forged")

    assert f"event {waiting.id}: its column kind was edited" in _problems()


def test_names_swapped_events(batches):
    one, other = batches[0][1], batches[0][2]
    AuditEvent.objects.filter(id=one.id).update(body=other.body)
    AuditEvent.objects.filter(id=other.id).update(body=one.body)

    assert f"event {one.id}: its body (or its leaf) was edited" in _problems()


def test_names_the_seal_of_swapped_leaves(batches):
    one, other = AuditLeaf.objects.filter(position__in=[1, 2]).order_by("position")
    AuditLeaf.objects.filter(position__in=[1, 2])._raw_delete("default")
    one.position, other.position = 2, 1
    AuditLeaf.objects.bulk_create([one, other])

    assert "seal 1: its events are not those it was made of" in _problems()


def test_names_an_edited_seal(batches):
    AuditSeal.objects.filter(number=1).update(root="0" * 64)

    assert "seal 1: was edited" in _problems()


def test_names_a_deleted_seal(batches):
    AuditSeal.objects.filter(number=1)._raw_delete("default")

    assert "seal 1 was deleted" in _problems()


def test_names_a_tail_cut_off_with_its_seal(batches):
    AuditEvent.objects.filter(leaf__seal_id=2)._raw_delete("default")
    AuditLeaf.objects.filter(seal_id=2)._raw_delete("default")
    AuditSeal.objects.filter(number=2)._raw_delete("default")

    assert "seal 2: was cut off" in _problems()


def test_names_a_log_replaced_as_a_whole(batches, anchors):
    for table in ("event", "leaf", "seal", "log"):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM audit_audit{table}")

    assert f"{anchors}, line 1: is of another log" in _problems()


def test_names_a_log_chained_anew_by_someone_without_the_key(batches, settings):
    settings.AUDIT_SIGNING_KEY = "22" * 32
    AuditEvent.objects.filter(id=batches[0][0].id)._raw_delete("default")
    _reseal_everything()
    settings.AUDIT_SIGNING_KEY = "11" * 32

    assert "seal 1: signed with key" in _problems()


def test_names_a_log_chained_anew_by_someone_with_the_key(batches):
    AuditEvent.objects.filter(id=batches[0][0].id)._raw_delete("default")
    _reseal_everything()

    assert "seal 1: is not the one anchored" in _problems()


def test_names_a_missing_trigger(batches):
    assert "trigger audit_auditevent_no_" in _problems()


def _could_not(*arguments: str) -> str:
    """Return what a verification says that could not be made, and left no trace in the log."""
    with pytest.raises(CommandError) as failure:
        _verify(*arguments)
    assert failure.value.returncode == 3
    assert not AuditEvent.objects.filter(kind="audit.verified").exists()
    return str(failure.value)


def test_could_not_verify_without_the_anchor_file(anchors):
    sealed_event()
    anchors.unlink()

    assert f"the anchor file {anchors} is missing" in _could_not()


def test_could_not_verify_with_an_anchor_file_that_cannot_be_read(anchors):
    sealed_event()

    assert "cannot be read" in _could_not("--anchors", str(anchors.parent))


@pytest.mark.parametrize("own", ["22" * 32, ""])
def test_could_not_verify_seals_of_a_key_that_it_was_not_told(settings, own):
    sealed_event()
    settings.AUDIT_SIGNING_KEY = own

    assert "which AUDIT_VERIFY_KEYS does not hold" in _could_not()


def test_could_not_verify_an_earlier_key_before_its_own(settings):
    sealed_event()
    settings.AUDIT_SIGNING_KEY = "22" * 32
    sealed_event()

    assert "seal 1: signed with key" in _could_not()


@pytest.mark.parametrize("since", [(), ("--since", "2")])
def test_names_a_stranger_who_sealed_after_our_own_key(settings, since):
    sealed_event()
    own, settings.AUDIT_SIGNING_KEY = settings.AUDIT_SIGNING_KEY, "22" * 32
    sealed_event()
    settings.AUDIT_SIGNING_KEY = own

    assert "seal 2: signed with key" in _problems(*since)
    assert verify.last().verified is False


def test_names_what_was_edited_although_the_key_is_missing(batches, settings):
    settings.AUDIT_SIGNING_KEY = "22" * 32
    AuditEvent.objects.filter(id=batches[1][0].id).update(actor="forged")

    assert f"event {batches[1][0].id}: its column actor was edited" in _problems()
    assert verify.last().verified is False


def test_says_of_one_seal_that_its_key_is_missing(settings):
    sealed_event()
    settings.AUDIT_SIGNING_KEY = ""

    report = verify.verify_seal(number=1)

    assert (report.problems, len(report.obstacles)) == ([], 1)


def test_takes_no_verification_of_the_future_for_the_last():
    sealed_event()
    _verify()
    before = verify.last()
    with transaction.atomic():
        ahead = datetime.now(UTC) + timedelta(days=400)
        AuditEvent.objects.create(
            id=id_at(ahead), time=ahead, kind="audit.verified", actor="x", body="{}"
        )

    assert verify.last() == before


def test_verifies_seals_of_an_earlier_key(settings):
    sealed_event()
    settings.AUDIT_VERIFY_KEYS = [signing.public_key_hex()]
    settings.AUDIT_SIGNING_KEY = "22" * 32
    sealed_event()

    assert _verify().startswith("verified: 2 events")


def test_verifies_from_a_seal_on():
    for _ in range(3):
        sealed_event()

    assert _verify("--since", "3").startswith("verified: 1 events, seals 3 to 3")


def test_names_tampering_from_a_seal_on(batches):
    AuditEvent.objects.filter(id=batches[1][0].id).update(actor="forged")

    assert f"event {batches[1][0].id}: its column actor" in _problems("--since", "2")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's columns take any type")
def test_names_a_body_turned_into_bytes(batches):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_auditevent SET body = CAST(body AS BLOB)")

    assert f"event {batches[0][0].id}: its body (or its leaf) was edited" in _problems()


def test_refuses_to_begin_with_a_seal_that_does_not_exist():
    assert "there is no seal 5" in _problems("--since", "5")


def test_finds_tampering_beyond_the_first_chunk(monkeypatch):
    monkeypatch.setattr("audit.records.CHUNK", 3)
    made = events(10)
    seals.seal(limit=4)
    drop_audit_triggers()
    AuditEvent.objects.filter(id=made[8].id).update(actor="forged")

    assert f"event {made[8].id}: its column actor was edited" in _problems()


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"log": "x", "seal": 1e999, "hash": "y"}'])
def test_names_an_anchor_that_no_reader_can_take(line, tmp_path):
    sealed_event()
    anchors = tmp_path / "anchors.jsonl"
    anchors.write_bytes(line + b"\n")

    assert "line 1: is not an anchor" in _problems("--anchors", str(anchors))


@pytest.mark.parametrize("name", ["", "x" * 65, "\udcff", "a\nb"])
def test_takes_no_name_that_an_event_cannot_hold(name):
    with pytest.raises(CommandError, match="a name has 1 to 64 characters"):
        _verify("--actor", name)


def test_records_that_the_log_was_verified():
    sealed_event()
    _verify("--actor", "auditor")

    outcome = verify.last()

    assert outcome is not None
    assert (outcome.verified, outcome.last_seal) == (True, 1)
    assert AuditEvent.objects.get(kind="audit.verified").actor == "auditor"


def test_knows_of_no_verification_before_the_first():
    assert verify.last() is None


def test_warns_of_events_sealed_long_after_their_time():
    sealed_event()
    late = log.uuid7()
    old = "2026-01-01T00:00:00.000000Z"
    body = log.canonical(
        {
            "id": str(late),
            "kind": "k",
            "time": old,
            "actor": "",
            "subject": "",
            "request_id": "",
            "data": {},
        }
    )
    with transaction.atomic():
        AuditEvent.objects.create(id=late, time=old, kind="k", body=body)
    seals.seal(sweep=True)

    report = verify.verify()

    assert report.verified
    assert report.warnings == [
        "1 events were sealed after younger ones: committed late, or back-dated"
    ]

"""`record` appends what it was given, in the caller's transaction, or says why not."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit import log
from audit.models import AuditEvent, SubjectSalt
from tests.audit.factories import event, events

pytestmark = pytest.mark.django_db


def test_keeps_the_exact_canonical_text():
    recorded = event(
        kind="guest.created",
        subject="s",
        actor="visitor",
        request_id="0a" * 16,
        data={"b": "é", "a": [1]},
    )

    assert recorded.body == (
        '{"actor":"visitor","data":{"a":[1],"b":"é"}'
        f',"id":"{recorded.id}","kind":"guest.created","request_id":"{"0a" * 16}","subject":"s"'
        f',"time":"{log.timestamp(recorded.time)}"}}'
    )


def test_gives_an_event_an_ordered_id_of_version_7():
    made = [one.id for one in events(3)]

    assert made == sorted(made)
    assert {one.version for one in made} == {7}


def test_takes_one_statement():
    with (
        transaction.atomic(),
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        log.record(kind="guest.created")

    assert len(queries) == 1


def test_vanishes_with_the_transaction_it_belongs_to():
    with transaction.atomic():
        log.record(kind="guest.created")
        transaction.set_rollback(True)

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_refuses_to_record_outside_a_transaction():
    with pytest.raises(log.OutsideTransaction, match=r"guest\.created"):
        log.record(kind="guest.created")


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 1, tzinfo=UTC),
        {1, 2},
        b"x",
        float("nan"),
        "\ud800",
        UUID(int=0),
        {1: 2, "a": 3},
    ],
    ids=["datetime", "set", "bytes", "nan", "surrogate", "uuid", "mixed keys"],
)
def test_refuses_data_that_is_not_json(value):
    with pytest.raises(log.NotRecordable), transaction.atomic():
        log.record(kind="guest.created", data={"value": value})


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": ""},
        {"kind": "k" * 65},
        {"subject": "s" * 65},
        # Only ids made here: a client's may hold anything.
        {"request_id": "jane.doe"},
        {"request_id": "0A" * 16},
        {"request_id": "0a" * 17},
        {"request_id": "0a" * 16 + "\n"},
    ],
)
def test_refuses_names_that_do_not_fit(fields):
    with pytest.raises(log.NotRecordable), transaction.atomic():
        log.record(**{"kind": "guest.created", **fields})


def test_gives_a_session_one_pseudonym_that_is_not_its_hash():
    one, again = (log.pseudonym(session_hash="ab" * 32) for _ in range(2))
    other = log.pseudonym(session_hash="cd" * 32)

    assert one == again != other
    assert len(bytes.fromhex(one)) == 32
    assert SubjectSalt.objects.count() == 2


def test_finds_a_known_pseudonym_with_one_statement(django_assert_num_queries):
    log.pseudonym(session_hash="ab" * 32)

    with django_assert_num_queries(1):
        log.pseudonym(session_hash="ab" * 32)


def test_forgets_a_session_for_good():
    before = log.pseudonym(session_hash="ab" * 32)

    assert log.forget(session_hash="ab" * 32) == before
    assert not SubjectSalt.objects.exists()
    assert log.pseudonym(session_hash="ab" * 32) != before


def test_has_nothing_to_forget_of_a_stranger():
    assert log.forget(session_hash="ab" * 32) is None


def test_a_body_parses_as_json():
    recorded = event(data={"text": "\u2028\n\x00"})

    assert json.loads(recorded.body)["data"] == {"text": "\u2028\n\x00"}

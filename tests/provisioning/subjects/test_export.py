"""An export holds every column that the inventory says it holds, and none that it withholds."""

import json
from datetime import timedelta
from itertools import chain

import pytest
from django.apps import apps
from django.utils import timezone

from crm.sessions import hash_session
from provisioning import reviews
from provisioning.models import GuestCreation, InitCapability, PlatformDeletion, WithdrawalCase
from provisioning.subjects import holds
from provisioning.subjects.export import export
from provisioning.subjects.inventory import EXPORTED, TABLES, WITHHELD
from tests.support.factories import staff
from tests.support.visitor import SESSION, known_to_the_crm, latest

KEY = hash_session(session_id=SESSION)
# Where the rows of a table stand in a session's part of the document.
PLACES = {
    "crm_crmrecord": lambda session: [session["crmRecord"]],
    "provisioning_guestcreation": lambda session: session["creations"],
    "provisioning_review": lambda session: _in_creations(session, "reviews"),
    "provisioning_idempotencykey": lambda session: _in_creations(session, "idempotencyKeys"),
    "provisioning_initcapability": lambda session: _in_creations(session, "capabilities"),
    "provisioning_platformdeletion": lambda session: _in_creations(session, "platformDeletions"),
    "provisioning_withdrawal": lambda session: [session["withdrawal"]],
    "provisioning_withdrawalcase": lambda session: session["withdrawalCases"],
    "provisioning_legalhold": lambda session: [session["legalHold"]],
    "audit_auditevent": lambda session: session["changes"],
    "audit_subjectsalt": lambda session: [session],
}


def _in_creations(session, name):
    return list(chain.from_iterable(creation[name] for creation in session["creations"]))


def _camel(column):
    first, *rest = column.split("_")
    return first + "".join(word.capitalize() for word in rest)


@pytest.fixture
def person(visitor):
    """Jane, of whom every table that knows visitors holds a row."""
    known_to_the_crm()
    said = {"sessionId": SESSION, "consentGiven": True, "noticeVersion": "of Jane"}
    visitor.post("init", said, **{"Idempotency-Key": "one"})
    row = latest()
    GuestCreation.objects.filter(id=row.id).update(
        platform_code="bad.request", correlation_id="c-1", error_code="platform_rejected"
    )
    InitCapability.objects.create(
        key_hash="0" * 64, creation=row, expires_at=timezone.now() + timedelta(minutes=9)
    )
    PlatformDeletion.objects.create(
        creation=row, guest_id="a-second-one", requested_at=timezone.now()
    )
    words = {"verdict": "in_order", "reason": "Jane called twice"}
    reviews.review(creations=[row.id], reviewer=staff(), **words)
    visitor.withdraw()
    WithdrawalCase.objects.create(session_hash=KEY, withdrawn_at=row.created_at, case_number="c-1")
    holds.place(session_hash=KEY, reference="case-7", actor="dpo")
    (session,) = export(session_hashes=[KEY], actor="dpo")["sessions"]
    return session


def _tables(word):
    return [
        (name, column)
        for name, table in TABLES.items()
        for fate, columns in table.fates.items()
        if fate.export == word
        for column in columns.split()
    ]


def _stored(table, column):
    (model,) = [model for model in apps.get_models() if model._meta.db_table == table]
    return set(map(str, model.objects.values_list(column, flat=True)))


def test_holds_every_column_that_is_marked_as_exported(person):
    missing = []
    for table, column in _tables(EXPORTED):
        name = "data" if (table, column) == ("audit_auditevent", "body") else _camel(column)
        rows = PLACES[table](person)
        if not rows or any(row is None or name not in row for row in rows):
            missing.append(f"{table}.{column}")

    assert missing == []


@pytest.mark.parametrize("table", [name for name in PLACES if not name.startswith("audit")])
def test_gives_what_is_stored(person, table):
    columns = [column for name, column in _tables(EXPORTED) if name == table]
    texts = [column for column in columns if not column.endswith(("_at", "attributes"))]

    given = {
        column: {str(row[_camel(column)]) for row in PLACES[table](person)} for column in texts
    }

    assert given == {column: _stored(table, column) for column in texts}


def test_withholds_secrets_and_who_on_the_staff_it_was(person):
    text = json.dumps(person)
    secret = [
        value
        for table, column in _tables(WITHHELD)
        if table.startswith("provisioning")
        and column in ("salt", "key_hash", "answer", "placed_by")
        for value in _stored(table, column)
    ]

    assert [value for value in secret if value and value in text] == []
    assert not any({"reviewerId", "actor"} & row.keys() for row in _in_creations(person, "reviews"))
    assert not any("actor" in event for event in person["changes"])


def test_says_nothing_of_holds_where_the_law_forbids_to(person):
    (session,) = export(session_hashes=[KEY], actor="dpo", holds=False)["sessions"]

    assert "case-7" in json.dumps(person)
    assert "case-7" not in json.dumps(session)
    assert "hold." not in json.dumps(session)

"""Every road to change the log, raw and through the ORM, is refused by the database."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from audit import log
from audit.models import AuditEvent, AuditLeaf, AuditLog, AuditSeal
from tests.audit.factories import event, sealed_event

pytestmark = pytest.mark.django_db

COPY = "(id, time, kind, subject, actor, request_id, body)"


def _raw(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _same_id(target):
    columns = "id, time, 'forged', subject, actor, request_id, body"
    return f"SELECT {columns} FROM audit_auditevent WHERE kind = '{target.kind}'"


def _reassign(target):
    target.kind = "forged"
    return target


ORM_ROADS = {
    "save": lambda target: _reassign(target).save(),
    "save some fields": lambda target: _reassign(target).save(update_fields=["kind"]),
    "save as new": lambda target: _reassign(target).save(force_insert=True),
    "delete": lambda target: target.delete(),
    "update": lambda target: AuditEvent.objects.update(kind="forged"),
    "update by expression": lambda target: AuditEvent.objects.update(body=F("kind")),
    "bulk update": lambda target: AuditEvent.objects.bulk_update([_reassign(target)], ["kind"]),
    "bulk delete": lambda target: AuditEvent.objects.all().delete(),
    "raw delete": lambda target: AuditEvent.objects.all()._raw_delete("default"),
    "update or create": lambda target: AuditEvent.objects.update_or_create(
        id=target.id, defaults={"kind": "forged"}
    ),
    "upsert": lambda target: AuditEvent.objects.bulk_create(
        [_reassign(target)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["kind"],
    ),
}
RAW_ROADS = {
    "update": "UPDATE audit_auditevent SET kind = 'forged'",
    "update of the key": "UPDATE audit_auditevent SET id = '00000000000000000000000000000000'",
    "update with a join": "UPDATE audit_auditevent SET body = l.hash FROM audit_auditleaf l"
    " WHERE l.event_id = audit_auditevent.id",
    "delete": "DELETE FROM audit_auditevent",
    "delete one": "DELETE FROM audit_auditevent WHERE kind = 'guest.created'",
    "upsert": f"INSERT INTO audit_auditevent {COPY}"
    " SELECT id, time, 'forged', subject, actor, request_id, body FROM audit_auditevent WHERE true"
    " ON CONFLICT (id) DO UPDATE SET kind = 'forged'",
    "delete through a query": "WITH old AS (SELECT id FROM audit_auditevent)"
    " DELETE FROM audit_auditevent WHERE id IN (SELECT id FROM old)",
    "update a leaf": "UPDATE audit_auditleaf SET hash = 'forged'",
    "delete a leaf": "DELETE FROM audit_auditleaf",
    "update a seal": "UPDATE audit_auditseal SET root = 'forged'",
    "delete a seal": "DELETE FROM audit_auditseal",
    "update the log's id": "UPDATE audit_auditlog SET log_id = '00000000000000000000000000000000'",
    "delete the log's id": "DELETE FROM audit_auditlog",
}
_REPLACE = f"INSERT OR REPLACE INTO audit_auditevent {COPY}"
_FORGED = "SELECT id, time, 'forged', subject, actor, request_id, body FROM audit_auditevent"
SQLITE_ROADS = {
    "insert or replace": f"{_REPLACE} {_FORGED}",
    "replace": f"{_REPLACE.replace('INSERT OR REPLACE', 'REPLACE')} {_FORGED}",
    "replace by rowid": "INSERT OR REPLACE INTO audit_auditevent (rowid, id, time, kind, subject,"
    " actor, request_id, body) SELECT rowid, 'ffffffffffffffffffffffffffffffff', time, 'forged',"
    " subject, actor, request_id, body FROM audit_auditevent",
    "update or replace": "UPDATE OR REPLACE audit_auditevent SET kind = 'forged'",
    "update or ignore": "UPDATE OR IGNORE audit_auditevent SET kind = 'forged'",
    "replace a leaf by its event": "INSERT OR REPLACE INTO audit_auditleaf"
    " (position, hash, event_id, seal_id) SELECT 99, 'forged', event_id, 1 FROM audit_auditleaf",
    "replace a leaf by its position": "INSERT OR REPLACE INTO audit_auditleaf (position, hash,"
    " event_id, seal_id) SELECT position, 'forged', 'ff', 1 FROM audit_auditleaf",
    "replace a seal by its position": "INSERT OR REPLACE INTO audit_auditseal SELECT 99,"
    " first_position, count, root, previous_hash, time, key_id, hash, signature"
    " FROM audit_auditseal",
}
POSTGRESQL_ROADS = {
    "truncate": "TRUNCATE audit_auditevent",
    "truncate cascade": "TRUNCATE audit_auditevent, audit_auditleaf CASCADE",
    "truncate the seals": "TRUNCATE audit_auditseal",
    "merge": "MERGE INTO audit_auditevent e USING (SELECT id FROM audit_auditevent) o"
    " ON o.id = e.id WHEN MATCHED THEN UPDATE SET kind = 'forged'",
    "replica role": "SET LOCAL session_replication_role = replica;"
    " UPDATE audit_auditevent SET kind = 'forged'",
    "update of a parent": "CREATE TABLE parent (kind varchar(64) NOT NULL);"
    " ALTER TABLE audit_auditevent INHERIT parent; UPDATE parent SET kind = 'forged'",
}


def _rows():
    return [list(model.objects.order_by("pk").values_list()) for model in _TABLES]


_TABLES = (AuditEvent, AuditLeaf, AuditSeal, AuditLog)


def _assert_refused(act):
    before = _rows()

    with pytest.raises(DatabaseError, match=r"append-only|duplicate key"), transaction.atomic():
        act()

    assert _rows() == before


@pytest.mark.parametrize("road", ORM_ROADS.values(), ids=ORM_ROADS)
def test_refuses_every_orm_road_to_change_an_event(road):
    target = sealed_event(kind="guest.created")

    _assert_refused(lambda: road(target))


@pytest.mark.parametrize("sql", RAW_ROADS.values(), ids=RAW_ROADS)
def test_refuses_every_statement_that_changes_the_log(sql):
    sealed_event(kind="guest.created")

    _assert_refused(lambda: _raw(sql))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own statements")
@pytest.mark.parametrize("sql", SQLITE_ROADS.values(), ids=SQLITE_ROADS)
def test_refuses_the_statements_only_sqlite_has(sql):
    sealed_event(kind="guest.created")

    _assert_refused(lambda: _raw(sql))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own statements")
@pytest.mark.parametrize("sql", POSTGRESQL_ROADS.values(), ids=POSTGRESQL_ROADS)
def test_refuses_the_statements_only_postgresql_has(sql):
    sealed_event(kind="guest.created")

    _assert_refused(lambda: _raw(sql))


def test_still_takes_further_events():
    event(kind="guest.created")

    with transaction.atomic():
        log.record(kind="token.issued")

    assert AuditEvent.objects.count() == 2

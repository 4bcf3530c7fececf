"""The database itself refuses to change the log; this module says how, and tells when it does not.

Another app whose table must never change either names it with `protect`, in its ``apps.py``.

SQLite loses a table's triggers in silence when a migration remakes the table, so `install` runs
after every migrate (`audit.apps`), and `missing` feeds the system check, ``/readyz`` and
``verify_audit``. A trigger that is there but altered or disabled counts as missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.models import AuditEvent, AuditLeaf, AuditLog, AuditSeal

_insert_only: list[type[models.Model]] = [AuditEvent, AuditLeaf, AuditSeal, AuditLog]

# Rows for UPDATE and DELETE, so that a statement against a parent table is refused too.
_POSTGRESQL = {
    "no_change": ("BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW", 1 | 2 | 8 | 16),
    "no_truncate": ("BEFORE TRUNCATE ON {table} FOR EACH STATEMENT", 2 | 32),
}
_FUNCTION = "audit_refuse_change"
_FUNCTION_BODY = (
    " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME"
    " USING ERRCODE = 'restrict_violation'; END "
)


@dataclass(frozen=True)
class Trigger:
    """A trigger as it should be. `kind` is PostgreSQL's ``pg_trigger.tgtype``, 0 on SQLite."""

    name: str
    table: str
    sql: str
    kind: int = 0


def protect(*, model: type[models.Model]) -> None:
    """Have `model`'s table refuse everything but an insert, like the log's own."""
    if model not in _insert_only:
        _insert_only.append(model)


def missing(*, using: str = "default") -> list[str]:
    """Return the names of triggers that are absent, altered or disabled; none for absent tables."""
    intact = _intact(using)
    return [trigger.name for trigger in wanted(using=using) if trigger not in intact]


def install(*, using: str = "default") -> None:
    """Put every missing trigger in place; with all there, touch nothing and take no lock."""
    connection = connections[using]
    intact = _intact(using)
    wanting = [trigger for trigger in wanted(using=using) if trigger not in intact]
    if not wanting:
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger"
                f" LANGUAGE plpgsql AS $${_FUNCTION_BODY}$$"
            )
        for trigger in wanting:
            cursor.execute(_drop(connection, trigger))
            cursor.execute(trigger.sql)
            if connection.vendor == "postgresql":
                # ALWAYS: also where session_replication_role turns ordinary triggers off.
                cursor.execute(f"ALTER TABLE {trigger.table} ENABLE ALWAYS TRIGGER {trigger.name}")


def wanted(*, using: str = "default") -> list[Trigger]:
    """Return every trigger that the insert-only tables present should have."""
    connection = connections[using]
    present = set(connection.introspection.table_names())
    build = _for_postgresql if connection.vendor == "postgresql" else _for_sqlite
    return [
        trigger
        for model in _insert_only
        if model._meta.db_table in present
        for trigger in build(model)
    ]


def _for_postgresql(model: type[models.Model]) -> Iterator[Trigger]:
    table = model._meta.db_table
    for suffix, (when, kind) in _POSTGRESQL.items():
        name = f"{table}_{suffix}"
        event = when.format(table=table)
        sql = f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION {_FUNCTION}()"
        yield Trigger(name, table, sql, kind)


def _for_sqlite(model: type[models.Model]) -> Iterator[Trigger]:
    table = model._meta.db_table
    refuse = f"SELECT RAISE(ABORT, '{table} is append-only')"
    for event in ("UPDATE", "DELETE"):
        name = f"{table}_no_{event.lower()}"
        yield Trigger(
            name, table, f"CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN {refuse}; END"
        )
    # INSERT OR REPLACE deletes every row it conflicts with, by whatever unique column or by rowid,
    # and no DELETE trigger fires for it. A rowid that was not given reads as -1.
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE "  # noqa: S608
        + " AND ".join(f"{column} = NEW.{column}" for column in columns)
        + ")"
        for columns in [*_unique_columns(model), ["rowid"]]
    )
    name = f"{table}_no_replace"
    yield Trigger(
        name,
        table,
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {taken} BEGIN {refuse}; END",
    )


def _unique_columns(model: type[models.Model]) -> Iterator[list[str]]:
    columns = {field.name: str(field.column) for field in model._meta.local_fields}
    yield from ([columns[field.name]] for field in model._meta.local_fields if field.unique)
    for constraint in model._meta.total_unique_constraints:
        yield [columns[name] for name in constraint.fields]


def _intact(using: str) -> set[Trigger]:
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
            return {Trigger(*row) for row in cursor.fetchall()}
        cursor.execute(
            "SELECT tgname, tgtype FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE tgenabled = 'A' AND tgqual IS NULL AND proname = %s AND prosrc = %s",
            [_FUNCTION, _FUNCTION_BODY],
        )
        found = set(cursor.fetchall())
    return {trigger for trigger in wanted(using=using) if (trigger.name, trigger.kind) in found}


def _drop(connection: BaseDatabaseWrapper, trigger: Trigger) -> str:
    on_table = f" ON {trigger.table}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {trigger.name}{on_table}"

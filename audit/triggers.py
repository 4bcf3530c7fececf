"""The database itself refuses to change the log; this module says how, and tells when it does not.

Another app whose table must never change either names it with `protect`, in its ``apps.py``; a
column with somebody's own words may be left to an erasure, which can blank it and nothing else.

SQLite loses a table's triggers in silence when a migration remakes the table, so `install` runs
after every migrate (`audit.apps`), and `missing` feeds the system check, ``/readyz`` and
``verify_audit``. A trigger that is there but altered or disabled counts as missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.models import AuditEvent, AuditLeaf, AuditLog, AuditSeal

# Each with the column that may be blanked, if there is one.
_insert_only: dict[type[models.Model], str] = dict.fromkeys(
    (AuditEvent, AuditLeaf, AuditSeal, AuditLog), ""
)

# Rows for UPDATE and DELETE, so that a statement against a parent table is refused too.
_POSTGRESQL = {
    "no_change": ("BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW", 1 | 2 | 8 | 16),
    "no_truncate": ("BEFORE TRUNCATE ON {table} FOR EACH STATEMENT", 2 | 32),
}
_FUNCTION = "audit_refuse_change"
_RAISE = "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';"
_BLANKING = "audit_refuse_all_but_blanking"
_FUNCTIONS = {
    _FUNCTION: f" BEGIN {_RAISE} END ",
    _BLANKING: (
        " BEGIN IF TG_OP = 'UPDATE' AND"
        " to_jsonb(NEW) = to_jsonb(OLD) || jsonb_build_object(TG_ARGV[0], '')"
        f" THEN RETURN NEW; END IF; {_RAISE} END "
    ),
}


@dataclass(frozen=True)
class Trigger:
    """A trigger as it should be; the rest is PostgreSQL's.

    `kind` is ``pg_trigger.tgtype``, `function` what it calls, `blanks` the column it lets blank.
    """

    name: str
    table: str
    sql: str
    kind: int = 0
    function: str = ""
    blanks: str = ""

    @property
    def mark(self) -> tuple[str | int, ...]:
        """Return what the database tells of such a trigger."""
        if self.function:
            return self.name, self.kind, self.function, self.blanks
        return self.name, self.table, self.sql


def protect(*, model: type[models.Model], but_blanking: str = "") -> None:
    """Have `model`'s table refuse everything but an insert, like the log's own.

    The text column `but_blanking` may be emptied, for a person's erasure.
    """
    _insert_only[model] = but_blanking


def let_blank(*, model: type[models.Model], using: str = "default") -> None:
    """See to it that `model`'s column can be blanked, in a transaction of its own.

    A database that was made before this was asked for has triggers that refuse that, too. They are
    as good as ours, and stay while the release before, which knows no others, may be running.
    """
    table = model._meta.db_table
    found = _found(using)
    former = [t for t in wanted(using=using) if t.table == table and t.mark not in found]
    _create(former, using)


def missing(*, using: str = "default") -> list[str]:
    """Return the names of triggers that are absent, altered or disabled; none for absent tables."""
    intact = _intact(using)
    return [trigger.name for trigger in wanted(using=using) if trigger not in intact]


def install(*, using: str = "default") -> None:
    """Put every missing trigger in place; with all there, touch nothing and take no lock."""
    intact = _intact(using)
    _create([trigger for trigger in wanted(using=using) if trigger not in intact], using)


def _create(wanting: list[Trigger], using: str) -> None:
    if not wanting:
        return
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name, body in _FUNCTIONS.items():
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger"
                    f" LANGUAGE plpgsql AS $${body}$$"
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
        for model, blanks in _insert_only.items()
        if model._meta.db_table in present
        for trigger in build(model, blanks)
    ]


def _for_postgresql(model: type[models.Model], blanks: str) -> Iterator[Trigger]:
    table = model._meta.db_table
    for suffix, (when, kind) in _POSTGRESQL.items():
        name = f"{table}_{suffix}"
        event = when.format(table=table)
        column = blanks if suffix == "no_change" else ""
        function = _BLANKING if column else _FUNCTION
        argument = f"'{column}'" if column else ""
        sql = f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION {function}({argument})"
        yield Trigger(name, table, sql, kind, function, column)


def _for_sqlite(model: type[models.Model], blanks: str) -> Iterator[Trigger]:
    table = model._meta.db_table
    refuse = f"SELECT RAISE(ABORT, '{table} is append-only')"
    for event in ("UPDATE", "DELETE"):
        name = f"{table}_no_{event.lower()}"
        when = f" WHEN NOT ({_only_blanks(model, blanks)})" if blanks and event == "UPDATE" else ""
        yield Trigger(
            name,
            table,
            f"CREATE TRIGGER {name} BEFORE {event} ON {table}{when} BEGIN {refuse}; END",
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


def _only_blanks(model: type[models.Model], blanks: str) -> str:
    """Say in SQL that an update empties the column `blanks` and leaves all others."""
    same = [
        f"NEW.{field.column} IS OLD.{field.column}"
        for field in model._meta.local_fields
        if field.column != blanks
    ]
    return " AND ".join([f"NEW.{blanks} = ''", "NEW.rowid IS OLD.rowid", *same])


def _unique_columns(model: type[models.Model]) -> Iterator[list[str]]:
    columns = {field.name: str(field.column) for field in model._meta.local_fields}
    yield from ([columns[field.name]] for field in model._meta.local_fields if field.unique)
    for constraint in model._meta.total_unique_constraints:
        yield [columns[name] for name in constraint.fields]


def _intact(using: str) -> set[Trigger]:
    """Return the wanted triggers that stand, also in the form that refuses blanking as well."""
    found = _found(using)
    return {t for t in wanted(using=using) if {t.mark, (t.name, t.kind, _FUNCTION, "")} & found}


def _found(using: str) -> set[tuple[str | int, ...]]:
    """Return the marks of the triggers that stand, enabled and of our text."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
            return set(cursor.fetchall())
        cursor.execute(
            "SELECT tgname, tgtype, proname, encode(tgargs, 'escape'), prosrc"
            " FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE tgenabled = 'A' AND tgqual IS NULL AND proname = ANY(%s)",
            [list(_FUNCTIONS)],
        )
        rows = cursor.fetchall()
    return {
        (name, kind, function, arguments.removesuffix("\\000"))
        for name, kind, function, arguments, body in rows
        if body == _FUNCTIONS[function]
    }


def _drop(connection: BaseDatabaseWrapper, trigger: Trigger) -> str:
    on_table = f" ON {trigger.table}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {trigger.name}{on_table}"

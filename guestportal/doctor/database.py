"""The database: reachable, of this release, protected, written to by a role that can do no more."""

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage
from django.db import DatabaseError, InterfaceError, ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from audit import triggers
from crm import sessions
from guestportal.doctor.clocks import compared
from guestportal.doctor.findings import FAULT, OK, WARNING, Check, Finding
from provisioning.checks import mappings_are_sent
from provisioning.health import write_once
from provisioning.time_left import answer_within

MIGRATE = "Run: manage.py migrate"
_MAKE_DATABASE = (
    "If role or database were never made, as PostgreSQL's administrator: CREATE ROLE … LOGIN"
    " PASSWORD …; createdb --owner=… (docs/operators.md#install)"
)
_OWN_TABLES = (
    "They belong to another role, as after a restore by the administrator: restore as the role of"
    " DATABASE_URL, which has to own them (docs/operators.md#the-restore-step-by-step)"
)
_REFUSED = "42501"  # insufficient_privilege: PostgreSQL's manual, appendix A
_PATIENCE = 2.0
_SECONDS = 4.0


def _server() -> Iterator[Finding]:
    remedy = "Look at DATABASE_URL and the server's log: docs/operators.md#symptoms"
    try:
        with answer_within(_SECONDS):
            _connect_without_pool()
            version = ".".join(map(str, connection.get_database_version()))
    except (DatabaseError, InterfaceError) as exc:
        reason = str(exc).partition("\n")[0].strip() or type(exc).__name__
        # A server that asks for passwords does not tell a wrong one from a role that it lacks.
        is_not_made = "does not exist" in reason or "authentication failed" in reason
        remedy = f"{remedy}. {_MAKE_DATABASE}" if is_not_made else remedy
        yield Finding("database", FAULT, f"cannot be used: {reason}", remedy)
        return
    yield Finding("database", OK, f"{connection.display_name} {version} answers")
    if connection.vendor == "postgresql":
        yield _clock()


def _connect_without_pool() -> None:
    """Connect as the pool would; what comes of it is told in the server's own words."""
    if connection.vendor != "postgresql":
        return connection.ensure_connection()
    from guestportal.stores.postgresql.base import Connection

    parameters = connection.get_connection_params() | {"connect_timeout": int(_SECONDS)}
    with connection.wrap_database_errors:
        Connection.connect(**parameters).close()
    return None


def _clock() -> Finding:
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        theirs = cursor.fetchone()[0]
    return compared(whose="database", theirs=theirs, between=(before, time.time()))


def _migrations() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
    except ProgrammingError as exc:
        if getattr(exc.__cause__, "sqlstate", None) != _REFUSED:
            raise
        said = f"our role may not read them: {str(exc).partition(chr(10))[0]}"
        yield Finding("migrations", FAULT, said, _OWN_TABLES)
        return
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        said = f"{len(plan)} are missing, the first is {plan[0][0]}"
        yield Finding("migrations", FAULT, said, MIGRATE)
    else:
        yield Finding("migrations", OK, "all are applied")


def _triggers() -> Iterator[Finding]:
    if missing := triggers.missing():
        said = f"the audit log can be changed: {len(missing)} triggers are missing, altered or off"
        remedy = f"{MIGRATE}; then verify_audit: somebody was at the database."
        yield Finding("audit triggers", FAULT, said, remedy)
    else:
        yield Finding("audit triggers", OK, "the audit log refuses every change")


def _writes() -> Iterator[Finding]:
    try:
        with answer_within(_PATIENCE + 0.5):
            write_once(patience=_PATIENCE)
    except (DatabaseError, InterfaceError) as exc:
        said = f"the row of an init cannot be written ({_name(exc)})"
        remedy = "A standby, a full disk, a lock or a missing right: docs/operators.md#symptoms"
        yield Finding("database writes", FAULT, said, remedy)
    else:
        yield Finding("database writes", OK, "the row of an init can be written")


def _name(exc: DatabaseError | InterfaceError) -> str:
    """Return what the database calls its refusal: its text may quote anything."""
    cause: Any = exc.__cause__
    return str(getattr(cause, "sqlite_errorname", "") or type(cause or exc).__name__)


# Which tables our role may not read and add to; and which of those that change it may not change.
_LACKING = """
SELECT relname FROM pg_class WHERE oid IN (SELECT to_regclass(t) FROM unnest(%s::text[]) AS t)
AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT'))
UNION
SELECT relname FROM pg_class WHERE oid IN (SELECT to_regclass(t) FROM unnest(%s::text[]) AS t)
AND NOT (has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
ORDER BY 1
"""


def _role() -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        yield _file()
        return
    tables = [f'"{model._meta.db_table}"' for model in apps.get_models(include_auto_created=True)]
    closed = {f'"{trigger.table}"' for trigger in triggers.wanted()}
    with connection.cursor() as cursor:
        cursor.execute(_LACKING, [tables, [each for each in tables if each not in closed]])
        lacking = [name for (name,) in cursor.fetchall()]
        cursor.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")
        role, is_superuser = cursor.fetchone()
    if lacking:
        said = f"{role} lacks rights on {len(lacking)} tables, such as {lacking[0]}"
        remedy = f"As their owner: GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};"
        yield Finding("database role", FAULT, said, remedy)
    elif is_superuser:
        said = f"{role} is a superuser, who can switch off the triggers of the audit log"
        remedy = "Give the service a role of its own (CREATE ROLE … LOGIN) that owns its database."
        yield Finding("database role", WARNING, said, remedy)
    else:
        yield Finding("database role", OK, f"{role} has its rights and is no superuser")


def _file() -> Finding:
    """Look at the file of SQLite, whose rights are those of the file."""
    path = Path(str(connection.settings_dict["NAME"]))
    if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        remedy = f"Run: chmod 600 {path}"
        return Finding("database role", WARNING, "other users may open the database file", remedy)
    return Finding("database role", OK, "the database file is its owner's alone")


def _pepper() -> Iterator[Finding]:
    if sessions.stored_fingerprint() not in (None, sessions.fingerprint()):
        remedy = "Give back the earlier value; a new one comes by: manage.py rekey_sessions"
        said = "is not the one of this database: every init is refused"
        yield Finding("SESSION_HASH_PEPPER", FAULT, said, remedy)
    else:
        yield Finding("SESSION_HASH_PEPPER", OK, "is the one of this database")


def _mappings() -> Iterator[Finding]:
    found: list[CheckMessage] = mappings_are_sent(databases=["default"])
    for message in found:
        yield Finding("attribute mappings", WARNING, message.msg, message.hint or "")


CHECKS = (
    Check("database", _server),
    Check("migrations", _migrations, needs="database"),
    Check("audit triggers", _triggers, needs="migrations"),
    Check("database writes", _writes, needs="migrations"),
    Check("database role", _role, needs="migrations"),
    Check("SESSION_HASH_PEPPER", _pepper, needs="migrations"),
    Check("attribute mappings", _mappings, needs="migrations"),
)

"""In a process with the service's environment: fill its PostgreSQL, explain its queries.

`python -m bench.million fill 1000000` · `events 100000` · `sizes` · `plans`. Rows are copies
of one real init's, with ids, hashes and times of their own, spread over 365 days; so the sizes are
real ones, whatever columns the tables have.
"""

import json
import sys
from typing import Any

import django

django.setup()

from django.db import connection, models  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from audit.models import AuditEvent, AuditLeaf, SubjectSalt  # noqa: E402
from crm.models import CrmRecord  # noqa: E402
from provisioning.init import pipeline  # noqa: E402
from provisioning.models import GuestCreation, Status  # noqa: E402

LARGE: tuple[type[models.Model], ...] = (
    GuestCreation, AuditEvent, AuditLeaf, SubjectSalt, CrmRecord,
)  # fmt: skip
_AGE = "(n::float8 / {count}) * interval '365 days'"
_UUID7 = (
    "(lpad(to_hex((extract(epoch FROM now() - {age}) * 1000)::bigint), 12, '0') || '7'"
    " || substr(md5(n || '{salt}'), 1, 3) || '8' || substr(md5('{salt}' || n), 1, 15))::uuid"
)


def fill(count: int) -> None:
    """Add `count` creations of 70 % as many sessions: 97 % ready, 3 % failed."""
    row = GuestCreation.objects.filter(status=Status.READY).values_list("pk", flat=True)[0]
    session = f"encode(sha256((n % {max(1, count * 7 // 10)})::text::bytea), 'hex')"
    age = _AGE.format(count=count)
    given = {
        "id": _UUID7.format(age=age, salt=f"c{count}"),
        "created_at": f"now() - {age}",
        "updated_at": f"now() - {age}",
        "session_hash": session,
        "request_id": f"md5('r{count}' || n)",
        "guest_id": f"md5('g{count}' || n)::uuid::text",
        "salt": "md5('s' || n)",
        "profile_digest": "encode(sha256(('p' || n)::bytea), 'hex')",
        "payload_digest": "encode(sha256(('q' || n)::bytea), 'hex')",
        "status": "CASE WHEN n % 33 = 0 THEN 'failed' ELSE status END",
    }
    _copy(GuestCreation, given, f"id = '{row}'", count)
    _sql("VACUUM ANALYZE provisioning_guestcreation")


def events(creations: int) -> None:
    """Add the three events of each of `creations` inits, their leaves, and salts of sessions."""
    kinds = ("init.attempted", "guest.created", "token.issued")
    for number, kind in enumerate(kinds):
        row = AuditEvent.objects.filter(kind=kind).values_list("pk", flat=True)[0]
        new = _UUID7.format(age=_AGE.format(count=creations), salt=kind)
        given = {
            "id": new,
            "time": f"now() - {_AGE.format(count=creations)}",
            "subject": "encode(sha256(('u' || n % 700000)::bytea), 'hex')",
            "request_id": "md5('r' || n)",
            "body": f"replace(body, '{row}', ({new})::text)",
        }
        _copy(AuditEvent, given, f"id = '{row}'", creations)
        _sql(
            "INSERT INTO audit_auditleaf (position, event_id, seal_id, hash)"
            f" SELECT {10**9 + number * 10**8} + row_number() OVER (), id, 0,"
            f" encode(sha256(body::bytea), 'hex') FROM audit_auditevent WHERE kind = '{kind}'"
        )
    _sql(
        "INSERT INTO audit_subjectsalt (session_hash, salt) SELECT encode(sha256(n::text::bytea),"
        f" 'hex'), sha256(('t' || n)::bytea) FROM generate_series(1, {creations * 7 // 10}) n"
        " ON CONFLICT DO NOTHING"
    )
    _sql("VACUUM ANALYZE audit_auditevent, audit_auditleaf, audit_subjectsalt")


def sizes() -> dict[str, Any]:
    """Return rows, bytes of rows and bytes of indexes for each large table."""
    found = {}
    with connection.cursor() as cursor:
        for model in LARGE:
            table = model._meta.db_table
            cursor.execute(
                f"SELECT count(*), pg_table_size('{table}'), pg_indexes_size('{table}')"
                f" FROM {table}"
            )
            found[table] = cursor.fetchone()
    return found


def plans() -> list[str]:
    """Return how each query of one init reaches the large tables: ``table by index``."""
    with CaptureQueriesContext(connection) as captured:
        pipeline.init(
            request=pipeline.InitRequest(
                session_id="bench-plans",
                request_id="bench",
                event_request_id="0b" * 16,
                consent_given=True,
            )
        )
    seen: set[str] = set()
    for query in captured.captured_queries:
        if query["sql"].startswith(("SELECT", "UPDATE", "DELETE")) and "pg_" not in query["sql"]:
            collect(explain(query["sql"]), seen)
    return sorted(seen)


def explain(sql: str) -> dict[str, Any]:
    """Return PostgreSQL's plan of a query."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        found = cursor.fetchone()[0]
    return dict((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])


def collect(node: dict[str, Any], seen: set[str]) -> None:
    """Add to `seen` how a plan reaches each large table."""
    tables = {model._meta.db_table for model in LARGE}
    if node["Node Type"] == "Bitmap Heap Scan":
        pass  # its index is the node below
    elif "Scan" in node["Node Type"] and node.get("Relation Name") in tables:
        seen.add(f"{node['Relation Name']} by {node.get('Index Name', 'reading all of it')}")
    elif "Index Name" in node:  # a bitmap's index
        seen.add(f"index {node['Index Name']}")
    for child in node.get("Plans", ()):
        collect(child, seen)


def _copy(model: type[models.Model], given: dict[str, str], where: str, count: int) -> None:
    columns = [field.column for field in model._meta.local_concrete_fields]
    values = ", ".join(given.get(column, column) for column in columns)
    table = model._meta.db_table
    _sql(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
        f" FROM {table}, generate_series(1, {count}) n WHERE {where}"
    )


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # the service's own is for a visitor's patience
        cursor.execute(statement)


if __name__ == "__main__":
    command, *numbers = sys.argv[1:]
    done = {"fill": fill, "events": events, "sizes": sizes, "plans": plans}[command](
        *map(int, numbers)  # type: ignore[operator]
    )
    print(json.dumps(done))

"""Write events into the log, and name the people in them: everything that enters it passes here."""

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from uuid_utils.compat import uuid7

from audit.models import SubjectSalt

REKEYED = "subject.rekeyed"

# Written out, because it runs three times an init: through the ORM the same INSERT takes 165 µs of
# CPU instead of 60. What follows is a row of what `event` returns.
INSERT = "INSERT INTO audit_auditevent (id, time, kind, subject, actor, request_id, body)"
MARKS = "%s, %s, %s, %s, %s, %s, %s"
# An event can never be changed: a client's own text has no place in it.
_REQUEST_ID = re.compile(r"([0-9a-f]{32})?")
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
FIND_SALT = "SELECT salt FROM audit_subjectsalt WHERE session_hash = %s"
ADD_SALT = "INSERT INTO audit_subjectsalt (session_hash, salt) VALUES (%s, %s)"


class NotRecordable(ValueError):
    """The event cannot be written as given: a programming error, never a visitor's."""


class OutsideTransaction(RuntimeError):
    """An event belongs to the transaction of what it records; there was none."""


def record(
    *,
    kind: str,
    subject: str = "",
    actor: str = "system",
    request_id: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append one event, as `event` makes it, in the caller's open transaction: one INSERT.

    Raises NotRecordable, and OutsideTransaction where no `transaction.atomic()` is open.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{kind} must be recorded in the transaction of what it records")
    row = event(kind=kind, subject=subject, actor=actor, request_id=request_id, data=data)
    with connection.cursor() as cursor:
        cursor.execute(f"{INSERT} VALUES ({MARKS})", row)


def event(
    *,
    kind: str,
    subject: str = "",
    actor: str = "system",
    request_id: str = "",
    data: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Return one event as a row for `INSERT`, for a statement that writes what it records too.

    `kind` is a dotted name such as ``guest.created``; `subject` is what `pseudonym` answers (or
    empty), `actor` who caused it (``visitor``, ``system``, ``staff:<user id>``), `request_id` an id
    made here (32 hex digits, or empty), never a client's; `data` holds JSON values and no personal
    data. Raises NotRecordable where `data` is not JSON, a name is longer than its column or
    `request_id` is of another form.
    """
    now = datetime.now(UTC)
    columns = {"kind": kind, "subject": subject, "actor": actor, "request_id": request_id}
    if not kind or max(map(len, columns.values())) > 64:
        raise NotRecordable("kind is required; kind, subject, actor: 64 characters")
    if not _REQUEST_ID.fullmatch(request_id):
        raise NotRecordable("a request id is one made here: 32 hex digits")
    # The library's default clock, not `now`: it keeps ids of one process in the order of writing.
    event_id = uuid7()
    body = canonical(
        {**columns, "id": str(event_id), "time": timestamp(now), "data": dict(data or {})}
    )
    when = connection.ops.adapt_datetimefield_value(now)
    return [event_id.hex, when, kind, subject, actor, request_id, body]


def canonical(value: Mapping[str, Any]) -> str:
    """Return `value` as the JSON text that is hashed: sorted keys, no spaces, not escaped.

    Finite floats are written as Python's shortest repr. Nobody needs to write a body again in
    order to check it: the text itself is kept and hashed. Raises NotRecordable where `value` is not
    JSON (dates, sets, NaN, keys of mixed types) or not UTF-8.
    """
    try:
        text = _ENCODER.encode(value)
        text.encode()  # a lone surrogate is no UTF-8; SQLite and PostgreSQL would differ about it
    except (TypeError, ValueError, RecursionError) as exc:
        raise NotRecordable(f"an event's data must be JSON: {type(exc).__name__}") from exc
    return text


def timestamp(moment: datetime) -> str:
    """Return an aware `moment` as RFC 3339 in UTC with microseconds: ``…T12:00:00.000000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def pseudonym(*, session_hash: str) -> str:
    """Return the erasable pseudonym under which the log knows `session_hash`: 64 hex digits.

    Empty for an erased session, whose hash is empty: an event about it is about nobody. One SELECT;
    the first use of a session adds an INSERT. In SQL, as every init comes by here.
    """
    if not session_hash:
        return ""
    salt = _salt(session_hash) or _new_salt(session_hash)
    return salted(salt=salt, session_hash=session_hash)


def new_salt() -> bytes:
    """Return a salt for a session that has none, to be kept by `ADD_SALT`."""
    return secrets.token_bytes(32)


def salted(*, salt: bytes, session_hash: str) -> str:
    """Return the pseudonym that `salt` makes of `session_hash`."""
    return hmac.digest(salt, session_hash.encode(), "sha256").hex()


def forget(*, session_hash: str) -> str | None:
    """Erase what ties the log to `session_hash`; return the pseudonym it had, or None.

    What was recorded stays, and still verifies; nobody can tell any more whom it concerned. A
    later `pseudonym` of the same session is another one.
    """
    with transaction.atomic():
        salt = _salt(session_hash)
        SubjectSalt.objects.filter(session_hash=session_hash).delete()
    return None if salt is None else salted(salt=salt, session_hash=session_hash)


def rekey(*, session_hash: str, new_hash: str) -> None:
    """Know a session by `new_hash` from now on, in the caller's transaction.

    The pseudonym changes with it; an event under the new one says what it was before.
    """
    rows = SubjectSalt.objects.filter(session_hash=session_hash)
    salt = bytes(rows.values_list("salt", flat=True).get())
    rows.update(session_hash=new_hash)
    formerly = salted(salt=salt, session_hash=session_hash)
    subject = salted(salt=salt, session_hash=new_hash)
    record(kind=REKEYED, subject=subject, data={"formerly": formerly})


def _salt(session_hash: str) -> bytes | None:
    with connection.cursor() as cursor:
        cursor.execute(FIND_SALT, [session_hash])
        row = cursor.fetchone()
    return None if row is None else bytes(row[0])


def _new_salt(session_hash: str) -> bytes:
    """Store a salt for the session; of two that meet here both return the one that was kept."""
    salt = new_salt()
    with connection.cursor() as cursor:
        cursor.execute(f"{ADD_SALT} ON CONFLICT DO NOTHING", [session_hash, salt])
        added = cursor.rowcount == 1
    kept = salt if added else _salt(session_hash)
    assert kept is not None  # noqa: S101  (just inserted, by the one we met)
    return kept

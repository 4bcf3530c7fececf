"""The one door through which an event enters the log (being built; the signature stands)."""

from collections.abc import Mapping
from typing import Any


def record(
    *,
    kind: str,
    subject: str = "",
    actor: str = "system",
    request_id: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append one event in the caller's open transaction.

    `kind` is a dotted name such as ``guest.created``; `subject` is what `pseudonym` answers (or
    empty), `actor` who caused it (``visitor``, ``system``, ``staff:<user id>``); `data` holds JSON
    values and no personal data.
    """


def pseudonym(*, session_hash: str) -> str:
    """Return the erasable pseudonym under which the log knows `session_hash`: 64 hex digits."""
    return ""

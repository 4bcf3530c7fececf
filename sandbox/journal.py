"""What the sandbox saw: a bounded list of calls and unbounded counts.

A call keeps the raw bytes it came with and is made readable only when someone asks: under load,
noting one costs about a microsecond and a kilobyte.
"""

import hashlib
import json
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from sandbox.wire import Request, parse_head

_KEPT = 100_000
_BODY_KEPT = 64 * 1024


@dataclass(slots=True)
class Call:
    """One call. `status` is None where no answer was sent."""

    number: int
    at: float
    endpoint: str
    head: bytes
    body: bytes
    fault: str | None
    status: int | None
    guest_id: str | None


class Journal:
    """Notes calls to the platform's endpoints; the sandbox's own control calls are not noted."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_KEPT)
        self._statuses: Counter[tuple[str, int | None]] = Counter()
        self._faults: Counter[str] = Counter()
        self._guests_created = 0

    def note(
        self,
        *,
        request: Request,
        endpoint: str,
        status: int | None,
        fault: str | None,
        guest_id: str | None,
    ) -> None:
        """Note one call with what it came to."""
        self._statuses[endpoint, status] += 1
        number, body = self._statuses.total(), request.body[:_BODY_KEPT]
        self._calls.append(
            Call(number, time.time(), endpoint, request.head, body, fault, status, guest_id)
        )
        self._faults.update([fault] if fault else [])
        self._guests_created += guest_id is not None

    def calls(self, *, since: int = 0) -> list[dict[str, Any]]:
        """Return the calls numbered above `since`, oldest first, with secrets masked."""
        return [_readable(call) for call in self._calls if call.number > since]

    def stats(self) -> dict[str, Any]:
        """Return counts since the start or the last reset; "none" is a call left unanswered."""
        by_endpoint: dict[str, dict[str, int]] = {}
        for (endpoint, status), count in self._statuses.items():
            by_endpoint.setdefault(endpoint, {})[str(status or "none")] = count
        return {
            "calls": by_endpoint,
            "total": self._statuses.total(),
            "faults": dict(self._faults),
            "guestsCreated": self._guests_created,
        }


def _readable(call: Call) -> dict[str, Any]:
    request = parse_head(call.head)
    moment = datetime.fromtimestamp(call.at, UTC).isoformat(timespec="microseconds")
    headers = dict(request.headers)
    if "authorization" in headers:
        headers["authorization"] = _digest_of_authorization(headers["authorization"])
    return {
        "number": call.number,
        "time": moment.replace("+00:00", "Z"),
        "endpoint": call.endpoint,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "body": _readable_body(call.body, headers.get("content-type", "")),
        "status": call.status,
        "fault": call.fault,
        "guestId": call.guest_id,
    }


def _digest_of_authorization(value: str) -> str:
    """Keep the scheme, and enough of a digest to tell two tokens apart."""
    scheme, _, secret = value.partition(" ")
    return f"{scheme} sha256:{hashlib.sha256(secret.encode()).hexdigest()[:12]}"


def _readable_body(body: bytes, content_type: str) -> Any:
    """Return the decoded form or JSON, else the text; None when there was no body."""
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    try:
        is_form = content_type.startswith("application/x-www-form-urlencoded")
        value = dict(parse_qsl(text, keep_blank_values=True)) if is_form else json.loads(body)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, dict) and "client_secret" in value:
        return {**value, "client_secret": "***"}
    return value

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
_MASK = "***"


@dataclass(slots=True)
class Call:
    """One call. `status` is None where no answer was sent."""

    number: int
    at: float
    endpoint: str
    head: bytes
    body: bytes
    fault: str | None
    status: int | None = None
    guest_id: str | None = None


class Journal:
    """Notes calls to the platform's endpoints; the sandbox's own control calls are not noted."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_KEPT)
        self._number = 0
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
        self._number += 1
        body = request.body[:_BODY_KEPT]
        self._calls.append(
            Call(self._number, time.time(), endpoint, request.head, body, fault, status, guest_id)
        )
        self._statuses[endpoint, status] += 1
        if fault is not None:
            self._faults[fault] += 1
        if guest_id is not None:
            self._guests_created += 1

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
    if content_type.startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        return _masked(form)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
    return _masked(value) if isinstance(value, dict) else value


def _masked(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _MASK if name == "client_secret" else value for name, value in fields.items()}

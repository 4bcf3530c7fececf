"""The platform's answers, shaped as the vendor shapes them.

Error bodies follow `ErrorBody` of the vendor's API (message, code, status, messageParams,
contextId, details, errors); `cause` on a 403 is the seed's, `error_description` RFC 6749's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.wire import Answer, new_id


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of a request that the platform does not accept."""

    field: str
    code: str


def error(
    status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, **extra: Any
) -> Answer:
    """Return the platform's error body; `contextId` is the answer's correlation id."""
    context_id = new_id()
    body = {
        "message": message,
        "code": code,
        "status": status,
        "messageParams": {},
        "contextId": context_id,
        "details": [],
        "errors": [],
        **extra,
    }
    return Answer(status, body, headers or {}, correlation_id=context_id)


def scripted_error(status: int) -> Answer:
    """Return the body of an error that a fault script asked for."""
    if status == 429:
        return too_many_requests(retry_after=None)
    return error(status, "sandbox.fault", "Scripted by the sandbox.")


def invalid_fields(problems: Sequence[FieldProblem]) -> Answer:
    """Return 400 with one detail for each field at fault."""
    names = ", ".join(problem.field for problem in problems)
    return error(
        400,
        "bad.request",
        f"The request could not be understood: invalid {names}.",
        details=[{"errorCode": p.code, "fieldName": p.field} for p in problems],
    )


def unauthenticated(*, given: bool) -> Answer:
    """Return 401: no bearer token, or (`given`) one that is unknown, expired or revoked."""
    code, message = (
        ("bad.credentials", "Invalid login credentials.")
        if given
        else ("authentication.required", "No authentication bearer token specified.")
    )
    return error(401, code, message, headers={"WWW-Authenticate": "Bearer"})


def missing_scope(scope: str) -> Answer:
    """Return 403 with the seed's `cause`, which names the missing scope."""
    return error(
        403,
        "missing.any.permissions",
        "Unable to perform the requested action.",
        cause=f"missing scope: {scope}",
    )


def consent_refused() -> Answer:
    """Return 403 for a visitor who declined (`--refuse-declined`)."""
    return error(403, "consent.required", "Guests without consent are not accepted.")


def guest_not_found(guest_id: str) -> Answer:
    """Return 404 for a guest the platform does not know."""
    return error(404, "not.found", "Guest not found.", entityId=guest_id[:64], entityName="guest")


def too_many_requests(*, retry_after: int | None) -> Answer:
    """Return 429; `retry_after` is in whole seconds, None leaves the header out."""
    return error(
        429,
        "too.many.requests.retry.after",
        "Rate limit exceeded the maximum.",
        headers={} if retry_after is None else {"Retry-After": str(retry_after)},
    )


def oauth_error(status: int, code: str, description: str) -> Answer:
    """Return an error of the token endpoint (RFC 6749, 5.2)."""
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
    return Answer(status, {"error": code, "error_description": description}, headers)

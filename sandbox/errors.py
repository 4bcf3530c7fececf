"""The platform's error bodies, shaped as the vendor shapes them.

They follow `ErrorBody` of the vendor's API: message, code, status, messageParams, contextId,
details, errors. What only one platform says is in that platform's folder.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.wire import Answer, new_id


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


def scripted_error(*, status: int) -> Answer:
    """Return the body of an error that a fault script asked for."""
    if status == 429:
        return too_many_requests(retry_after=None)
    return error(status, "sandbox.fault", "Scripted by the sandbox.")


def invalid_json() -> Answer:
    """Return 400 for a body that is no JSON object."""
    return error(400, "invalid.json", "The request body is not a JSON object.")


def invalid_fields(*, problems: Mapping[str, str]) -> Answer:
    """Return 400 with one detail for each field at fault; `problems` maps names to codes."""
    return error(
        400,
        "bad.request",
        f"The request could not be understood: invalid {', '.join(problems)}.",
        details=[{"errorCode": code, "fieldName": name} for name, code in problems.items()],
    )


def not_found(*, name: str, entity_id: str) -> Answer:
    """Return 404 for an entity that the platform does not know."""
    message = f"{name.capitalize()} not found."
    return error(404, "not.found", message, entityId=entity_id[:64], entityName=name)


def unauthenticated(*, given: bool) -> Answer:
    """Return 401: no bearer token, or (`given`) one that is unknown, expired or revoked."""
    headers = {"WWW-Authenticate": "Bearer"}
    if given:
        return error(401, "bad.credentials", "Invalid login credentials.", headers=headers)
    message = "No authentication bearer token specified."
    return error(401, "authentication.required", message, headers=headers)


def too_many_requests(*, retry_after: int | None) -> Answer:
    """Return 429; `retry_after` is in whole seconds, None leaves the header out."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    message = "Rate limit exceeded the maximum."
    return error(429, "too.many.requests.retry.after", message, headers=headers)

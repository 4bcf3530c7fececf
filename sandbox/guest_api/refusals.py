"""What only the Guest API says when it refuses; `cause` on a 403 is the requirements' own."""

from sandbox.errors import error
from sandbox.wire import Answer


def invalid_json() -> Answer:
    """Return 400 for a body that is no JSON object."""
    return error(400, "invalid.json", "The request body is not a JSON object.")


def invalid_fields(*, problems: dict[str, str]) -> Answer:
    """Return 400 with one detail for each field at fault; `problems` maps names to codes."""
    return error(
        400,
        "bad.request",
        f"The request could not be understood: invalid {', '.join(problems)}.",
        details=[{"errorCode": code, "fieldName": name} for name, code in problems.items()],
    )


def missing_scope(scope: str) -> Answer:
    """Return 403 with a `cause` that names the missing scope."""
    message = "Unable to perform the requested action."
    return error(403, "missing.any.permissions", message, cause=f"missing scope: {scope}")


def consent_refused() -> Answer:
    """Return 403 for a visitor who declined (`--refuse-declined`)."""
    return error(403, "consent.required", "Guests without consent are not accepted.")


def guest_not_found(*, guest_id: str) -> Answer:
    """Return 404 for a guest the platform does not know."""
    return error(404, "not.found", "Guest not found.", entityId=guest_id[:64], entityName="guest")

"""What only the Guest API says when it refuses; `cause` on a 403 is the requirements' own."""

from sandbox.errors import error
from sandbox.wire import Answer


def missing_scope(scope: str) -> Answer:
    """Return 403 with a `cause` that names the missing scope."""
    message = "Unable to perform the requested action."
    return error(403, "missing.any.permissions", message, cause=f"missing scope: {scope}")


def consent_refused() -> Answer:
    """Return 403 for a visitor who declined (`--refuse-declined`)."""
    return error(403, "consent.required", "Guests without consent are not accepted.")

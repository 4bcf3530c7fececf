"""What `check_genesys` asks of a platform: each platform yields its own checks."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from provisioning.genesys.calls import Calls
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Credentials, PlatformError
from provisioning.genesys.oauth import Token


@dataclass(frozen=True)
class Check:
    """One thing that is to be in order.

    `look` changes nothing, returns what it found, and raises PlatformError; None: the thing shows
    only when it is done. `vital`: without it no other check makes sense.
    """

    name: str
    look: Callable[[Deadline], str] | None = None
    vital: bool = False


def token(*, calls: Calls) -> Check:
    """Return the check that comes first: an access token with the scopes that are asked for."""

    def look(deadline: Deadline) -> str:
        given = calls.tokens.ask(deadline=deadline)
        if missing := _missing_scopes(given):
            raise Credentials(
                f"the platform gave a token without the scope {missing}",
                remedy="Give the OAuth client's role the scopes named in GENESYS_SCOPES.",
            )
        return f"gave a token for {given.life:.0f} s"

    return Check(settings.GENESYS_OAUTH_URL, look, vital=True)


def described(*, error: PlatformError) -> str:
    """Return an error as an operator reads it: what was refused, and what to do."""
    return f"{said(error=error)}. {remedy(error=error)}"


def said(*, error: PlatformError) -> str:
    """Return what was refused, with the platform's status and code."""
    told = " ".join(str(part) for part in (error.status or "", error.platform_code) if part)
    return f"{error}{f' (HTTP {told})' if told else ''}"


def remedy(*, error: PlatformError) -> str:
    """Return what to do about an error."""
    return error.remedy or "Check GENESYS_BASE_URL, GENESYS_OAUTH_URL and the network."


def _missing_scopes(given: Token) -> str:
    """Return what was asked for and not granted; with HTTP Basic nothing is asked for by name."""
    if given.scopes is None or settings.GENESYS_OAUTH_AUTH == "basic":
        return ""
    return " ".join(scope for scope in settings.GENESYS_SCOPES.split() if scope not in given.scopes)

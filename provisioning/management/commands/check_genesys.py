"""Ask the platform for a token and name the remedy where it gives none."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Credentials, PlatformError
from provisioning.genesys.oauth import Token
from provisioning.genesys.platform import get_platform


class Command(BaseCommand):
    help = "Asks the platform for an access token. Creates no guest and changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = Deadline(seconds=settings.GENESYS_DEADLINE)
        try:
            token = get_platform().calls.tokens.ask(deadline=deadline)
        except Credentials as exc:
            raise CommandError(f"{exc} (HTTP {exc.status}). {exc.remedy}") from exc
        except PlatformError as exc:
            remedy = exc.remedy or "Check GENESYS_BASE_URL, GENESYS_OAUTH_URL and the network."
            raise CommandError(f"{exc}: {settings.GENESYS_OAUTH_URL}. {remedy}") from exc
        if missing := _missing_scopes(token):
            raise CommandError(
                f"the platform gave a token without the scope {missing}. Give the OAuth client's "
                "role the scopes named in GENESYS_SCOPES."
            )
        self.stdout.write(f"{settings.GENESYS_OAUTH_URL} gave a token for {token.life:.0f} s")
        self.stdout.write(
            "The guest call's scopes and role show only when a guest is made: see the "
            "remedies for 403 in docs/operators.md."
        )


def _missing_scopes(token: Token) -> str:
    """Return what was asked for and not granted; with HTTP Basic nothing is asked for by name."""
    if token.scopes is None or settings.GENESYS_OAUTH_AUTH == "basic":
        return ""
    return " ".join(scope for scope in settings.GENESYS_SCOPES.split() if scope not in token.scopes)

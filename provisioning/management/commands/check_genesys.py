"""Ask the platform for a token and name the remedy where it gives none."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from provisioning.genesys.client import get_client
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Credentials, PlatformError


class Command(BaseCommand):
    help = "Asks the platform for an access token. Creates no guest and changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = Deadline(seconds=settings.GENESYS_DEADLINE)
        try:
            token = get_client().tokens.get(deadline=deadline)
        except Credentials as exc:
            raise CommandError(f"{exc} (HTTP {exc.status}). {exc.remedy}") from exc
        except PlatformError as exc:
            raise CommandError(f"{exc}. Check GENESYS_OAUTH_URL and the network.") from exc
        self.stdout.write(f"{settings.GENESYS_OAUTH_URL} gave a token for {token.life:.0f} s")
        self.stdout.write(
            "The guest call's scopes and role show only when a guest is made: see the README's "
            "remedy table for 403."
        )

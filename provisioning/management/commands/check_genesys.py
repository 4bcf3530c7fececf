"""Ask the platform what its calls need, and name the remedy where something is wrong."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from provisioning import mappings
from provisioning.genesys.checking import Check, described
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError
from provisioning.genesys.platform import get_platform


class Command(BaseCommand):
    help = (
        "Asks the platform for an access token and, on `messenger`, for all that visitors need, by"
        " calls that change nothing. Names the remedy for each thing that is wrong."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        failures: list[str] = []
        try:
            for check in get_platform().checks(attributes=mappings.in_force):
                if failure := self._failure(check):
                    failures.append(failure)
                    if check.vital:
                        break
        except Error as exc:
            raise CommandError("the attribute mappings cannot be read: migrate first") from exc
        if failures:
            raise CommandError("\n".join(failures))

    def _failure(self, check: Check) -> str:
        """Return what is wrong and its remedy; empty where all is well, which is printed."""
        if check.look is None:
            self.stdout.write(f"not tried  {check.name}")
            return ""
        try:
            found = check.look(Deadline(seconds=settings.GENESYS_DEADLINE))
        except PlatformError as exc:
            return f"{check.name}: {described(error=exc)}"
        self.stdout.write(f"ok  {check.name}: {found}")
        return ""

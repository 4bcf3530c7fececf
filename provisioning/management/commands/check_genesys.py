"""Ask the platform what its calls need, and name the remedy where something is wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from provisioning import health


class Command(BaseCommand):
    help = (
        "Asks the platform for an access token and, on `messenger`, for all that visitors need, by"
        " calls that change nothing. Names the remedy for each thing that is wrong."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            failures = [line for answer in health.ask_platform() if (line := self._failure(answer))]
        except Error as exc:
            raise CommandError("the attribute mappings cannot be read: migrate first") from exc
        if failures:
            raise CommandError("\n".join(failures))

    def _failure(self, answer: health.Answer) -> str:
        """Return what is wrong and its remedy; empty where all is well, which is printed."""
        if answer.remedy:
            return f"{answer.name}: {answer.said}. {answer.remedy}"
        if answer.tried:
            self.stdout.write(f"ok  {answer.name}: {answer.said}")
        else:
            self.stdout.write(f"not tried  {answer.name}")
        return ""

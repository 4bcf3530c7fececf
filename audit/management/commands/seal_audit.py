"""`manage.py seal_audit`: seal what waits."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.sealing import seals, signing


class Command(BaseCommand):
    help = (
        "Seals audit events that have no seal yet: adds leaves and a signed seal to the database"
        " and a line to the anchor file. Changes nothing when all are sealed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--all", action="store_true", help="look at the whole log, not a few minutes back"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            made = seals.seal(sweep=options["all"])
        except signing.SigningKeyMissing as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"the anchor file cannot be written: {exc}") from exc
        self.stdout.write(f"{sum(seal.count for seal in made)} events in {len(made)} seals")

"""Print the list of all tables and columns that docs/compliance.md shows."""

from typing import Any

from django.core.management.base import BaseCommand

from provisioning.subjects import inventory


class Command(BaseCommand):
    help = (
        "Prints every table and column with what erasure, export and retention do to it, as"
        " docs/compliance.md shows it. Changes nothing; a test compares both."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("\n".join(inventory.page()))

"""Settle overdue creations once."""

from typing import Any

from django.core.management.base import BaseCommand

from provisioning.ledger.recovery import recover


class Command(BaseCommand):
    help = (
        "Moves creations that are overdue (their init's deadline passed more than five seconds "
        "ago) from pending to unknown and from queued to failed. Touches no other row."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = recover()
        self.stdout.write(
            f"{done.unknown} to unknown, {done.failed} to failed, {done.resting} left to resume"
        )

"""`manage.py rekey_sessions`: from plain session hashes to keys under SESSION_HASH_PEPPER."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from provisioning.subjects.rekeying import CannotRekey, rekey


class Command(BaseCommand):
    help = (
        "Turns every stored session hash into its HMAC under SESSION_HASH_PEPPER, in one"
        " transaction: all of it or nothing. Stop the service first, start it again with the"
        " pepper. Run again, it changes nothing. From one pepper to another there is no way."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(unit=" keys", disable=None) as bar:
            try:
                changed = rekey(progress=bar.update)
            except CannotRekey as exc:
                raise CommandError(f"{exc}; nothing was changed") from exc
        self.stdout.write(f"{changed} keys changed.")

"""`manage.py purge_expired`: RETENTION_DAYS, at once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from tqdm import tqdm

from provisioning.ledger.recovery import recover
from provisioning.subjects import erasure


class Command(BaseCommand):
    help = (
        "Erases every guest creation older than RETENTION_DAYS, those under a legal hold excepted,"
        " as housekeeping does little by little. Without RETENTION_DAYS it changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.RETENTION_DAYS is None:
            self.stdout.write("RETENTION_DAYS is not set: nothing expires.")
            return
        recover()
        total = 0
        with tqdm(total=erasure.count_expired(), unit=" creations", disable=None) as bar:
            while erased := erasure.erase_expired():
                total += erased
                bar.update(erased)
        self.stdout.write(f"{total} creations erased.")

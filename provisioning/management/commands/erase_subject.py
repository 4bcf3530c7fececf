"""`manage.py erase_subject`: GDPR art. 17."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from provisioning import ledger
from provisioning.subjects import erasure, holds
from provisioning.subjects.commandline import add_subject_arguments, subject_from


class Command(BaseCommand):
    help = (
        "Erases all that is stored of a person: the CRM record, what names them in guest"
        " creations, and what ties the audit log to them; queues the deletion of their guests on"
        " the platform. Refused under a legal hold. Doing it twice changes nothing the second time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_subject_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        keys = subject_from(options)
        if not keys:
            self.stdout.write("Nothing is stored of such a person.")
            return
        try:
            erased = erasure.erase(session_hashes=keys, actor=options["actor"])
        except (holds.OnHold, ledger.InWork) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(
            f"Erased: {erased.sessions} sessions with {erased.crm_records} CRM records and"
            f" {erased.creations} guest creations."
            " Delete the guests on the platform too: see `manage.py platform_deletions`."
        )

"""`manage.py erase_subject`: GDPR art. 17."""

import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import restore_list
from backoffice.inert import visible
from provisioning import ledger
from provisioning.subjects import erasure, holds
from provisioning.subjects.commandline import add_subject_arguments, subject_from
from provisioning.subjects.identify import spellings


class Command(BaseCommand):
    help = (
        "Erases all that is stored of a person: the CRM record, what names them in guest"
        " creations, and what ties the audit log to them; queues the deletion of their guests on"
        " the platform. Refused under a legal hold. Where records spell the address differently, it"
        " shows them and asks. Doing it twice changes nothing the second time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_subject_arguments(parser)
        parser.add_argument(
            "--all", action="store_true", help="erase all spellings of the address without asking"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        keys = subject_from(options)
        if not keys:
            self.stdout.write("Nothing is stored of such a person.")
            return
        self._confirm(spellings(session_hashes=keys), options["all"])
        try:
            erased = erasure.erase(session_hashes=keys, actor=options["actor"])
        except (holds.OnHold, ledger.InWork) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(
            f"Erased: {erased.sessions} sessions with {erased.crm_records} CRM records and"
            f" {erased.creations} guest creations."
            " Delete the guests on the platform too: see `manage.py platform_deletions`."
        )
        if trouble := restore_list.trouble():
            raise CommandError(f"Erased, but not listed for a restore. {trouble}")

    def _confirm(self, found: Sequence[str], agreed: bool) -> None:
        """Ask, where one address is spelled in several ways: they may be several people.

        Raises CommandError where the answer is no, or nobody can be asked.
        """
        if len(found) < 2 or agreed:
            return
        self.stdout.write("Records with different spellings of the address match:")
        for spelling in found:
            self.stdout.write(f"  {visible(spelling)}")
        if not sys.stdin.isatty():
            raise CommandError("Nothing was erased. If all of them are this person: --all.")
        if input("Erase all of them? [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was erased.")

"""`manage.py legal_hold`: keep a person from being erased, or no longer."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import restore_list
from provisioning.subjects import holds
from provisioning.subjects.commandline import add_subject_arguments, subject_from
from provisioning.validators import validate_reference


class Command(BaseCommand):
    help = (
        "Places a legal hold on a person, so that neither a request nor RETENTION_DAYS erases"
        " them, or lifts it. Both are recorded in the audit log. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--place", metavar="REFERENCE", help="number of the case, no names")
        what.add_argument("--lift", action="store_true")
        add_subject_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        keys = subject_from(options)
        if not keys:
            raise CommandError("Nothing is stored of such a person.")
        self._do(keys, options)
        if trouble := restore_list.trouble():
            raise CommandError(f"Done, but not listed for a restore. {trouble}")

    def _do(self, keys: list[str], options: dict[str, Any]) -> None:
        if options["lift"]:
            lifted = [holds.lift(session_hash=key, actor=options["actor"]) for key in keys]
            self.stdout.write(f"Lifted on {sum(lifted)} of {len(keys)} sessions.")
            return
        self._place(keys, options["place"], options["actor"])

    def _place(self, keys: list[str], reference: str, actor: str) -> None:
        try:
            validate_reference(reference)
        except ValidationError as exc:
            raise CommandError(exc.message) from exc
        for key in keys:
            holds.place(session_hash=key, reference=reference, actor=actor)
        self.stdout.write(f"On hold: {len(keys)} sessions.")

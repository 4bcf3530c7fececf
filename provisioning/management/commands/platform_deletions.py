"""`manage.py platform_deletions`: what is left to be deleted on the platform."""

import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import restore_list
from audit.commandline import actor
from provisioning.follow_up import deletions
from provisioning.models import PlatformDeletion


class Command(BaseCommand):
    help = (
        "Lists the guests of erased persons that are not deleted on the platform yet, one a line:"
        " creation, guest id, creation's time, state. The guest id is empty where a guest only may"
        " exist."
        " With --done, reads creations from standard input, marks them done and forgets their"
        " guest ids; what is done stays done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--done", action="store_true", help="mark those on standard input")
        parser.add_argument(
            "--actor", type=actor, default="system", metavar="NAME", help="who, for the record"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["done"]:
            self._mark_done(options["actor"])
            return
        waiting = PlatformDeletion.objects.exclude(state=deletions.State.DONE)
        rows = waiting.order_by("requested_at").values_list(
            "creation_id", "guest_id", "creation__created_at", "state"
        )
        for creation, guest_id, created_at, state in rows.iterator():
            self.stdout.write(f"{creation}\t{guest_id}\t{created_at.isoformat()}\t{state}")

    def _mark_done(self, actor: str) -> None:
        try:
            creations = [UUID(line.split("\t")[0].strip()) for line in sys.stdin if line.strip()]
        except ValueError as exc:
            raise CommandError("each line begins with the id of a creation") from exc
        done = deletions.mark_done(creations=creations, actor=actor)
        self.stdout.write(f"{done} marked done.")
        if trouble := restore_list.trouble():
            raise CommandError(f"Done, but not listed for a restore. {trouble}")

"""`manage.py audit_restored`: after a restore from a backup, and before the service starts."""

import sys
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from tqdm import tqdm

from audit import commandline, restore_list, restored
from audit.restore_list import Unreadable
from audit.sealing import seals
from audit.sealing.anchor_lines import Gap
from audit.sealing.signing import SigningKeyMissing
from provisioning.subjects import replaying
from provisioning.subjects.replaying import Step

WORD = "restored"


class Command(BaseCommand):
    help = (
        "To run once after the database was restored from a backup, before the service starts."
        " Names the seals that the backup lacks, in a signed event and a signed line of the anchor"
        " file, so that verify_audit reports that gap as restored; and does again the erasures,"
        " withdrawals and holds since the backup that RESTORE_LIST names. Asks first. With nothing"
        " to do it changes nothing; safe to run again, also after it was killed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--yes", action="store_true", help="do not ask: a backup was restored on purpose"
        )
        parser.add_argument(
            "--without-list",
            action="store_true",
            help="RESTORE_LIST is lost: do nothing again of what was done to persons",
        )
        parser.add_argument(
            "--actor",
            type=commandline.actor,
            default="system",
            metavar="NAME",
            help="who, for the record",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            faults = self._run(options)
        except (restored.CannotAnnounce, SigningKeyMissing, Unreadable, DatabaseError) as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"the anchor file cannot be written: {exc}") from exc
        if faults:
            raise CommandError("not everything could be done:\n" + "\n".join(faults))

    def _run(self, options: dict[str, Any]) -> list[str]:
        gap = restored.find_gap()
        steps, faults = self._listed(options["without_list"])
        with self._bar("entries", len(steps)) as bar:
            pending = replaying.count_pending(steps=steps, progress=bar.update)
        if not gap and not pending:
            self.stdout.write("Nothing to do: the log has every seal that was anchored.")
            return faults
        self._confirm(gap, pending, options["yes"])
        if gap:
            self._announce(gap, options["actor"])
        with self._bar("entries", len(steps)) as bar:
            made = replaying.replay(steps=steps, actor=options["actor"], progress=bar.update)
        seals.seal()
        self.stdout.write(f"Done again: {made.done}. Now run verify_audit.")
        return [*faults, *made.failures]

    def _listed(self, without: bool) -> tuple[list[Step], list[str]]:
        """Return what is to be looked at, and the lines of the list that cannot be read."""
        if settings.RESTORE_LIST is None or without:
            return [], []
        try:
            read = restore_list.read()
        except Unreadable as exc:
            remedy = "bring it back, or go on without what it names: --without-list"
            raise Unreadable(f"{exc}: {remedy}") from exc
        entries = [each for each in read if not isinstance(each, Unreadable)]
        faults = [str(each) for each in read if isinstance(each, Unreadable)]
        return replaying.steps(entries=entries), faults

    def _confirm(self, gap: Gap | None, pending: int, agreed: bool) -> None:
        """Say what will happen and ask. Raises CommandError where the answer is no."""
        for line in _what_happens(gap, pending):
            self.stdout.write(line)
        if agreed:
            return
        if not sys.stdin.isatty():
            raise CommandError("Nothing was done. If a backup was restored on purpose: --yes.")
        if input(f'Type "{WORD}" to go on: ').strip().lower() != WORD:
            raise CommandError("Nothing was done.")

    def _announce(self, gap: Gap, actor: str) -> None:
        newest = seals.latest()
        total = newest.first_position + newest.count if newest else 0
        with self._bar("events", total) as bar:
            restored.announce(gap=gap, actor=actor, progress=bar.update)
        self.stdout.write(f"Announced: {gap}.")

    def _bar(self, unit: str, total: int) -> Any:
        # disable=None: a bar on a terminal, nothing elsewhere.
        return tqdm(total=total, unit=f" {unit}", disable=None)


def _what_happens(gap: Gap | None, pending: int) -> Sequence[str]:
    lines = []
    if gap:
        lines = [
            f"{settings.AUDIT_ANCHORS} and the database differ: {gap}.",
            "If no backup was restored, somebody removed them: stop here, and tell compliance.",
        ]
    if settings.RESTORE_LIST is None:
        lines.append("RESTORE_LIST is not set: what was done to persons since is not done again.")
    elif pending:
        lines.append(f"Erasures, withdrawals and holds to be done again: {pending} or more.")
    return lines

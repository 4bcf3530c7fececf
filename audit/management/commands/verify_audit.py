"""`manage.py verify_audit`: is the log what it was?"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from audit import commandline, verify
from audit.sealing import seals

COULD_NOT_VERIFY = 3


class Command(BaseCommand):
    help = (
        "Checks every event, seal, signature and anchor and names the first that was changed. Exit"
        " status: 0 all of it verifies (seals that `audit_restored` announced as lost are named),"
        " 1 something is not as it was, 3 it could not be verified, because a key or the anchor"
        " file is missing. Changes nothing but that it records the outcome as an event; nothing"
        " for 3."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=int, metavar="SEAL", help="begin with this seal")
        parser.add_argument(
            "--anchors", type=Path, metavar="FILE", help="anchor file (default: AUDIT_ANCHORS)"
        )
        parser.add_argument(
            "--actor",
            type=commandline.actor,
            default="system",
            help="who verifies, for the record",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        newest = seals.latest()
        total = newest.first_position + newest.count if newest else 0
        # disable=None: a bar on a terminal, nothing elsewhere.
        with tqdm(total=total, unit=" events", disable=None) as bar:
            try:
                report = verify.verify(
                    since=options["since"], anchors=options["anchors"], progress=bar.update
                )
            except verify.UnknownSeal as exc:
                raise CommandError(str(exc)) from exc
        verify.remember(report=report, actor=options["actor"])
        self._tell(report)

    def _tell(self, report: verify.Report) -> None:
        for warning in report.warnings:
            self.stderr.write(f"warning: {warning}")
        for gap in report.restored:
            self.stdout.write(gap)
        if report.problems:
            found = [*report.problems, *(f"could not verify: {each}" for each in report.obstacles)]
            raise CommandError("the log does not verify:\n" + "\n".join(found))
        if report.obstacles:
            raise CommandError(
                "could not verify, and found nothing wrong with the rest:\n"
                + "\n".join(report.obstacles),
                returncode=COULD_NOT_VERIFY,
            )
        self.stdout.write(
            f"verified: {report.events} events, seals {report.first_seal} to {report.last_seal};"
            f" {report.unsealed} events wait for their seal"
        )

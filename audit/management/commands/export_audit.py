"""`manage.py export_audit`: a bundle that proves itself."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from audit import commandline, export
from audit.sealing import signing


class Command(BaseCommand):
    help = (
        "Writes events with their proofs, seals, keys and a stand-alone verifier to a new folder,"
        " or to a new zip file. Seals what waits first, and records the export as an event."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, required=True, metavar="PATH")
        parser.add_argument(
            "--actor", type=commandline.actor, required=True, metavar="NAME", help="who exports"
        )
        moment = commandline.moment
        parser.add_argument("--since", type=moment, metavar="DATE", help="ISO 8601, UTC if bare")
        parser.add_argument("--until", type=moment, metavar="DATE", help="not included itself")
        parser.add_argument(
            "--kind", type=commandline.kind, default="", help="such as guest.created"
        )
        parser.add_argument(
            "--subject",
            type=commandline.subject,
            default="",
            help="a pseudonym, as the log shows it",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        narrowing = ("since", "until", "kind", "subject")
        only = export.Filter(**{name: options[name] for name in narrowing})
        with tqdm(unit=" records", disable=None) as bar:
            try:
                count = export.export(
                    output=options["output"],
                    actor=options["actor"],
                    only=only,
                    progress=bar.update,
                )
            except signing.SigningKeyMissing as exc:
                raise CommandError(str(exc)) from exc
            except OSError as exc:
                raise CommandError(f"cannot write: {exc}") from exc
        self.stdout.write(f"{count} records in {options['output']}")

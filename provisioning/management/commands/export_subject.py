"""`manage.py export_subject`: GDPR art. 15."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.sealing.signing import SigningKeyMissing
from backoffice.private import private
from provisioning.subjects.commandline import add_subject_arguments, subject_from
from provisioning.subjects.export import export


class Command(BaseCommand):
    help = (
        "Writes all that is stored of a person as JSON: consents with their receipts, guests, CRM"
        " data and what the audit log says of them. Changes nothing but that it records the export."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_subject_arguments(parser)
        parser.add_argument(
            "--output", metavar="FILE", help="a new file, for you alone to read; else the terminal"
        )
        parser.add_argument(
            "--without-holds",
            action="store_true",
            help="say nothing of legal holds, where the law forbids to (GDPR art. 23)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        keys = subject_from(options)
        if not keys:
            self.stderr.write("Nothing is stored of such a person.")
        try:
            document = export(
                session_hashes=keys,
                actor=options["actor"],
                holds=not options["without_holds"],
            )
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            if options["output"]:
                with open(options["output"], "x", encoding="utf-8", opener=private) as file:
                    file.write(text)
            else:
                self.stdout.write(text, ending="")
        except SigningKeyMissing as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"The file cannot be written: {exc.strerror}.") from exc

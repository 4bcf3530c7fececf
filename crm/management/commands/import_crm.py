import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from tqdm import tqdm

from crm.imports.csvfile import lines_of
from crm.imports.importing import ImportRefused, ImportResult, Step, import_records
from crm.sessions import WrongPepper
from crm.upsert import Overtaken


class Command(BaseCommand):
    help = (
        "Creates and updates CRM records from a CSV file: all of it or, when anything in it is"
        " wrong, nothing. Records that the file does not name stay as they are."
        " The header names session_id or session_hash (or record_id, as an export does), email,"
        " first_name, tier, previous_tickets; any other column becomes a further attribute. A"
        " session_id is hashed and never stored."
        " Doing it twice changes nothing the second time, apart from its entry in the audit log."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV in UTF-8; - reads standard input")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            with _opened(file) as content:
                steps = import_records(lines=lines_of(file=content), actor="system")
                result = _watched(steps)
        except OSError as exc:
            raise CommandError(f"The file cannot be read: {exc.strerror}.") from exc
        except ImportRefused as exc:
            raise CommandError(f"Nothing was imported; errors: {exc.total:,}\n{exc}") from exc
        except Overtaken as exc:
            raise CommandError("Others keep changing these records; nothing was imported.") from exc
        except WrongPepper as exc:
            raise CommandError(f"Nothing was imported: {exc}.") from exc
        except Error as exc:
            # Not quoted: PostgreSQL puts the values of a row into its messages.
            raise CommandError("The database failed; nothing was imported.") from exc
        self.stdout.write(
            f"{result.created:,} created, {result.updated:,} updated,"
            f" {result.unchanged:,} unchanged."
        )


def _watched(steps: Iterator[Step | ImportResult]) -> ImportResult:
    """Go through `steps` under a progress bar; return the result, which comes last."""
    # disable=None: no bar where standard error is not a terminal.
    with tqdm(unit=" rows", disable=None, file=sys.stderr) as bar:
        phase = ""
        for step in steps:
            if isinstance(step, ImportResult):
                return step
            if step.phase != phase:
                phase = step.phase
                bar.reset()
                bar.set_description(phase, refresh=False)
            bar.total = step.total
            bar.update(step.done - bar.n)
    raise AssertionError("an import ends with its result")


def _opened(file: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb")

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from tqdm import tqdm

from backoffice.inert import visible
from crm.imports.csvfile import CrmFile
from crm.imports.importing import ImportRefused, ImportResult, Step, import_records
from crm.sessions import WrongPepper
from crm.upsert import Overtaken


class Command(BaseCommand):
    help = (
        "Creates and updates CRM records from a CSV file: all of it or, when anything in it is"
        " wrong, nothing. Records that the file does not name stay as they are."
        " The header names session_id or session_hash (or record_id, as an export does), email,"
        " first_name, tier, previous_tickets, in whatever capitals, blanks and marks; any other"
        " column becomes a further attribute. A session_id is hashed and never stored. How letters"
        " are written (UTF-8, UTF-16, Windows-1252) and cells are parted (, ; tab |) is found out,"
        " and said where it is not UTF-8 with commas."
        " Doing it twice changes nothing the second time, apart from its entry in the audit log."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", help="CSV, as spreadsheets write it; - reads standard input"
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            with _opened(file) as content:
                source = CrmFile(content=content)
                result = _watched(import_records(file=source, actor="system"))
        except OSError as exc:
            raise CommandError(f"The file cannot be read: {exc.strerror}.") from exc
        except ImportRefused as exc:
            how = f" (read as {source.reading})" if source.labels else ""
            raise CommandError(f"Nothing was imported; errors: {exc.total:,}{how}\n{exc}") from exc
        except Overtaken as exc:
            raise CommandError("Others keep changing these records; nothing was imported.") from exc
        except WrongPepper as exc:
            raise CommandError(f"Nothing was imported: {exc}.") from exc
        except Error as exc:
            # Not quoted: PostgreSQL puts the values of a row into its messages.
            raise CommandError("The database failed; nothing was imported.") from exc
        self._say_how_it_was_read(source)
        self.stdout.write(
            f"{result.created:,} created, {result.updated:,} updated,"
            f" {result.unchanged:,} unchanged."
        )

    def _say_how_it_was_read(self, source: CrmFile) -> None:
        for warning in source.warnings:
            self.stderr.write(f"Warning: {warning}")
        if source.is_plain:
            return
        self.stdout.write(f"Read as {source.reading}.")
        header = zip(source.labels, source.columns, strict=True)
        for label, column in header:
            if label not in (column, ""):
                self.stdout.write(f"Column {visible(label)!r} is read as {column}.")


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

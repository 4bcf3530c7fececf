"""Look at everything that a production set-up can lack."""

import json
import shutil
import textwrap
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from guestportal.doctor import results
from guestportal.doctor.examination import examine
from guestportal.doctor.findings import FAULT, WARNING, Finding, State

LEVELS = {"fault": {FAULT}, "warning": {FAULT, WARNING}}
_STATE_WIDTH = max(map(len, State)) + 2
_NAME_WIDTH = 26
_NARROWEST, _WIDEST = 40, 80


class Command(BaseCommand):
    help = (
        "Looks at settings, stores, platform, housekeeping, audit log, backups and staff, and names"
        " what a production set-up lacks, with the remedy. Exit status: 0 without a fault, 1 with"
        " one; with --fail-level=warning a warning counts too. Changes nothing but that it keeps"
        " what it found for the admin's first page. Run it as the service's user."
    )
    requires_system_checks: list[str] = []  # they are among what is looked at

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument(
            "--fail-level", choices=LEVELS, default="fault", help="what counts as failure"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found: list[Finding] = []
        for finding in examine():
            found.append(finding)
            if not options["json"]:
                self._tell(finding)
        self._keep(found)
        if options["json"]:
            states = {"checkedAt": timezone.now().isoformat(), "findings": list(map(asdict, found))}
            self.stdout.write(json.dumps(states, indent=2))
        else:
            self.stdout.write(f"\n{_summary(found)}")
        failed = [each.name for each in found if each.state in LEVELS[options["fail_level"]]]
        if failed:
            raise CommandError(f"not in order: {', '.join(dict.fromkeys(failed))}")

    def _tell(self, finding: Finding) -> None:
        """Print a finding as it is found: a check may take seconds."""
        indent = " " * (_STATE_WIDTH + _NAME_WIDTH)
        colour = self._colours().get(finding.state, str)
        head = f"{finding.state:<{_STATE_WIDTH}}{finding.name:<{_NAME_WIDTH}}"
        if len(head) > len(indent):  # a long name has its line to itself
            self.stdout.write(colour(head))
            colour, head = str, indent
        for number, line in enumerate(_wrapped(finding.said)):
            self.stdout.write(f"{indent if number else colour(head)}{line}")
        for number, line in enumerate(_wrapped(finding.remedy)):
            self.stdout.write(f"{indent}{'  ' if number else '→ '}{line}")

    def _colours(self) -> dict[State, Callable[[str], str]]:
        return {State.OK: self.style.SUCCESS, WARNING: self.style.WARNING, FAULT: self.style.ERROR}

    def _keep(self, found: Sequence[Finding]) -> None:
        is_away = any(each.name == "database" and each.state is FAULT for each in found)
        try:
            if is_away:  # else the pool would wait for it, and its log say so in the report
                raise InterfaceError
            results.keep(findings=found)
        except (DatabaseError, InterfaceError):
            self.stderr.write("The result could not be kept for the admin's first page.")


def _wrapped(text: str) -> list[str]:
    """Return the lines of a text; a command or an address is never broken."""
    columns = shutil.get_terminal_size().columns - _STATE_WIDTH - _NAME_WIDTH - 2
    width = min(max(columns, _NARROWEST), _WIDEST)
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _summary(found: Sequence[Finding]) -> str:
    counts = Counter(finding.state for finding in found)
    words = {"fault": "faults", "warning": "warnings"}
    return ", ".join(
        f"{counts[state]} {words.get(state, state) if counts[state] != 1 else state}"
        for state in (FAULT, WARNING, State.OK, State.NOT_CHECKED)
        if counts[state]
    )

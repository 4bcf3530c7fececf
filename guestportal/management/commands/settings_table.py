"""Print what `guestportal.environment` knows of every setting, for README and .env.example."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from guestportal.environment import DOCUMENTED, Variable

_DOTENV_HEAD = """\
# Every setting, as `manage.py settings_table --dotenv` prints it. Copy this file to .env and
# uncomment what you change. The environment wins over .env; an empty value counts as absent.
# `make serve` needs SECRET_KEY, ALLOWED_HOSTS, GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET and
# AUDIT_SIGNING_KEY."""


class Command(BaseCommand):
    help = (
        "Prints the README's table of settings, with --dotenv the file .env.example. Changes "
        "nothing; a test compares both with what it prints."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dotenv", action="store_true", help="print .env.example instead")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = _dotenv() if options["dotenv"] else _markdown()
        self.stdout.write("\n".join(lines))


def _markdown() -> Iterator[str]:
    yield "| setting | default | allowed | meaning |"
    yield "| --- | --- | --- | --- |"
    for variable in DOCUMENTED.values():
        cells = (f"`{variable.name}`", _default(variable), variable.allowed, variable.meaning)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _dotenv() -> Iterator[str]:
    yield _DOTENV_HEAD
    for variable in DOCUMENTED.values():
        yield f"\n# {variable.meaning}"
        yield f"# allowed: {variable.allowed}; default: {_default(variable)}"
        yield f"#{variable.name}="


def _default(variable: Variable) -> str:
    return variable.default or "none"

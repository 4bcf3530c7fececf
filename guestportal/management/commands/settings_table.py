"""Print the settings that `guestportal.config` declares: docs/settings.md and .env.example."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from guestportal.config import SECTIONS

_PAGE_HEAD = """\
# Settings

Every setting, as `manage.py settings_table` prints it. `.env` is read when present (`ENV_FILE`
names another file); the environment wins over it, and an empty value counts as an absent one.
A wrong value stops the start with a line that names it. Which values are unsafe or unwise,
`manage.py check --deploy` tells; production settings to start from are in
[deploy/production.env.example](../deploy/production.env.example)."""
_DOTENV_HEAD = """\
# Every setting, as `manage.py settings_table --dotenv` prints it. Copy this file to .env and
# uncomment what you change. The environment wins over .env; an empty value counts as absent.
# `make serve` needs SECRET_KEY, ALLOWED_HOSTS, GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET and
# AUDIT_SIGNING_KEY."""


class Command(BaseCommand):
    help = (
        "Prints docs/settings.md, with --dotenv the file .env.example. Changes nothing; a test "
        "compares both with what it prints."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dotenv", action="store_true", help="print .env.example instead")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = _dotenv() if options["dotenv"] else _page()
        self.stdout.write("\n".join(lines))


def _page() -> Iterator[str]:
    yield _PAGE_HEAD
    for heading, settings in SECTIONS.items():
        yield f"\n## {heading}\n"
        yield "| setting | default | allowed | meaning |"
        yield "| --- | --- | --- | --- |"
        for setting in settings:
            default = setting.default or "none"
            cells = (f"`{setting.name}`", default, setting.kind.allowed, setting.meaning)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _dotenv() -> Iterator[str]:
    yield _DOTENV_HEAD
    for heading, settings in SECTIONS.items():
        yield f"\n# --- {heading} ".ljust(101, "-")
        for setting in settings:
            yield f"\n# {setting.meaning}"
            yield f"# allowed: {setting.kind.allowed}; default: {setting.default or 'none'}"
            yield f"#{setting.name}="

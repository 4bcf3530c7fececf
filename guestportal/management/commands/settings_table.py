"""Print the settings that `guestportal.config` declares: docs/settings.md and .env.example."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from guestportal.config import SECTIONS

_PAGE_HEAD = """\
# Settings

Every setting, as `manage.py settings_table` prints it. `.env` is read when present (`ENV_FILE`
names another file); the environment wins over it, and an empty value counts as an absent one.
Wrong values stop the start, each with a line that names it. Which values are unsafe or unwise,
`manage.py check --deploy` tells; production settings to start from are in
[deploy/production.env.example](../deploy/production.env.example).

## How `.env` is read

Shells, Docker and systemd read such files too, each a little differently. What they agree on is
read so here:

- One `NAME=value` a line, with no blank around the `=`. Empty lines and lines that begin with `#`
  are passed over; `export` before a name, the line ends of Windows and a byte order mark are
  understood. The file is UTF-8 (with a mark also UTF-16).
- An unquoted value is taken as it stands: `$`, `\\`, quotes inside it and a `#` without a blank
  before it are its own characters; blanks at its end are dropped.
- `'…'` is taken as it stands, blanks and `#` too; it cannot hold a `'`. In `"…"` a backslash
  before `"`, `\\`, `$` or a backquote is dropped; any other backslash stays. Nothing may follow the
  closing quote, and a value has one line.
- Nothing is put in for `$NAME`. A shell or Docker Compose would: write a value with `$` in single
  quotes if they read the file too.

What they would read differently stops the start with a sentence that names file, line and name,
and never a value: `NAME = value`, `NAME: value`, a blank and a `#` in an unquoted value (a comment
to some, a part of the secret to others), a quote that is not closed, text after the closing one,
any other line. So does a name that is no setting and is one letter from one (a letter more, fewer
or other, two swapped), or begins with `GENESYS_`, `MESSENGER_`, `AUDIT_`, `CONSENT_` or `OIDC_`.
Other names are let through to the environment; `make serve` and `check --deploy` warn of them. In
the environment itself any name may stand."""
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

"""`manage.py genesys_sandbox`: a stand-in for the platform."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox import options as sandbox


class Command(BaseCommand):
    help = sandbox.SUMMARY
    requires_system_checks: list[str] = []  # it reads no setting and no database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = sandbox.EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        sandbox.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sandbox.run(argparse.Namespace(**options))
        except OSError as exc:
            raise CommandError(str(exc)) from exc

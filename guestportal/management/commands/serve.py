"""Run the production server: web processes and housekeeping."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from guestportal.checks import TAG
from guestportal.serving.listening import CannotListen, require_listening
from guestportal.serving.processes import housekeeping, patience, web
from guestportal.serving.supervisor import supervise


class Command(BaseCommand):
    help = (
        "Serves HTTP on BIND:PORT and runs housekeeping beside it, until SIGTERM or Ctrl-C. "
        "Refuses to start with unsafe settings, each by name. Does not migrate the database."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-housekeeping",
            action="store_true",
            help="leave housekeeping to a process of its own: it must run somewhere",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(tags=[TAG], include_deployment_checks=True)
        try:
            require_listening()
        except CannotListen as exc:
            raise CommandError(str(exc)) from exc
        children = [web()] if options["no_housekeeping"] else [web(), housekeeping()]
        sys.exit(supervise(children, patience=patience() + 5))

"""The arguments by which commands about a person name the person."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from audit.commandline import actor
from provisioning.subjects.identify import By, CannotName, identify


def add_subject_arguments(parser: ArgumentParser) -> None:
    """Add the four ways to name a person, of which exactly one must be given, and ``--actor``."""
    named = parser.add_mutually_exclusive_group(required=True)
    named.add_argument(
        "--session-id-stdin",
        action="store_true",
        help="read the raw session id from standard input, where no process list shows it",
    )
    named.add_argument("--session-hash", metavar="HEX", help="its SHA-256, or the stored key")
    named.add_argument("--guest-id", metavar="ID", help="a guest id of the platform")
    named.add_argument("--email", metavar="ADDRESS", help="the address in the CRM records")
    parser.add_argument(
        "--actor", type=actor, default="system", metavar="NAME", help="who, for the record"
    )


def subject_from(options: dict[str, Any]) -> list[str]:
    """Return the keys of the stored sessions that the arguments name. Raises CommandError."""
    by, value = _named(options)
    try:
        return identify(by=by, value=value)
    except CannotName as exc:
        raise CommandError(str(exc)) from exc
    except UnicodeEncodeError as exc:
        raise CommandError("the session id is not valid UTF-8") from exc


def _named(options: dict[str, Any]) -> tuple[By, str]:
    if options["session_id_stdin"]:
        # Only the line's end is cut: a session id is kept as it is, spaces included.
        value = sys.stdin.readline().rstrip("\r\n")
        if not value:
            raise CommandError("no session id on standard input")
        return By.SESSION_ID, value
    given = (By.SESSION_HASH, By.GUEST_ID, By.EMAIL)
    return next(
        (by, options[by.name.lower()]) for by in given if options[by.name.lower()] is not None
    )

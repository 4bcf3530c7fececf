"""How the commands about a person name the person."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from provisioning.subjects.identify import By, NotAHash, identify


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
    parser.add_argument("--actor", default="system", metavar="NAME", help="who, for the record")


def subject_from(options: dict[str, Any]) -> list[str]:
    """Return the keys of the stored sessions that the arguments name. Raises CommandError."""
    try:
        return identify(by=_by(options), value=_value(options))
    except NotAHash as exc:
        raise CommandError(f"--session-hash: {exc}") from exc
    except UnicodeEncodeError as exc:
        raise CommandError("the session id is not valid UTF-8") from exc


def _by(options: dict[str, Any]) -> By:
    if options["session_id_stdin"]:
        return By.SESSION_ID
    if options["session_hash"] is not None:
        return By.SESSION_HASH
    return By.GUEST_ID if options["guest_id"] is not None else By.EMAIL


def _value(options: dict[str, Any]) -> str:
    if not options["session_id_stdin"]:
        names = ("session_hash", "guest_id", "email")
        return next(str(options[name]) for name in names if options[name] is not None)
    # Only the line's end is cut: a session id is kept as it is, spaces included.
    value = sys.stdin.readline().rstrip("\r\n")
    if not value:
        raise CommandError("no session id on standard input")
    return value

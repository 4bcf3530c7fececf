#!/usr/bin/env python
"""Django's command line for guestportal."""

import locale
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
)

# What says nothing of the database's state, and may quote values.
_OUR_MISTAKES = (DataError, IntegrityError, NotSupportedError, ProgrammingError)


def main() -> None:
    _speak_utf8()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestportal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as exc:
        # A wrong setting is the operator's news, a line for each; a traceback would bury the name.
        sys.exit("\n".join(f"guestportal: {line}" for line in str(exc).splitlines()))
    except (DatabaseError, InterfaceError) as exc:
        if "--traceback" in sys.argv or isinstance(exc, _OUR_MISTAKES):
            raise
        reason = str(exc).partition("\n")[0].strip() or type(exc).__name__
        sys.exit(f"guestportal: the database cannot be used: {reason}")


def _speak_utf8() -> None:
    """Start again in UTF-8 where the locale is another: secrets, names and files are UTF-8."""
    spoken = locale.getpreferredencoding(False).lower().replace("-", "")
    if spoken != "utf8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"  # for the processes that we start, too
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606


if __name__ == "__main__":
    main()

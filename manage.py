#!/usr/bin/env python
"""Django's command line for guestportal."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestportal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as exc:
        # A wrong setting is the operator's news, one line of it; a traceback would bury the name.
        sys.exit(f"guestportal: {exc}")


if __name__ == "__main__":
    main()

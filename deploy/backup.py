#!/usr/bin/env python3
"""Back up what the service keeps into FOLDER, then touch BACKUP_MARKER.

    ENV_FILE=/etc/guestportal/guestportal.env .venv/bin/python deploy/backup.py FOLDER

Run it every night under the service's settings and user; the service goes on meanwhile. It writes
FOLDER/<time>/ with the database (`pg_dump` of the server's version, or SQLite's online copy), the
anchor file and the list from which a restore does things again, and deletes such folders that are
older than BACKUP_KEEP_DAYS. Keys are not in it: keep those elsewhere.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestportal.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_NAME = "%Y%m%dT%H%M%SZ"
_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")


def main(folder: Path) -> None:
    """Make one backup below `folder`; it has its name only when it is complete."""
    os.umask(0o077)
    now = datetime.now(UTC)
    made = folder / now.strftime(_NAME)
    partial = made.with_suffix(".partial")
    partial.mkdir()
    try:
        copy_database(partial)
        # After the database: the copy has a line for every seal that is in it.
        for file in (settings.AUDIT_ANCHORS, settings.RESTORE_LIST):
            if file and Path(file).exists():
                shutil.copy2(file, partial)
        partial.rename(made)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    print(f"{made}: {', '.join(sorted(each.name for each in made.iterdir()))}")  # noqa: T201
    forget_old(folder, now - timedelta(days=settings.BACKUP_KEEP_DAYS))
    if settings.BACKUP_MARKER:
        Path(settings.BACKUP_MARKER).touch()


def said(exc: Exception) -> str:
    """Return what went wrong in one sentence: the file, or the program that was not there."""
    if isinstance(exc, subprocess.CalledProcessError):
        return f"pg_dump ended with status {exc.returncode}; its own words are above"
    if isinstance(exc, FileNotFoundError) and exc.filename == "pg_dump":
        return "pg_dump is not in PATH: install PostgreSQL's client, of the server's version"
    if isinstance(exc, OSError):
        return f"{exc.filename or 'a file'}: {exc.strerror or type(exc).__name__}"
    return str(exc)


def copy_database(folder: Path) -> None:
    """Copy the database as it is at one moment."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        with (
            closing(sqlite3.connect(database["NAME"])) as source,
            closing(sqlite3.connect(folder / "guestportal.sqlite3")) as copy,
        ):
            source.backup(copy)
        return
    # By the environment: a command line is for everybody on the machine to read.
    said = {f"PG{name}": str(database.get(name) or "") for name in ("HOST", "PORT", "USER")}
    said |= {"PGDATABASE": database["NAME"], "PGPASSWORD": database.get("PASSWORD") or ""}
    options = database.get("OPTIONS", {})
    said |= {f"PG{name.upper()}": str(options.get(name) or "") for name in _TLS}
    given = {name: value for name, value in said.items() if value}
    dump = ["pg_dump", "--format=custom", "--no-owner", f"--file={folder}/guestportal.dump"]
    subprocess.run(dump, check=True, env=os.environ | given)  # noqa: S603


def forget_old(folder: Path, oldest: datetime) -> None:
    """Delete backups of before `oldest`, and what was left half made then."""
    for each in folder.iterdir():
        try:
            made = datetime.strptime(each.name.partition(".")[0], _NAME).replace(tzinfo=UTC)
        except ValueError:
            continue  # not ours
        if made < oldest:
            shutil.rmtree(each)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except (OSError, subprocess.CalledProcessError, sqlite3.Error, ImproperlyConfigured) as exc:
        sys.exit(f"backup.py: no backup was made: {said(exc)}")

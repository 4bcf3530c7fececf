"""Run everything on this machine against the sandbox: what `make run` does after the install."""

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backoffice.private import private
from guestportal.config import SETTINGS
from guestportal.environment import dotenv
from guestportal.serving import organisation
from guestportal.serving.listening import CannotListen, require_listening
from guestportal.serving.processes import housekeeping, patience, web
from guestportal.serving.supervisor import Child, supervise

MANAGE = str(settings.BASE_DIR / "manage.py")
ENV_FILE = settings.VAR_DIR / "demo.env"
PASSWORD = "DEMO_PASSWORD"  # noqa: S105  (a name)


class Command(BaseCommand):
    help = (
        "Migrates the demo database, loads demo data, starts the Genesys sandbox, the web server "
        "and housekeeping, prints a curl line, and stops all of it on Ctrl-C. Its settings, with "
        "secrets made once, are kept in var/demo.env: ENV_FILE=var/demo.env for other commands. "
        "GENESYS_PLATFORM chooses which platform the sandbox plays."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_listening()
        except CannotListen as exc:
            raise CommandError(str(exc)) from exc
        sandbox_port = _free_port()
        demo = _secrets(_read(ENV_FILE)) | _settings(sandbox_port)
        os.environ |= demo
        _write(ENV_FILE, demo)
        self.stdout.write("preparing the database …")
        _manage("migrate", "--verbosity=0")
        said = _manage("seed_demo")
        if "password" in said:
            demo[PASSWORD] = said.split()[-1]
            _write(ENV_FILE, demo)
        self._introduce(demo, sandbox_port)
        sandbox = [sys.executable, "-m", "sandbox", f"--port={sandbox_port}"]
        sandbox += organisation.OPTIONS
        children = [Child("sandbox", sandbox), web(), housekeeping()]
        sys.exit(supervise(children, patience=patience()))

    def _introduce(self, demo: dict[str, str], sandbox_port: int) -> None:
        here = f"http://127.0.0.1:{settings.PORT}"
        body = '{"sessionId": "demo-session-jane", "consentGiven": true}'
        self.stdout.write(
            f"\n  platform   {demo['GENESYS_PLATFORM']}   (GENESYS_PLATFORM=messenger make run)"
            f"\n  chat       {here}/   the demo page"
            f"\n  admin      {here}/admin/   demo-admin / {demo.get(PASSWORD, '(yours)')}"
            f"\n  API        {here}/api/docs"
            f"\n  sandbox    http://127.0.0.1:{sandbox_port}/_sandbox/calls"
            f"\n  commands   ENV_FILE=var/demo.env .venv/bin/python manage.py verify_audit"
            f"\n  try it     (Ctrl-C ends everything)\n\n"
            f"curl -sS {here}/api/webchat/init -H 'Content-Type: application/json' -d '{body}'\n"
        )
        self.stdout.flush()


def _secrets(known: dict[str, str]) -> dict[str, str]:
    """Return the demo's secrets, made where this is the first start.

    The pepper is that of the first start too: a `.env` for production that came later has another,
    and would find the demo's database keyed without it.
    """
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AUDIT_SIGNING_KEY": secrets.token_hex(32),
        "SESSION_HASH_PEPPER": settings.SESSION_HASH_PEPPER,
        "MESSENGER_TOKEN_KEY": secrets.token_hex(32),
    }
    return made | {name: known[name] for name in (*made, PASSWORD) if name in known}


def _settings(sandbox_port: int) -> dict[str, str]:
    return {
        "DEBUG": "on",
        "SECURE_SSL_REDIRECT": "off",
        "DATABASE_URL": f"sqlite:///{_database()}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "GENESYS_PLATFORM": settings.GENESYS_PLATFORM,
        "GENESYS_BASE_URL": f"http://127.0.0.1:{sandbox_port}",
        "GENESYS_OAUTH_URL": f"http://127.0.0.1:{sandbox_port}/oauth/token",
        "GENESYS_CLIENT_ID": "demo-client",
        "GENESYS_CLIENT_SECRET": "demo-secret",
        **organisation.SETTINGS,
    }


def _database() -> str:
    """Return the SQLite file that is configured; never demo data in a database on a server."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        return str(database["NAME"])
    return str(settings.VAR_DIR / "guestportal.sqlite3")


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return dotenv.read(path, ours={*SETTINGS, PASSWORD}).values


def _write(path: Path, demo: dict[str, str]) -> None:
    """Write the demo's settings, readable by their owner alone."""
    path.parent.mkdir(exist_ok=True)
    with open(path, "w", encoding="utf-8", opener=private) as file:
        file.writelines(dotenv.line(name=name, value=value) for name, value in demo.items())


def _manage(*argv: str) -> str:
    """Run a command under the demo's settings, which this process was started without."""
    done = subprocess.run([sys.executable, MANAGE, *argv], stdout=subprocess.PIPE, encoding="utf-8")  # noqa: S603
    if done.returncode:
        raise CommandError(f"{argv[0]} failed")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

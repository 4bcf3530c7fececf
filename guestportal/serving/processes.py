"""How the web server is started: gunicorn with gevent workers.

One event loop for each process costs about half the CPU of threads for this work: an init
waits for the platform most of its time (docs/decisions/0001).
"""

import sys

from django.conf import settings

from guestportal.serving.supervisor import Child


def web() -> Child:
    """Return the web processes; BIND, PORT and WEB_CONCURRENCY come from the settings."""
    options = {
        "bind": f"{_bracketed(settings.BIND)}:{settings.PORT}",
        "workers": settings.WEB_CONCURRENCY,
        "worker-class": "guestportal.serving.gunicorn_config.Worker",
        # More than MAX_IN_FLIGHT, so that one visitor too many gets a 503 and not a silence.
        "worker-connections": settings.MAX_IN_FLIGHT + 500,
        "backlog": 2048,
        "keep-alive": 75,
        "graceful-timeout": patience(),
        "config": "python:guestportal.serving.gunicorn_config",
        "logger-class": "guestportal.serving.gunicorn_config.GunicornLogger",
        "log-level": settings.LOG_LEVEL.lower(),
    }
    argv = [sys.executable, "-m", "gunicorn", "guestportal.wsgi", "--no-control-socket"]
    argv += [f"--{name}={value}" for name, value in options.items()]
    return Child("web", [*argv, f"--chdir={settings.BASE_DIR}"])


def housekeeping() -> Child:
    """Return the process that seals, recovers and erases by age."""
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "housekeeping"]
    return Child("housekeeping", argv, restart=True)


def patience() -> int:
    """Return the seconds an init that is under way may take to end after SIGTERM."""
    return int(settings.GENESYS_DEADLINE) + 5


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address

"""The files in deploy/ say nothing that the code does not know."""

import importlib
import os
import re
import secrets
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from crm.imports import uploads
from guestportal.api.body import SYNC_LIMIT
from guestportal.config import SETTINGS
from guestportal.serving.processes import patience

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
EXAMPLE = DEPLOY / "production.env.example"
OURS = ("migrate", "web", "worker", "housekeeping")
KNOWN = {*SETTINGS, "ENV_FILE"}


def example() -> dict[str, str]:
    lines = EXAMPLE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield where each command line stands, and the line."""
    for name in OURS:
        line = COMPOSE["services"][name]["command"]
        if line[:2] == ["sh", "-c"]:
            for part in line[2].split("&&"):
                yield f"compose.yaml {name}", shlex.split(part)
        else:
            yield f"compose.yaml {name}", line
    for unit in UNITS:
        yield unit.name, shlex.split(directive(unit, "ExecStart"))
    found = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    yield "Dockerfile", yaml.safe_load(found[1])


def directive(unit: Path, name: str) -> str:
    return next(
        line.partition("=")[2]
        for line in unit.read_text().splitlines()
        if line.startswith(f"{name}=")
    )


@pytest.mark.parametrize(("where", "argv"), [pytest.param(*c, id=c[0]) for c in commands()])
def test_every_command_line_is_one_that_we_understand(where: str, argv: list[str]) -> None:
    program = Path(argv[0]).name

    if program == "celery":
        assert importlib.import_module(argv[argv.index("-A") + 1]).app
        assert "worker" in argv
    else:
        assert (program, argv[1]) == ("python", "manage.py")
        command = load_command_class(get_commands()[argv[2]], argv[2])
        command.create_parser("manage.py", argv[2]).parse_args(argv[3:])


def test_every_setting_named_is_documented() -> None:
    named = {name for service in OURS for name in COMPOSE["services"][service]["environment"]}
    named |= set(example())
    for unit in UNITS:
        named.add(directive(unit, "Environment").partition("=")[0])

    assert named <= KNOWN


def test_the_compose_file_holds_the_full_set() -> None:
    assert set(COMPOSE["services"]) == {*OURS, "postgres", "redis", "rabbitmq"}


def test_the_units_run_what_the_compose_file_runs() -> None:
    assert [unit.stem for unit in UNITS] == [
        f"guestportal-{name}" for name in sorted(OURS) if name != "migrate"
    ]


def test_stopping_waits_longer_than_an_init_may_take() -> None:
    for name in ("web", "worker"):
        assert int(COMPOSE["services"][name]["stop_grace_period"].rstrip("s")) > patience() + 5
        unit = DEPLOY / "systemd" / f"guestportal-{name}.service"
        assert int(directive(unit, "TimeoutStopSec")) > patience() + 5


def test_the_image_holds_every_package_and_runs_as_nobody_special() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    copied = set(re.findall(r"^COPY (\S+)", DOCKERFILE, re.MULTILINE))

    assert set(tools["importlinter"]["root_packages"]) <= copied
    assert all((ROOT / name).exists() for name in copied if not name.startswith("--"))
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["guestportal"]
    ignored = (ROOT / ".dockerignore").read_text()
    assert all(f"!{name}\n" in ignored for name in copied if not name.startswith("--"))


def test_what_is_written_is_for_its_user_alone() -> None:
    assert {directive(unit, "UMask") for unit in UNITS} == {"0077"}
    assert {directive(unit, "StateDirectoryMode") for unit in UNITS} == {"0700"}
    assert re.search(r"^ENTRYPOINT .*umask 0077 && exec", DOCKERFILE, re.MULTILINE)


def test_every_process_speaks_utf_8() -> None:
    assert all("\nEnvironment=PYTHONUTF8=1\n" in unit.read_text() for unit in UNITS)
    assert re.search(r"^ENV .*PYTHONUTF8=1", DOCKERFILE, re.MULTILINE)


def test_nginx_sends_what_the_settings_believe() -> None:
    nginx = (DEPLOY / "nginx.conf").read_text()
    header, _, value = example()["SECURE_PROXY_SSL_HEADER"].partition("=")
    name = header.removeprefix("HTTP_").replace("_", "-")

    assert re.search(rf"proxy_set_header {name} +\$scheme;", nginx, re.IGNORECASE)
    assert value == "https"
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    assert example()["NUM_PROXIES"] == "1"
    assert f"127.0.0.1:{example()['PORT']}" in nginx


def test_check_deploy_has_nothing_to_say_about_the_documented_settings() -> None:
    keys = ("SECRET_KEY", "AUDIT_SIGNING_KEY", "SESSION_HASH_PEPPER", "IDENTITY_SECRET")
    filled: dict[str, Any] = dict.fromkeys(("METRICS_TOKEN", "GENESYS_CLIENT_SECRET"), "x" * 32)
    filled |= {name: secrets.token_hex(32) for name in keys}

    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": str(EXAMPLE)} | filled,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr


def test_nginx_lets_the_largest_upload_pass() -> None:
    found = re.search(r"client_max_body_size (\d+)m;", (DEPLOY / "nginx.conf").read_text())
    assert found

    passed = int(found[1]) * 2**20
    assert uploads.MAX_BYTES + uploads.FORM_BYTES <= passed <= uploads.MAX_BYTES + 2**20
    assert passed >= SYNC_LIMIT

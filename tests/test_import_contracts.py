"""The import contracts are clean, and each is shown to fail when it is broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.service import ROOT

pytestmark = pytest.mark.slow
APPS = ("guestportal", "provisioning", "crm", "audit", "backoffice", "sandbox")
BREACHES = [
    ("audit/log.py", "import crm.models", "A lower app never imports an upper one"),
    ("backoffice/lists.py", "import audit.log", "A lower app never imports an upper one"),
    ("crm/profiles.py", "import provisioning.ledger", "A lower app never imports an upper one"),
    ("provisioning/api/views.py", "import guestportal.watch.logs", "A lower app never imports"),
    ("sandbox/server.py", "import provisioning.genesys", "The sandbox imports nothing of ours"),
    ("provisioning/tasks.py", "import sandbox.server", "Only the command that starts it imports"),
    ("provisioning/init/pipeline.py", "import requests", "Only the platform's client speaks"),
    (
        "provisioning/genesys/guest_api.py",
        "import rest_framework",
        "knows no model, no DRF, no crm",
    ),
    ("provisioning/genesys/gate.py", "import provisioning.models", "knows no model, no DRF"),
    ("provisioning/consent/decision.py", "import provisioning.ledger", "No circle inside an app"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code."""
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(copy: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    env = os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "200"}
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)


def test_are_clean(copy: Path) -> None:
    assert lint(copy).returncode == 0


@pytest.mark.parametrize(("module", "statement", "contract"), BREACHES)
def test_fail_when_broken(module: str, statement: str, contract: str, copy: Path) -> None:
    path = copy / module
    path.write_text(f"{path.read_text()}\n{statement}\n")

    ended = lint(copy)

    broken = [line for line in ended.stdout.splitlines() if " BROKEN" in line]
    assert ended.returncode != 0
    assert any(contract in line for line in broken)

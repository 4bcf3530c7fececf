"""The import contracts are clean, and each is shown to fail when it is broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service import ROOT

pytestmark = pytest.mark.slow
ROOMS = ("guestportal", "provisioning", "crm", "audit")
BREACHES = [
    ("audit/log.py", "import crm.models", "a lower room never imports an upper one"),
    ("crm/profiles.py", "import provisioning.ledger", "a lower room never imports an upper one"),
    ("provisioning/views.py", "import guestportal.logs", "a lower room never imports"),
    ("provisioning/pipeline.py", "import requests", "Only the platform's client speaks requests"),
    ("provisioning/genesys/client.py", "import rest_framework", "knows no model, no DRF, no crm"),
    (
        "provisioning/genesys/gate.py",
        "import provisioning.models",
        "knows no model, no DRF, no crm",
    ),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the code."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    env = os.environ | {"PYTHONPATH": str(house), "COLUMNS": "200"}
    return subprocess.run(command, cwd=house, env=env, capture_output=True, text=True, check=False)


def test_are_clean(house: Path) -> None:
    assert lint(house).returncode == 0


@pytest.mark.parametrize(("module", "statement", "contract"), BREACHES)
def test_fail_when_broken(module: str, statement: str, contract: str, house: Path) -> None:
    path = house / module
    path.write_text(f"{path.read_text()}\n{statement}\n")

    ended = lint(house)

    broken = [line for line in ended.stdout.splitlines() if " BROKEN" in line]
    assert ended.returncode != 0
    assert any(contract in line for line in broken)

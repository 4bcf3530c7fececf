"""Schemathesis over the whole description, against the running service and the sandbox."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sandbox import running_sandbox
from tests.support.service import ROOT, Service, running_service

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent


def crm_token(service: Service) -> str:
    script = (
        "from django.contrib.auth import get_user_model as users;"
        "from crm.sync.tokens import issue_token;"
        "user = users().objects.create_superuser('schemathesis');"
        "print(issue_token(user=user, replace=False))"
    )
    return service.manage("shell", "--no-imports", "-c", script).stdout.split()[-1]


def schemathesis(service: Service, folder: Path, *options: str) -> str:
    """Run it and return its report; the process fails on any failure it finds."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={HERE}/schemathesis.toml"),
        *("run", f"{service.url}/api/schema", "--checks=all", "--no-color"),
        *("--phases=examples,coverage,fuzzing,stateful", "--continue-on-failure", *options),
    ]
    hooks = {
        "SCHEMATHESIS_HOOKS": "tests.guestportal.api.schemathesis_hooks",
        "PYTHONPATH": str(ROOT),
    }
    run = subprocess.run(
        command, cwd=folder, env=os.environ | hooks, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout
    assert "Traceback" not in service.log
    return run.stdout


def test_every_answer_of_the_webchat_is_a_documented_one(tmp_path: Path) -> None:
    with running_sandbox() as sandbox, running_service(tmp_path, sandbox.url) as service:
        schemathesis(service, tmp_path, "--include-tag=Webchat", "--max-examples=40")
        renewals = sandbox.count("tokens") - sandbox.count("guests")

    assert renewals > 0  # the link from init to token was followed


def test_every_answer_of_the_sync_api_is_a_documented_one(tmp_path: Path) -> None:
    with running_sandbox() as sandbox, running_service(tmp_path, sandbox.url) as service:
        schemathesis(
            service,
            tmp_path,
            *("--include-tag=CRM", "--max-examples=20"),
            *("-H", f"Authorization: Bearer {crm_token(service)}"),
            # A bulk upsert judges each record for itself, and a record's address, names and
            # preconditions by rules that JSON Schema does not know.
            "--exclude-checks=positive_data_acceptance,negative_data_rejection",
        )

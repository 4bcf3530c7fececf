"""Schemathesis over the whole description, against the running service and the sandbox."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox import running_sandbox
from tests.service import ROOT, Service, running_service

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent


def crm_token(service: Service) -> str:
    script = (
        "from django.contrib.auth import get_user_model as users; from crm.tokens import issue_token;"
        "user = users().objects.create_superuser('schemathesis');"
        "print(issue_token(user=user, replace=False))"
    )
    return service.manage("shell", "--no-imports", "-c", script).stdout.split()[-1]


def schemathesis(
    service: Service, folder: Path, *options: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", f"--config-file={HERE}/schemathesis.toml"),
            *("run", f"{service.url}/api/schema", "--checks=all", "--no-color"),
            *("--phases=examples,coverage,fuzzing,stateful", "--continue-on-failure"),
            *("-H", f"Authorization: Bearer {crm_token(service)}", *options),
        ],
        cwd=folder,
        env=os.environ
        | {"SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_every_answer_is_a_documented_one_and_none_a_server_error(tmp_path: Path) -> None:
    with running_sandbox() as sandbox, running_service(tmp_path, sandbox.url) as service:
        run = schemathesis(service, tmp_path, "--max-examples=50")
        log = service.log

    assert run.returncode == 0, run.stdout
    assert "Traceback" not in log
    assert re.search(r"(✅|PASS).*Stateful", run.stdout), run.stdout

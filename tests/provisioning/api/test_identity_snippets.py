"""The guide's backends sign as the service verifies."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.support.service import ROOT

pytestmark = pytest.mark.django_db

SECRET = "shared with the website's backend, 0123456789"
SESSION = "müller-42 ✓"
GUIDE = (ROOT / "docs" / "identity.md").read_text()

# Language of the guide's block -> program, file, and the line that prints the signature.
BACKENDS = [
    ("python", sys.executable, "sign.py", "import sys\nprint(session_signature(sys.argv[1]))"),
    ("js", "node", "sign.mjs", "console.log(sessionSignature(process.argv[2]));"),
    ("php", "php", "sign.php", "echo session_signature($argv[1]);"),
]


def sign(folder: Path, language: str, program: str, name: str, line: str) -> str:
    """Run the guide's block, as it stands, with one more line that prints."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (block,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    script = folder / name
    script.write_text(f"{block}\n{line}\n")
    run = subprocess.run(
        [program, str(script), SESSION],
        env=os.environ | {"IDENTITY_SECRET": SECRET},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def withdraw(client: Client, **body: str) -> Any:
    return client.post("/api/webchat/consent/withdraw", body, content_type="application/json")


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    settings.IDENTITY_VERIFICATION = "required"
    settings.IDENTITY_SECRET = SECRET


@pytest.mark.parametrize(("language", "program", "name", "line"), BACKENDS)
def test_the_guides_backend_signs_as_the_service_verifies(
    client: Client, tmp_path: Path, language: str, program: str, name: str, line: str
) -> None:
    signature = sign(tmp_path, language, program, name, line)

    answer = withdraw(client, sessionId=SESSION, sessionSignature=signature)

    assert answer.status_code == 200


@pytest.mark.parametrize("signature", ["0" * 64, "é" * 64, "short"])
def test_another_signature_is_refused(client: Client, signature: str) -> None:
    answer = withdraw(client, sessionId=SESSION, sessionSignature=signature)

    assert answer.status_code == 403
    assert answer.json()["code"] == "identity_required"


def test_a_missing_signature_is_refused(client: Client) -> None:
    answer = withdraw(client, sessionId=SESSION)

    assert answer.json()["code"] == "identity_required"

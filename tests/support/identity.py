"""A certified identity provider (oidc-provider, for Node) in a process of its own."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.service import ROOT

_SOURCE = Path(__file__).parent / "oidc_provider"
_FOLDER = ROOT / "var" / "identity"


@dataclass(frozen=True)
class Identity:
    """The running provider, and what a client has to know of it."""

    issuer: str
    client_id: str
    client_secret: str
    process: "subprocess.Popen[bytes]"

    def stop(self) -> None:
        """End the provider: from now on nothing listens there."""
        self.process.kill()
        self.process.wait(timeout=30)

    def control(self, **wanted: Any) -> None:
        """Tell it who there is and what to do wrong; see ``oidc_provider/server.mjs``."""
        body = json.dumps(wanted).encode()
        urllib.request.urlopen(f"{self.issuer}/control", body, timeout=30).close()


@contextmanager
def identity_provider(*, redirect_uri: str, post_logout_uri: str) -> Iterator[Identity]:
    """Run the provider for one client; skip where Node, npm or the packages cannot be had."""
    folder = _installed()
    command = ["node", str(folder / "server.mjs"), redirect_uri, post_logout_uri]
    log = folder / "server.log"
    with log.open("ab") as words:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words)
    try:
        line = process.stdout.readline()  # type: ignore[union-attr]  (it waits until it listens)
        assert line, f"the provider did not start:\n{log.read_text()[-2000:]}"
        yield Identity(**json.loads(line), process=process)
    finally:
        process.kill()
        process.wait(timeout=30)
        process.stdout.close()  # type: ignore[union-attr]


def _installed() -> Path:
    """Install the packages of the lock file, once, into var/; return where."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("there is no Node, or no npm")
    lock = (_SOURCE / "package-lock.json").read_bytes()
    stamp = _FOLDER / "installed.json"
    if not stamp.exists() or stamp.read_bytes() != lock:
        _FOLDER.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_SOURCE / name, _FOLDER)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=_FOLDER, check=False)
        if done.returncode:
            pytest.skip("`npm ci` could not install the identity provider")
        stamp.write_bytes(lock)
    shutil.copy(_SOURCE / "server.mjs", _FOLDER)
    return _FOLDER

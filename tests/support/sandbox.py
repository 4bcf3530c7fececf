"""The sandbox as a real process, for tests and measurements.

with running_sandbox("--rate-per-minute", "60") as sandbox:
    sandbox.faults([{"endpoint": "guests", "kind": "hang"}])
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox and its controls."""

    url: str
    process: "subprocess.Popen[str]"

    def calls(self, *, since: int = 0, endpoint: str | None = None) -> list[dict[str, Any]]:
        """Return what it saw after call number `since`, of one endpoint or of all."""
        calls = self._control("GET", f"calls?since={since}")
        return [call for call in calls if endpoint in (None, call["endpoint"])]

    def stats(self) -> dict[str, Any]:
        """Return its counts by endpoint and status."""
        return dict(self._control("GET", "stats"))

    def count(self, endpoint: str) -> int:
        """Return how many calls an endpoint has had."""
        return sum(self.stats()["calls"].get(endpoint, {}).values())

    def faults(self, rules: Sequence[dict[str, Any]]) -> None:
        """Replace the fault script; the next call of each endpoint has number 1."""
        self._control("POST", "faults", list(rules))

    def revoke(self) -> int:
        """Revoke every access token and return how many there were."""
        return int(self._control("POST", "revoke")["revoked"])

    def reset(self) -> None:
        """Forget calls and guests, refill the rate, restore the faults it was started with."""
        self._control("POST", "reset")

    def stop(self) -> int:
        """End the process and return its exit status.

        Raises:
            subprocess.TimeoutExpired: it did not end when asked to; it is killed.
        """
        self.process.terminate()
        try:
            return self.process.wait(timeout=10)
        finally:
            self.process.kill()
            self.process.communicate()

    def _control(self, method: str, name: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", data, method=method)
        with _OPENER.open(request, timeout=30) as response:
            return json.load(response)


def start_sandbox(*options: str) -> Sandbox:
    """Start a sandbox on a free port with command-line options; the caller must stop() it."""
    command = [sys.executable, "-m", "sandbox", *options]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.stdout.close()
        raise RuntimeError(f"the sandbox did not start: exit status {process.wait()}")
    return Sandbox(url=line.split()[-1], process=process)


@contextmanager
def running_sandbox(*options: str) -> Iterator[Sandbox]:
    """Run a sandbox with command-line options for the length of a block."""
    sandbox = start_sandbox(*options)
    try:
        yield sandbox
    finally:
        sandbox.stop()

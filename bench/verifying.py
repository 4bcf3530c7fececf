"""How many events a second `verify_audit` checks on one core."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.support import load
from tests.support.sandbox import running_sandbox
from tests.support.service import running_service

_INITS = 5000
_SCRIPT = """
import time
from audit import verify
from audit.sealing import seals
seals.seal()
start = time.process_time()
report = verify.verify()
print(report.events, report.verified, time.process_time() - start)
"""


def run(folder: Path, *, progress: Callable[[str], None]) -> None:
    """Make the events of 5,000 inits, seal them, and print how fast they verify."""
    progress("verify_audit")
    (folder / "verify").mkdir()
    started = time.monotonic()
    with running_sandbox() as sandbox, running_service(folder / "verify", sandbox.url) as service:
        load.run(service.init_url, clients=16, requests=_INITS)
        said = service.manage("shell", "--no-imports", "-c", _SCRIPT).stdout.split()
    events, verified, seconds = int(said[-3]), said[-2], float(said[-1])
    print(
        f"\nverify_audit: {events / seconds:,.0f} events/s of CPU"
        f" ({events:,} events, verified: {verified}; {time.monotonic() - started:.0f} s to make)"
    )

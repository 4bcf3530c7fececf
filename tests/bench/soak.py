"""`make soak`: half an hour at 10 % faults. Prints memory, file descriptors and threads over time.

SOAK_MINUTES (30) and SOAK_VISITORS (8) change it. It passes no judgement: read the columns.
"""

import os
import tempfile
import threading
import time
from pathlib import Path

import psutil

from tests.load import Tally, until
from tests.sandbox import running_sandbox
from tests.service import Service, running_service

# One call in ten goes wrong, in ten different ways.
KINDS = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "reset"},
    {"kind": "reset", "process": True},
    {"kind": "close"},
    {"kind": "cut"},
    {"kind": "garbage", "shape": "html"},
    {"kind": "delay", "seconds": 3},
    {"kind": "drip", "part": "body", "interval": 0.5},
    {"kind": "status", "status": 401},
)
FAULTS = [
    {"endpoint": endpoint, "every": 100 + number, **kind}
    for endpoint in ("guests", "tokens")
    for number, kind in enumerate(KINDS)
]


def main() -> None:
    minutes = float(os.environ.get("SOAK_MINUTES", "30"))
    visitors = int(os.environ.get("SOAK_VISITORS", "8"))
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox("--latency-ms", "20") as sandbox,
        running_service(Path(folder), sandbox.url, GENESYS_DEADLINE="5") as service,
    ):
        sandbox.faults(FAULTS)
        service.spawn("manage.py", "housekeeping")
        stop, tallies = threading.Event(), []
        load = threading.Thread(
            target=lambda: tallies.append(
                until(service.url, visitors=visitors, stop=stop, pause=0.05)
            )
        )
        load.start()
        watch(service, minutes)
        stop.set()
        load.join()
        report(service, tallies[0])


def watch(service: Service, minutes: float) -> None:
    """Print one line twenty times over the run."""
    print(f"{'minute':>7} {'web MB':>8} {'web fds':>8} {'threads':>8} {'housekeeping MB':>16}")
    began = time.monotonic()
    for step in range(21):
        time.sleep(max(0.0, began + minutes * 60 * step / 20 - time.monotonic()))
        web = family(service.processes[0].pid)
        keeper = psutil.Process(service.processes[1].pid)
        memory = sum(process.memory_info().rss for process in web) / 2**20
        files = sum(process.num_fds() for process in web)
        threads = sum(process.num_threads() for process in web)
        kept = keeper.memory_info().rss / 2**20
        minute = (time.monotonic() - began) / 60
        print(f"{minute:7.1f} {memory:8.1f} {files:8} {threads:8} {kept:16.1f}", flush=True)


def family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def report(service: Service, tally: Tally) -> None:
    """Print what the visitors met, and whether the log told of a bug."""
    print(f"answers {dict(tally.statuses)}, codes {dict(tally.codes)}, broken {tally.broken}")
    print(f"tracebacks in the log: {service.log.count('Traceback')}")


if __name__ == "__main__":
    main()

"""`python -m bench.trace`: how far one has to read to follow an init, and a row of a CSV file.

For each it prints how many of our files are entered, how often a call leads from one of them into
another, how many calls there are, and the files with their calls in the order of first entry.
"""

import io
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import django

from tests.support.sandbox import running_sandbox
from tests.support.service import ROOT, environment

APPS = ("guestportal", "provisioning", "crm", "audit", "backoffice")
# Two batches of rows against one: what is done once a file or once a batch is not a row's.
ROWS = 500
_HEADER = "session_id,email,first_name,tier,previous_tickets,city\n"
_PREFIXES = tuple(f"{ROOT / app}{os.sep}" for app in APPS)


@dataclass
class Trace:
    """`files`: ours and how often each is entered, by first entry; `moves`: from one to another."""

    files: Counter[str] = field(default_factory=Counter)
    moves: int = 0

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        """Take note of a call, as `sys.setprofile` reports it."""
        if event != "call" or not (name := _ours(frame)):
            return
        self.files[name] += 1
        self.moves += _caller(frame) not in ("", name)


def _ours(frame: FrameType) -> str:
    path = frame.f_code.co_filename
    return str(Path(path).relative_to(ROOT)) if path.startswith(_PREFIXES) else ""


def _caller(frame: FrameType) -> str:
    """Return the file of ours from which `frame` was called, through whatever library."""
    outer = frame.f_back
    while outer and not _ours(outer):
        outer = outer.f_back
    return _ours(outer) if outer else ""


def traced(work: Callable[[], None]) -> Trace:
    """Do `work` and return what of ours it went through."""
    trace = Trace()
    sys.setprofile(trace.note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return trace


def main() -> None:
    """Start the service's code in this process, on a database of its own, and trace both."""
    with tempfile.TemporaryDirectory() as folder, running_sandbox() as sandbox:
        os.environ |= environment(Path(folder), sandbox.url, LOG_LEVEL="WARNING")
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        init = traced_init()
        one, two = traced_import(ROWS, "a"), traced_import(2 * ROWS, "b")
    show("warm init", init)
    more = {name: count - one.files[name] for name, count in two.files.items()}
    files = Counter({name: round(n / ROWS) for name, n in more.items() if n >= ROWS})
    show("row of a CSV file", Trace(files, round((two.moves - one.moves) / ROWS)))


def traced_init() -> Trace:
    """Trace the second init: by then the process holds an access token and the mappings."""
    from django.test import Client

    def init() -> None:
        body = {"sessionId": os.urandom(8).hex(), "consentGiven": True}
        answer = client.post("/api/webchat/init", body, content_type="application/json")
        assert answer.status_code == 200, answer.content

    client = Client(headers={"Host": "localhost"})
    init()
    return traced(init)


def traced_import(rows: int, name: str) -> Trace:
    """Trace the import of a file of `rows` new records."""
    from crm.imports.csvfile import CrmFile
    from crm.imports.importing import import_records

    lines = [_HEADER]
    lines += [f"{name}-{n},{name}{n}@example.com,Jane,Gold,{n},Vienna\n" for n in range(rows)]

    content = "".join(lines).encode()

    def run() -> None:
        for _ in import_records(file=CrmFile(content=io.BytesIO(content)), actor="bench"):
            pass

    return traced(run)


def show(title: str, trace: Trace) -> None:
    """Print a trace."""
    calls = sum(trace.files.values())
    print(f"\n{title}: {len(trace.files)} files, {trace.moves} moves, {calls} calls")
    for number, (name, count) in enumerate(trace.files.items(), start=1):
        print(f"{number:4}  {name}  {count}")


if __name__ == "__main__":
    main()

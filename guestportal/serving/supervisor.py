"""Run a few processes as one: they start together, stop together, and none outlives its parent."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType

POLL_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process. `restart`: start it again when it dies; otherwise its death ends the rest."""

    name: str
    argv: Sequence[str]
    restart: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process in a session of its own: Ctrl-C is ours to pass on, as SIGTERM."""
        self.process = subprocess.Popen(  # noqa: S603
            list(self.argv),
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    @property
    def exit_status(self) -> int | None:
        """Return the exit status, None while the process runs."""
        return self.process.poll() if self.process else None


def supervise(children: Sequence[Child], *, patience: float) -> int:
    """Run `children` until SIGINT or SIGTERM, or until one that is not restarted dies.

    Then all get SIGTERM, and SIGKILL after `patience` seconds. Returns the exit status: 0 after a
    signal, otherwise that of the one that died (1 where it said 0).
    """
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    died: Child | None = None
    try:
        for child in children:
            child.start()
        while not stopping and died is None:
            time.sleep(POLL_SECONDS)
            died = _tend(children)
    finally:
        _stop_all(children, patience)
    return 0 if died is None else (died.exit_status or 1)


def _tend(children: Sequence[Child]) -> Child | None:
    """Restart what may be restarted; return the first child whose death ends everything."""
    for child in children:
        if child.exit_status is None:
            continue
        then = "; it is started again" if child.restart else ""
        print(f"{child.name} ended with status {child.exit_status}{then}", file=sys.stderr)  # noqa: T201
        if not child.restart:
            return child
        time.sleep(1)
        child.start()
    return None


def _stop_all(children: Sequence[Child], patience: float) -> None:
    processes = [child.process for child in children if child.process]
    for process in processes:
        process.send_signal(signal.SIGTERM)
    end = time.monotonic() + patience
    for process in processes:
        try:
            process.wait(timeout=max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_parent() -> None:
    """Ask Linux for SIGTERM when the parent is killed, so that no orphan keeps the port."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

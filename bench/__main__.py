"""`make bench`, `python -m bench [PART …]`: measure, one part after the other; print the figures.

The parts are speed, wire, limits, growth and verify; without a name all of them run.

SEED=/path/to/app.js      the tutorial's program, its packages beside it, as one more candidate
BENCH_SLICES=5            slices; the figures are their medians
BENCH_CREATIONS=1000000   stored creations at which growth is measured; 0 leaves it out
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench import growth, interpreter, limits, speed, verifying, wire

PARTS = {
    "speed": speed.run,
    "wire": wire.run,
    "limits": limits.run,
    "growth": growth.run,
    "verify": verifying.run,
}


def main() -> None:
    """Run the named parts; each starts what it needs and stops it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    chosen = parser.parse_args().parts or list(PARTS)
    # Stopped from outside, it still ends the programs that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    started = time.monotonic()
    print(interpreter.heading())
    print("load, platform and stores share the machine: compare, do not quote", flush=True)
    for name in chosen:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            PARTS[name](Path(folder), progress=_progress)
    print(f"\n{(time.monotonic() - started) / 60:.0f} minutes: python -m bench {' '.join(chosen)}")


def _progress(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

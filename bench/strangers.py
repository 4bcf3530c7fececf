"""`python -m bench.strangers`: ten loops of wrong sign-ins beside visitors; one process, SQLite.

Rounds alternate between visitors alone and visitors beside the loops, in one run. Two kinds of
loops: all from one address, which is refused from its eleventh try on, and each try from another
address, which never is. Prints the visitors' medians and their ratio, what the loops were answered,
and by how much the database's files grew under the loops alone. `STRANGERS_LATENCY_MS`: how long
the platform takes for a call.
"""

import http.client
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench import interpreter
from tests.support import load
from tests.support.sandbox import running_sandbox
from tests.support.service import ROOT, Service, environment, running_service

LOOPS, ROUNDS, VISITORS, SECONDS = 10, 5, 4, 4.0
LATENCY = os.environ.get("STRANGERS_LATENCY_MS", "20")
_LOGIN = "/admin/login/"
_numbers = itertools.count()


def main() -> None:
    """Measure both kinds of loops."""
    print(interpreter.heading(), flush=True)
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    subprocess.run(collect, cwd=ROOT, env=environment(Path(), "http://127.0.0.1"), check=True)
    for kind in ("one address", "many addresses"):
        with (
            tempfile.TemporaryDirectory() as folder,
            running_sandbox("--latency-ms", LATENCY) as sandbox,
            running_service(Path(folder), sandbox.url, NUM_PROXIES="1") as service,
        ):
            measure(service, Path(folder), many=kind == "many addresses", title=kind)


def measure(service: Service, folder: Path, *, many: bool, title: str) -> None:
    """Print what loops of one kind do to the visitors of `service`."""
    visit(service)  # warm
    alone, beside = [], []
    answers: Counter[str] = Counter()
    for _ in range(ROUNDS):
        alone.append(visit(service))
        with loops(service, answers, many=many):
            beside.append(visit(service))
    before = size(folder)
    with loops(service, answers, many=many):
        time.sleep(2 * SECONDS)
    growth = size(folder) - before
    # Loops that do not reach the form would disturb nobody.
    tried = sum(n for name, n in answers.items() if name in ("200", "429", "503"))
    assert tried == answers.total() > 0, answers
    undisturbed, disturbed = statistics.median(alone), statistics.median(beside)
    print(f"{LOOPS} loops, {title}: answered {dict(answers)}")
    print(f"  visitors' median alone {undisturbed:.1f} ms, beside {disturbed:.1f} ms", end="")
    print(f", ratio {disturbed / undisturbed:.2f}; database grew by {growth / 2**20:.3f} MB")


def visit(service: Service) -> float:
    """Let visitors come for a while; return their median in milliseconds."""
    with load.during(service.init_url, clients=VISITORS) as loads:
        time.sleep(SECONDS)
    assert set(loads[0].statuses) == {200}, loads[0]
    return loads[0].p50


@contextmanager
def loops(service: Service, answers: Counter[str], *, many: bool) -> Iterator[None]:
    """Run the loops while the block runs; count what they are answered."""
    ended = threading.Event()
    threads = [
        threading.Thread(target=_loop, args=(service, answers, ended, many)) for _ in range(LOOPS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def size(folder: Path) -> int:
    """Return the bytes of the database's files."""
    return sum(path.stat().st_size for path in folder.glob("service.sqlite3*"))


def _loop(service: Service, answers: Counter[str], ended: threading.Event, many: bool) -> None:
    address = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    while not ended.is_set():
        with suppress(OSError, http.client.HTTPException):
            headers = {"X-Forwarded-For": _address()} if many else {}
            connection.request("GET", _LOGIN, headers=headers)
            page = connection.getresponse()
            page.read()
            if page.status != 200:
                answers[f"page {page.status}"] += 1
                continue
            token = page.headers["Set-Cookie"].partition("csrftoken=")[2].partition(";")[0]
            form = {"username": f"nobody-{next(_numbers)}", "password": "wrong"}
            headers |= {"Cookie": f"csrftoken={token}", "Content-Type": _FORM}
            body = urlencode(form | {"csrfmiddlewaretoken": token})
            connection.request("POST", _LOGIN, body, headers)
            answer = connection.getresponse()
            answer.read()
            answers[str(answer.status)] += 1
            continue
        answers["broken"] += 1
        connection.close()


_FORM = "application/x-www-form-urlencoded"


def _address() -> str:
    return ".".join(str(random.randrange(1, 255)) for _ in range(4))


if __name__ == "__main__":
    main()

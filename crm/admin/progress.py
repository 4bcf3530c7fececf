"""How far an import got, as parts of a page that is sent meanwhile (`backoffice.turns`).

Between two parts the process serves its visitors. Leaving the page ends the work, which
`crm.imports.importing` does whole or not at all.
"""

import time
from collections.abc import Generator, Iterator
from typing import TypeVar

from django.template.loader import render_to_string

from backoffice.turns import give_way
from crm.imports.importing import Step

TEMPLATES = "admin/crm/crmrecord/"
_SECONDS_A_PART = 0.1
_Result = TypeVar("_Result")


def progress_parts(steps: Iterator[Step | _Result]) -> Generator[str, None, _Result]:
    """Yield a part for the steps of an import, ten a second; return its result."""
    last = 0.0
    turn = time.monotonic()
    for step in steps:
        if not isinstance(step, Step):
            return step
        if step.locked:
            continue
        turn = give_way(since=turn)
        if turn - last > _SECONDS_A_PART or not step.done:
            last = turn
            yield render_to_string(f"{TEMPLATES}import_step.html", {"step": step})
            turn = time.monotonic()  # however long the reader took
    raise AssertionError("an import ends with its result")

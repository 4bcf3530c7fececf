"""A page that is sent while its work is done, so that whoever waits sees how far it got.

It needs no script, no stored state and no process of its own: every part is one element, and the
style sheet shows only the last (`.parts`). Between two parts the process serves its visitors. Who
leaves the page ends the work, which `crm.imports` does whole or not at all.
"""

import time
from collections.abc import Generator, Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string

from crm.imports import ImportResult, Step
from crm.turns import give_way

_PLACE = "<!-- parts -->"
_SHOWN_EVERY = 0.1  # seconds


def page(
    *, request: HttpRequest, template: str, context: dict[str, Any], parts: Iterator[str]
) -> StreamingHttpResponse:
    """Return the page of `template`, in which `parts` come one after another at `place`."""
    whole = render_to_string(template, context | {"place": _PLACE}, request)
    opening, closing = whole.split(_PLACE)
    # The header: nginx would keep the parts back until it has them all.
    return StreamingHttpResponse(
        _sent(opening, parts, closing), headers={"X-Accel-Buffering": "no"}
    )


def shown(*, steps: Iterator[Step | ImportResult]) -> Generator[str, None, ImportResult]:
    """Yield a part for the steps of an import, ten a second; return its result."""
    last = 0.0
    turn = time.monotonic()
    for step in steps:
        if isinstance(step, ImportResult):
            return step
        if step.locked:
            continue
        turn = give_way(since=turn)
        if turn - last > _SHOWN_EVERY or not step.done:
            last = turn
            yield render_to_string("admin/crm/crmrecord/import_step.html", {"step": step})
            turn = time.monotonic()  # however long the reader took
    raise AssertionError("an import ends with its result")


def _sent(opening: str, parts: Iterator[str], closing: str) -> Iterator[str]:
    yield opening
    yield from parts
    yield closing

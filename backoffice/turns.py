"""Long work in a process that serves visitors meanwhile: taking turns with them, showing how far.

A page that is sent while its work is done needs no script, no stored state and no process of its
own: every part is one element, and the style sheet shows only the last (`.parts`).
"""

import time
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string

_PLACE = "<!-- parts -->"


def give_way(*, since: float) -> float:
    """Let others have the process for as long as we had it, from the monotonic time `since` on.

    Returns when our next turn began. Under gevent visitors share our thread; a sleep of 0 would
    give them one switch for each turn of ours, and an init makes a hundred. Never call it inside a
    transaction: on SQLite they would wait for our lock, and we for them.
    """
    time.sleep(time.monotonic() - since)
    return time.monotonic()


def streamed(
    *, request: HttpRequest, template: str, context: dict[str, Any], parts: Iterator[str]
) -> StreamingHttpResponse:
    """Return the page of `template`, with `parts` one after another where it says ``place``.

    Leaving the page ends `parts` where they are.
    """
    whole = render_to_string(template, context | {"place": _PLACE}, request)
    opening, closing = whole.split(_PLACE)

    def content() -> Iterator[str]:  # a generator: closing it closes `parts` at once
        yield opening
        yield from parts
        yield closing

    # The header: nginx would keep the parts back until it has them all.
    return StreamingHttpResponse(content(), headers={"X-Accel-Buffering": "no"})

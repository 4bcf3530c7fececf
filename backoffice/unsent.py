"""What somebody had typed when their session ran out: it waits in the sign-in page's form.

Whoever then signs in finds it again where they typed it. Nothing of it is stored before that.
"""

from typing import Any

from django.http import HttpRequest

FIELD, LONGEST = "unsent", 500
_SESSION_KEY = "unsent"


def typed(request: HttpRequest) -> str:
    """Return the reason in a form that was sent; nothing for other requests."""
    return request.POST.get("reason", "")[:LONGEST] if request.method == "POST" else ""


def keep(request: HttpRequest, *, path: str) -> None:
    """Keep what came with the sign-in of `request`'s sender for the page at `path`."""
    remember(request, path=path, text=request.POST.get(FIELD, ""))


def remember(request: HttpRequest, *, path: str, text: str) -> None:
    """Keep `text` in the sender's session for the next form at `path`."""
    if text := text[:LONGEST]:
        request.session[_SESSION_KEY] = {"path": path.partition("?")[0], "text": text}


def take(request: HttpRequest) -> dict[str, Any]:
    """Return what was kept for the page that is asked for, once, as a form's first values."""
    kept = request.session.get(_SESSION_KEY)
    if not kept or kept["path"] != request.path:
        return {}
    del request.session[_SESSION_KEY]
    return {"reason": kept["text"]}

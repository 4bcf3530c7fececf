"""The page that asks before what cannot be undone, answered as a browser does."""

import re
from collections import defaultdict
from html import unescape
from typing import Any

from django.test import Client

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
ANSWERS = {
    "tick": {"confirm_tick": "on"},
    "word": {"confirm_word": "erase"},
    "delete": {"confirm_word": "delete"},
}


def confirm(
    browser: Client, path: str, form: dict[str, Any], *, answer: str = "tick", by: str = "post"
) -> Any:
    """Ask for something at `path`, answer the page that asks, and return what follows."""
    page = getattr(browser, by)(path, form)
    return browser.post(path, hidden(page) | ANSWERS[answer], follow=True)


def hidden(page: Any) -> dict[str, list[str]]:
    """Return what the form of a page sends along unseen, other than Django's own."""
    fields = defaultdict(list)
    for name, value in _HIDDEN.findall(page.content.decode()):
        if name != "csrfmiddlewaretoken":
            fields[unescape(name)].append(unescape(value))
    return dict(fields)

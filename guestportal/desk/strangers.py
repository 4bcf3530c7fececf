"""What somebody whom nobody knows may ask of the staff pages: little, not often, in turn.

Django reads a form to check its CSRF token before anybody is known: an upload of any size would
go through our memory or onto the disk. Here the form is looked at before that.
"""

import math
import time
from collections.abc import Callable
from typing import Any

from axes.models import AccessAttempt, AccessAttemptExpiration, AccessFailureLog, AccessLog
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.shortcuts import render
from gevent.monkey import is_module_patched

from guestportal.api.body import FORM_LIMIT, is_too_large, length_of
from guestportal.api.limits import client_address, wait_for_turn
from guestportal.api.middleware import wants_our_shape
from guestportal.desk.hashers import Busy

# For each client address, right or wrong. A password's hash takes half a second of a core.
SIGN_IN_RATE = "10/min"
# Of all strangers together, in one process.
PAGES_PER_SECOND = 20
MOST_SECONDS = 3.0
_BUSY_SECONDS = 5
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_FORM_TYPES = ("", "application/x-www-form-urlencoded")


class StrangersMiddleware:
    """Let strangers wait for one another; refuse what is no small form, and too many sign-ins."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if wants_our_shape(request) or admin.site.has_permission(request) or _is_its_turn():
            return self.get_response(request)
        return _refusal(503, "Too many people are here just now. Please try again.")

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Look at a form before Django reads it."""
        if request.method in _SAFE or wants_our_shape(request):
            return None
        match = request.resolver_match
        if match is not None and match.view_name == "admin:login":
            return _limited(request) or _unfit(request)
        return None if admin.site.has_permission(request) else _unfit(request)

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        """Ask to come again where too many passwords are being checked."""
        if not isinstance(exc, Busy):
            return None
        return _page(request, 503, "Too many people are signing in just now.", _BUSY_SECONDS)


class Pace:
    """So many pages a second for all strangers together: each is milliseconds of the loop."""

    def __init__(self) -> None:
        self._next = 0.0

    def turn(self, *, now: float) -> float | None:
        """Take a turn at the monotonic time `now`: in how many seconds it is; None for no turn."""
        wait = max(0.0, self._next - now)
        if wait > MOST_SECONDS:
            return None
        self._next = now + wait + 1 / PAGES_PER_SECOND
        return wait


_pace = Pace()


def forget_sign_in_attempts() -> int:
    """Delete what earlier releases wrote down of failed sign-ins; return how many rows."""
    models = (AccessAttemptExpiration, AccessAttempt, AccessFailureLog, AccessLog)
    deleted = 0
    with connection.cursor() as cursor:
        for model in models:  # by SQL: the ORM would load rows that robots made as large as a disk
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608
            deleted += cursor.rowcount
    return deleted


def _is_its_turn() -> bool:
    """Wait for a stranger's turn; tell whether there is one.

    Where there is none the answer waits too: at once it would only bring the next try.
    """
    if not is_module_patched("time"):
        return True  # a thread for each request: nobody waits for another
    wait = _pace.turn(now=time.monotonic())
    time.sleep(MOST_SECONDS if wait is None else wait)
    return wait is not None


def _limited(request: HttpRequest) -> HttpResponse | None:
    """Refuse an address that tries more often than SIGN_IN_RATE."""
    wait = wait_for_turn(name="sign-in", rate=SIGN_IN_RATE, client=client_address(request))
    if not wait:
        return None
    return _page(request, 429, "Too many sign-ins came from your network.", math.ceil(wait))


def _unfit(request: HttpRequest) -> HttpResponse | None:
    """Refuse what is no small form, whole and in time."""
    if request.content_type not in _FORM_TYPES:
        return _refusal(415, "Only a plain form is taken here.")
    length = length_of(request.META)
    if length is None or length > FORM_LIMIT:
        return _refusal(413, "That is too much for a form.")
    try:
        request.body  # noqa: B018  (read here, it is read for all who come after)
    except UnreadablePostError as exc:
        if is_too_large(exc):
            return _refusal(413, "That is too much for a form.")
        return _refusal(400, "The form is incomplete.")
    return None


def _refusal(status: int, sentence: str) -> HttpResponse:
    response = HttpResponse(f"{sentence}\n", status=status, content_type="text/plain")
    response["Cache-Control"] = "no-store"
    if status == 503:
        response["Retry-After"] = str(_BUSY_SECONDS)
    return response


def _page(request: HttpRequest, status: int, sentence: str, seconds: int) -> HttpResponse:
    """Return a page that says when to come again."""
    context = {"sentence": sentence, "seconds": seconds}
    response = render(request, "admin/locked_out.html", context, status=status)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    return response

"""The demo chat page at ``/``: consent, a guest, and what went over the wire. Development only."""

from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from guestportal import webchat
from guestportal.loopback import is_loopback


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """Show the page. Raises Http404 unless DEBUG is on."""
    if not settings.DEBUG:
        raise Http404
    # The page sets faults and reads the call list at the sandbox itself, which lets loopback in.
    sandbox = _sandbox()
    return csp_update({"connect-src": [sandbox]} if sandbox else {})(_render)(request)


def _render(request: HttpRequest) -> HttpResponseBase:
    context = {"sandbox": _sandbox(), "version": webchat.VERSION}
    return render(request, "guestportal/demo.html", context)


def _sandbox() -> str:
    """Return the sandbox's origin, or nothing where the platform is not on loopback."""
    url = urlsplit(settings.GENESYS_BASE_URL)
    return f"{url.scheme}://{url.netloc}" if is_loopback(host=url.hostname or "") else ""

"""Pages for people that say what went wrong. Programs, under /api/, get the contract's JSON."""

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import render_to_string

from guestportal.api.errors import error_response
from guestportal.api.middleware import wants_our_shape

logger = logging.getLogger(__name__)


def forbidden(request: HttpRequest, exception: Any) -> HttpResponseBase:
    """Answer 403."""
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Any) -> HttpResponseBase:
    """Answer 404."""
    return _answer(request, 404)


def broken(request: HttpRequest) -> HttpResponseBase:
    """Answer 500."""
    return _answer(request, 500)


def forged(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer 403 to a form that another page may have sent."""
    return _answer(request, 403, "403_csrf.html")


def _answer(request: HttpRequest, status: int, template: str = "") -> HttpResponseBase:
    if wants_our_shape(request):
        return error_response(status=status)
    try:
        page = render_to_string(template or f"{status}.html")
    except (ValueError, TemplateDoesNotExist, TemplateSyntaxError) as exc:
        # ValueError: the static files that it names are not collected.
        logger.error("the page for %d cannot be shown: %s", status, type(exc).__name__)
        return HttpResponse(f"{status}\n", status=status, content_type="text/plain")
    return HttpResponse(page, status=status)

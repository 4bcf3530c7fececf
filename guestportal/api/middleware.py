"""What is settled before a view is reached: probes, request id, host, origin, size, error shape."""

import math
import re
import uuid
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

from backoffice import pages
from guestportal.api.body import body_limit, is_too_large, length_of
from guestportal.api.errors import error_response
from guestportal.api.limits import client_address, wait_for_turn
from guestportal.api.parser import INCOMPLETE
from guestportal.api.request_ids import holds_session
from guestportal.environment.addresses import normal_host
from guestportal.environment.addresses import origin as normal_origin
from guestportal.watch.health import PROBES
from guestportal.watch.logs import request_id
from provisioning import metrics

ORIGIN_NOT_ALLOWED = (403, "origin_not_allowed", "Pages of that origin may not call us.")
NOTICE_PATH = "/api/webchat/notice"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ProbeMiddleware:
    """Answer the three probe addresses: a probe comes by address and over plain http."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info)
        if probe is None or request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        response = probe(request)
        response["Cache-Control"] = "no-store"
        return response


class RequestIdMiddleware:
    """Give every request two ids.

    One is the client's, or made for it: in the answer, whichever layer makes that, on the log
    lines, in the row. The other is always made here, for the audit events: what stands there stands
    there for good, and a client may send anything.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        current = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        reset = request_id.set(current)
        try:
            request.META["REQUEST_ID"] = current  # where views read them
            request.META["EVENT_REQUEST_ID"] = uuid.uuid4().hex
            response = self.get_response(request)
            response["X-Request-ID"] = request.META["REQUEST_ID"]
            return response
        finally:
            request_id.reset(reset)


class ApiMiddleware:
    """Refuse early what is foreign or too large, and word every error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = _refusal(request) or self.get_response(request)
        return _reshape(response) if _is_foreign_error(request, response) else response


class WebchatMiddleware:
    """Take a webchat call straight to its view.

    What follows in the list is for people in a browser (session, account, form, message, content
    policy); a webchat call has none of it, and walking through all of them took a tenth of an init.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/webchat/"):
            return self.get_response(request)
        # Counted before the body is waited for; answered and logged under an id that may be told.
        wait = _wait(request) if _is_for_pages(request) else 0.0
        try:
            _replace_telling_id(request)
        except UnreadablePostError as exc:
            if is_too_large(exc):
                return error_response(status=413)
            return error_response(status=400, error=INCOMPLETE)
        if wait:
            return _too_often(request, wait)
        request.resolver_match = match = _view_at(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs).render()
        if response.status_code != 304:  # it would be that of the 200 (RFC 9110, section 8.6)
            response["Content-Length"] = str(len(response.content))
        return response


@lru_cache(maxsize=64)  # nearly all of them go to one
def _view_at(path: str) -> ResolverMatch:
    """Return the view at `path`. Raises Resolver404."""
    return resolve(path)


def _replace_telling_id(request: HttpRequest) -> None:
    """Replace a client's request id that holds the session id, before anything is logged.

    Also where the body will be refused. Raises UnreadablePostError.
    """
    given = request.META["REQUEST_ID"]
    if request.headers.get("X-Request-ID") == given and holds_session(given, body=request.body):
        request.META["REQUEST_ID"] = made = uuid.uuid4().hex
        request_id.set(made)


def _wait(request: HttpRequest) -> float:
    """Count the call; return the seconds that its client has to wait, by INIT_RATE.

    Reading the notice is counted apart: whoever looks at many pages can still start a chat.
    """
    name = "inbound" if request.method == "POST" else "notice"
    return wait_for_turn(name=name, rate=settings.INIT_RATE, client=client_address(request))


def _too_often(request: HttpRequest, wait: float) -> HttpResponse:
    metrics.answered(call=_name_of_call(request), outcome="rate_limited", seconds=0)
    response = error_response(status=429)
    response["Retry-After"] = str(math.ceil(wait))
    return response


def _name_of_call(request: HttpRequest) -> str:
    """Return what logs and metrics call the call: never a text of the client's."""
    try:
        found = _view_at(request.path_info)
    except Resolver404:
        return "unknown"
    return (found.url_name or "unknown").removeprefix("webchat-")


def _is_for_pages(request: HttpRequest) -> bool:
    """Tell whether origin rule and INIT_RATE hold: for each POST, and for reading the notice."""
    if request.path_info == NOTICE_PATH:
        return request.method != "OPTIONS"
    return request.method == "POST" and request.path_info.startswith("/api/webchat/")


def wants_our_shape(request: HttpRequest) -> bool:
    """Tell whether the contract's error shape holds at this address."""
    return f"{request.path_info}/".startswith("/api/")


def _refusal(request: HttpRequest) -> HttpResponse | None:
    try:
        host = _host(request)
    except DisallowedHost:
        # Django would log a traceback for what is a client's mistake, and answer in HTML.
        if wants_our_shape(request):
            return error_response(status=400, error="This service does not answer to that Host.")
        return HttpResponseBadRequest("Bad Request: unknown Host\n", content_type="text/plain")
    # Django compares the admin's own origin with it, and redirects there.
    request.META["HTTP_HOST"] = host
    # A webchat call looks for nothing by its address or cookies.
    unusable = not request.path_info.startswith("/api/webchat/") and pages.holds_nul(request)
    if not wants_our_shape(request):
        return pages.refusal() if unusable else None
    if unusable:
        return error_response(status=400)
    if _is_for_pages(request):
        origin = request.headers.get("Origin")
        if origin is not None and not _may_call(origin, f"{request.scheme}://{host}"):
            status, code, sentence = ORIGIN_NOT_ALLOWED
            return error_response(status=status, code=code, error=sentence)
    length = length_of(request.META)
    if length is None:
        return error_response(status=400)
    return error_response(status=413) if length > body_limit(request.path_info) else None


def _host(request: HttpRequest) -> str:
    """Return the Host in its normal form. Raises DisallowedHost."""
    given = request.get_host()
    if given in settings.ALLOWED_HOSTS:  # where each stands in its normal form
        return given
    return normal_host(given, scheme=request.scheme or "http")


def _may_call(origin: str, ours: str) -> bool:
    if origin == ours or origin in settings.CORS_ALLOWED_ORIGINS:
        return True
    try:
        return normal_origin(origin) in {ours, *settings.CORS_ALLOWED_ORIGINS}
    except ValueError:
        return False


def _is_foreign_error(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Tell an error page of Django's (404, 500, its debug pages too) from an answer of ours."""
    return (
        response.status_code >= 400
        and wants_our_shape(request)
        and not response.get("Content-Type", "").startswith("application/json")
    )


def _reshape(response: HttpResponseBase) -> HttpResponse:
    return error_response(status=response.status_code)

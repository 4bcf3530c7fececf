"""One shape for every error under /api/: ``{"error", "code", "requestId"}`` (contract, section 3).

An exception says its status and code itself (DRF's ``APIException``); this module only words
DRF's and Django's own, and never repeats a parser's or a database's text.
"""

import logging
import math
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from guestportal.api.parser import BodyTooLarge
from guestportal.watch.logs import request_id

logger = logging.getLogger(__name__)

# status -> (code, sentence), for refusals that Django or DRF made
GENERIC: dict[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is not valid."),
    401: ("unauthenticated", "Authentication is required."),
    403: ("forbidden", "This account may not do that."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    406: ("not_acceptable", "This service answers with application/json."),
    413: (BodyTooLarge.default_code, BodyTooLarge.default_detail),
    415: ("unsupported_media_type", "The request body must be application/json."),
    429: ("rate_limited", "Too many requests from this address."),
    500: ("internal_error", "Something went wrong on our side."),
    503: ("storage_unavailable", "The service cannot record requests right now."),
}
STORAGE_RETRY_SECONDS = 5


def error_body(*, code: str, error: str, fields: Any = None) -> dict[str, Any]:
    """Return the contract's error object."""
    body = {"error": error, "code": code, "requestId": request_id.get()}
    return body | ({"fields": fields} if fields else {})


def error_response(*, status: int, code: str = "", error: str = "") -> JsonResponse:
    """Return an error answer from outside a DRF view; without `code`, the generic one."""
    generic_code, sentence = GENERIC.get(status, GENERIC[500 if status >= 500 else 400])
    body = error_body(code=code or generic_code, error=error or sentence)
    response = JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
    # Django's middleware that would say it may not have been reached.
    response["Content-Length"] = str(len(response.content))
    return response


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a view raised into the contract's answer; None lets a bug be a bug."""
    if isinstance(exc, DatabaseError | InterfaceError):
        # The class alone: a driver's message may quote the row.
        logger.error("storage unavailable: %s", type(exc).__name__)
        exc = StorageUnavailable()
    if isinstance(exc, SuspiciousOperation):
        # Django would answer the same, but log a traceback for what is a client's mistake.
        exc = exceptions.ParseError(GENERIC[400][1])
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    response.data = _describe(exc, response.status_code)
    response["Cache-Control"] = "no-store"
    wait = getattr(exc, "wait", None)
    if wait is not None:
        response["Retry-After"] = str(max(1, math.ceil(wait)))
    return response


class StorageUnavailable(exceptions.APIException):
    """Our own database did not take the row; nothing was sent to the platform."""

    status_code = 503
    default_code, default_detail = GENERIC[503]
    wait = STORAGE_RETRY_SECONDS


def _describe(exc: Exception, status: int) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        return _describe_fields(exc)
    if isinstance(exc, exceptions.APIException) and type(exc).__module__ != exceptions.__name__:
        return error_body(code=exc.default_code, error=str(exc.detail))
    code, error = GENERIC.get(status, GENERIC[400])
    if isinstance(exc, exceptions.ParseError):
        error = str(exc.detail)  # our parser's sentence
    return error_body(code=code, error=error)


def _describe_fields(exc: exceptions.ValidationError) -> dict[str, Any]:
    detail = exc.detail if isinstance(exc.detail, dict) else {"non_field_errors": exc.detail}
    fields = {name: [str(text) for text in texts] for name, texts in detail.items()}
    first = next(iter(fields.values()))[0]
    fields.pop("non_field_errors", None)
    return error_body(code="invalid_request", error=first, fields=fields)

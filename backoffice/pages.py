"""Staff pages asked for with values that no query can hold: 400 in the place of a traceback.

An address or a form may say anything: U+0000, which PostgreSQL has in no text; a key that is none;
a number or a date beyond what a column holds. Django's lists and actions hand most of it to the
database, which refuses it by an exception.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponseBadRequest, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

Page = Callable[..., HttpResponseBase]

# What Django and the drivers raise for a value; a bug that raises one is logged with its traceback.
_UNUSABLE = (
    DataError, IncorrectLookupParameters, OverflowError, RecursionError, ValidationError,
    ValueError,
)  # fmt: skip
logger = logging.getLogger(__name__)


def refusal() -> HttpResponseBadRequest:
    """Return the answer to a request that holds a value nothing can be done with."""
    sentence = "Bad Request: it holds a value that cannot be looked for or stored.\n"
    return HttpResponseBadRequest(sentence, content_type="text/plain")


def holds_nul(request: HttpRequest) -> bool:
    """Tell whether address or cookies hold U+0000: a session is looked for by a cookie, too."""
    query = request.META.get("QUERY_STRING", "")
    texts = (request.path_info, query.replace("%00", "\0"), *request.COOKIES.values())
    return any("\0" in text for text in texts)


def usable(page: Page) -> Page:
    """Wrap a staff `page`, for whoever may see it: values it cannot use are refused with 400."""

    @functools.wraps(page)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # A page without Django's own check of forms takes them in its own way: an upload.
        form = QueryDict() if getattr(page, "csrf_exempt", False) else request.POST
        if any("\0" in text for name in form for text in (name, *form.getlist(name))):
            return refusal()
        try:
            response = page(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse):
                response.render()  # a form shows again what it was given
            return response
        except _UNUSABLE:
            logger.exception("a staff page was asked for with a value it cannot use")
            return refusal()

    return wrapped

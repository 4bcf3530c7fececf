"""The pages of a sign-in by the identity provider: start, callback, and leaving again."""

import logging
import math
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from backoffice import unsent
from guestportal.api.limits import client_address, wait_for_turn
from guestportal.signin import accounts, kept_tokens, pending, person, policy, provider
from guestportal.signin.failures import SIGN_INS, SignInFailed, report

# Of one address, which may be an office at nine: each start asks the provider twice.
_RATE = "60/min"
_LONGEST_CODE = 8_192
_ID_TOKEN = "sealed_id_token"  # noqa: S105  (where the session holds it)
_BACKEND = "django.contrib.auth.backends.ModelBackend"
logger = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Send a browser to the provider.

    A form, which holds what was typed before a session ran out, is answered with a page that leads
    there: the content policy lets none end at another origin.
    """
    _require_oidc()
    wait = wait_for_turn(name="sign-in-start", rate=_RATE, client=client_address(request))
    if wait:
        return _too_often(request, wait)
    try:
        found = provider.discover()
        begun = pending.begin(request, redirect_uri=_absolute(request, "sign-in-callback"))
        url = found.authorization_url(
            redirect_uri=begun.redirect_uri,
            state=begun.state,
            nonce=begun.nonce,
            verifier=begun.verifier,
        )
        found.require_registered(url, redirect_uri=begun.redirect_uri)
    except SignInFailed as failure:
        return _failed(request, failure)
    if request.method == "POST":
        response = render(request, "admin/sign_in_elsewhere.html", {"url": url})
    else:
        response = HttpResponseRedirect(url)
    pending.keep(response, begun)
    return response


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Sign in whom the provider sends back."""
    _require_oidc()
    try:
        begun = pending.take(request)
        found = provider.discover()
        who = person.just_signed_in(
            provider=found,
            code=_code(request, found),
            verifier=begun.verifier,
            nonce=begun.nonce,
            redirect_uri=begun.redirect_uri,
        )
        user = accounts.admit(person=who)
    except SignInFailed as failure:
        return _failed(request, failure)
    login(request, user, backend=_BACKEND)
    policy.mark(request)
    request.session[_ID_TOKEN] = kept_tokens.sealed(who.tokens.id_token)
    unsent.remember(request, path=begun.path, text=begun.unsent)
    SIGN_INS.labels("signed_in").inc()
    response = HttpResponseRedirect(begun.path)
    pending.drop(response)
    return response


def sign_out(request: HttpRequest) -> HttpResponse | None:
    """Sign out here and at the provider who came in by it; None for everybody else.

    By a page that leads there: the content policy lets no form end at another origin.
    """
    if request.method != "POST" or not policy.is_by_provider(request):
        return None
    id_token = kept_tokens.opened(request.session.get(_ID_TOKEN, ""))
    user: Any = request.user
    kept_tokens.forget(user_id=user.pk)
    logout(request)
    url = ""
    try:
        back_to = _absolute(request, "admin:login")
        url = provider.discover().end_session_url(id_token=id_token, back_to=back_to)
    except SignInFailed as failure:
        logger.warning("not signed out at the provider: %s", failure.sentences.operator)
    return render(request, "admin/signed_out.html", {"end_session_url": url})


def _require_oidc() -> None:
    if settings.ADMIN_LOGIN == "password":
        raise Http404


def _code(request: HttpRequest, found: provider.Provider) -> str:
    """Return the code of a callback. Raises SignInFailed."""
    if error := request.GET.get("error"):
        known = provider.known_error(error)
        raise SignInFailed("cancelled" if known == "access_denied" else "provider_error", known)
    issuer = request.GET.get("iss")
    if issuer != settings.OIDC_ISSUER and (issuer or found.names_itself_in_answers):
        raise SignInFailed("token", "the callback's iss")  # RFC 9207, 2.4
    codes = request.GET.getlist("code")
    if len(codes) != 1 or not 0 < len(codes[0]) <= _LONGEST_CODE:
        raise SignInFailed("nonsense", "a callback without a code")
    return codes[0]


def _absolute(request: HttpRequest, name: str) -> str:
    return request.build_absolute_uri(reverse(name))


def _failed(request: HttpRequest, failure: SignInFailed) -> HttpResponse:
    report(failure, counter=SIGN_INS)
    said = failure.sentences
    context = {"sentence": said.person, "request_id": request.META.get("REQUEST_ID", "")}
    response = render(request, "admin/sign_in_failed.html", context, status=said.status)
    if said.status == 503:
        response["Retry-After"] = "60"
    pending.drop(response)
    return response


def _too_often(request: HttpRequest, wait: float) -> HttpResponse:
    seconds = math.ceil(wait)
    context = {"sentence": "Too many sign-ins came from your network.", "seconds": seconds}
    response = render(request, "admin/locked_out.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response

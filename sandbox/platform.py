"""The platform as its clients meet it: routes, bearer tokens, rate, scopes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from sandbox import answers
from sandbox.guests import Guests
from sandbox.oauth import GUEST_SCOPE, TOKEN_SCOPE, AccessTokens, OAuthRules, bearer_token
from sandbox.ratelimit import RateLimit
from sandbox.wire import Answer, Request


@dataclass(frozen=True)
class PlatformRules:
    """How this platform is set up. `rate_per_minute` 0 is no limit."""

    oauth: OAuthRules = field(default_factory=OAuthRules)
    guests_path: str = "/api/v2/webchat/v1/guests"
    rate_per_minute: int = 0
    refuse_declined: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Which endpoint a path is: `oauth`, `guests`, `tokens`, or `other` for none of them."""

    endpoint: str
    guest_id: str = ""


class Platform:
    """Answers the calls. Used from one thread: the server's event loop."""

    def __init__(
        self, *, rules: PlatformRules, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._guests_path = rules.guests_path
        self._tokens = AccessTokens(rules=rules.oauth, clock=clock)
        self._limit = RateLimit(rules.rate_per_minute, clock)
        self._guests = Guests(refuse_declined=rules.refuse_declined)

    def route(self, *, path: str) -> Route:
        """Return the endpoint a path leads to."""
        if path == "/oauth/token":
            return Route("oauth")
        if path == self._guests_path:
            return Route("guests")
        prefix, suffix = f"{self._guests_path}/", "/tokens"
        guest_id = path.removeprefix(prefix).removesuffix(suffix)
        if path == prefix + guest_id + suffix and "/" not in guest_id:
            return Route("tokens", unquote(guest_id))
        return Route("other")

    def answer(self, *, request: Request, route: Route) -> Answer:
        """Do what a call asks for and return the platform's answer."""
        if route.endpoint == "other":
            return answers.error(404, "not.found", "The requested resource does not exist.")
        if request.method != "POST":
            return answers.error(405, "method.not.allowed", "Use POST.", headers={"Allow": "POST"})
        if route.endpoint == "oauth":
            return self._tokens.issue(request=request)
        return self._answer_api(request, route)

    def revoke_tokens(self) -> int:
        """Make every access token invalid; return how many there were."""
        return self._tokens.revoke_all()

    def forget(self) -> None:
        """Forget guests and used-up rate. Access tokens stay good."""
        self._guests.forget()
        self._limit.forget()

    def _answer_api(self, request: Request, route: Route) -> Answer:
        token = bearer_token(request=request)
        grant = self._tokens.find(token=token or "")
        if grant is None:
            return answers.unauthenticated(given=token is not None)
        quota = self._limit.draw(client_id=grant.client_id)
        scope = GUEST_SCOPE if route.endpoint == "guests" else TOKEN_SCOPE
        if quota.retry_after is not None:
            answer = answers.too_many_requests(retry_after=quota.retry_after)
        elif scope not in grant.scopes:
            answer = answers.missing_scope(scope)
        else:
            answer = self._operate(request, route)
        if not quota.headers:
            return answer
        return replace(answer, headers={**answer.headers, **quota.headers})

    def _operate(self, request: Request, route: Route) -> Answer:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.body and content_type != "application/json":
            return answers.error(415, "unsupported.media.type", "Send application/json.")
        if route.endpoint == "guests":
            return self._guests.create(body=request.body)
        return self._guests.issue_token(guest_id=route.guest_id, body=request.body)

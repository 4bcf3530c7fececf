"""What a platform is to the sandbox, and what all platforms share: tokens, rate, permissions.

A platform is a folder beside this module with a class that keeps the protocol `Platform`, and one
line in `options.PLATFORMS`. All stand behind one token endpoint and one rate for each client.
"""

import re
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from sandbox.errors import error, too_many_requests, unauthenticated
from sandbox.oauth import AccessTokens, bearer_token
from sandbox.ratelimit import RateLimit
from sandbox.wire import Answer, Request


@dataclass(frozen=True, slots=True)
class Permission:
    """A scope that a client must have been granted; `refuse` answers one that was not."""

    scope: str
    refuse: Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One call that is taken. `endpoint` is its name in fault scripts and statistics.

    `handle` gets the request and the groups of `path`, unquoted. A call without a permission needs
    no token and counts against no rate. Where it `creates_guests`, the `id` of a 201 is a guest's,
    or the contact's that stands for one.
    """

    endpoint: str
    path: re.Pattern[str]
    handle: Callable[..., Answer]
    permission: Permission | None = None
    method: str = "POST"
    creates_guests: bool = False


class Platform(Protocol):
    """One API of the vendor, with what it remembers."""

    endpoints: tuple[str, ...]
    scopes: tuple[str, ...]  # granted to a client that asks for none

    @staticmethod
    def add_arguments(*, add: Callable[..., object]) -> None:
        """Declare this platform's options; `add` is `ArgumentParser.add_argument`."""

    def __init__(self, *, options: Namespace) -> None: ...

    @property
    def routes(self) -> Sequence[Route]:
        """The calls it takes."""

    def forget(self) -> None:
        """Forget what it was told."""


class Platforms:
    """Answers the calls to every platform. Used from one thread: the server's event loop."""

    def __init__(self, *, platforms: Sequence[type[Platform]], options: Namespace) -> None:
        every_scope = [scope for platform in platforms for scope in platform.scopes]
        self.endpoints = endpoints(platforms=platforms)
        self.tokens = AccessTokens(options=options, every_scope=every_scope)
        self._limit = RateLimit(options.rate_per_minute, time.monotonic, burst=options.burst)
        self._platforms = [platform(options=options) for platform in platforms]
        routes = [route for platform in self._platforms for route in platform.routes]
        token_path = re.compile("(?:/login)?/oauth/token")  # the vendor's SDK behind a gateway
        self._routes = [Route("oauth", token_path, self.tokens.issue), *routes]

    def find(self, *, request: Request) -> Route | None:
        """Return the route that a request takes: of its path, and its method where one has it."""
        found = self._of_path(request)
        found.sort(key=lambda route: route.method != request.method)
        return found[0] if found else None

    def answer(self, *, request: Request, route: Route | None) -> Answer:
        """Do what a call asks for and return the platform's answer."""
        if route is None:
            return error(404, "not.found", "The requested resource does not exist.")
        if request.method != route.method:
            allowed = ", ".join(other.method for other in self._of_path(request))
            message, headers = f"Use {allowed}.", {"Allow": allowed}
            return error(405, "method.not.allowed", message, headers=headers)
        if route.permission is None:
            return _handle(request, route)
        return self._answer_with_token(request, route, route.permission)

    def forget(self) -> None:
        """Forget what the platforms were told, and used-up rate. Access tokens stay good."""
        for platform in self._platforms:
            platform.forget()
        self._limit.forget()

    def _of_path(self, request: Request) -> list[Route]:
        return [route for route in self._routes if route.path.fullmatch(request.path)]

    def _answer_with_token(self, request: Request, route: Route, needed: Permission) -> Answer:
        token = bearer_token(request=request)
        grant = self.tokens.find(token=token or "")
        if grant is None:
            return unauthenticated(given=token is not None)
        quota = self._limit.draw(client_id=grant.client_id)
        if quota.retry_after is not None:
            answer = too_many_requests(retry_after=quota.retry_after)
        elif needed.scope not in grant.scopes:
            answer = needed.refuse(needed.scope)
        elif request.body and request.content_type != "application/json":
            answer = error(415, "unsupported.media.type", "Send application/json.")
        else:
            answer = _handle(request, route)
        return answer.with_headers(quota.headers)


def endpoints(*, platforms: Sequence[type[Platform]]) -> list[str]:
    """Return the names that a fault script may use."""
    return ["oauth", *(name for platform in platforms for name in platform.endpoints)]


def _handle(request: Request, route: Route) -> Answer:
    found = route.path.fullmatch(request.path)
    return route.handle(request, *(unquote(part) for part in (found.groups() if found else ())))

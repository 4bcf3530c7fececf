"""A second platform finds its place: a class with routes, and one more in the list."""

import re
from argparse import Namespace
from collections.abc import Callable

from sandbox.errors import error
from sandbox.faults import parse_script
from sandbox.guest_api.guests import GuestApi
from sandbox.platforms import Permission, Platforms, Route, endpoints
from sandbox.service import Service
from sandbox.wire import Answer, Request

OPTIONS = Namespace(
    client_id=None,
    client_secret=None,
    grant_scopes=None,
    token_seconds=60,
    rate_per_minute=60,
    burst=0,
    guests_path="/guests",
    refuse_declined=False,
)
CREDENTIALS = b"grant_type=client_credentials&client_id=i&client_secret=s"
EDIT = Permission("note:edit", lambda scope: error(403, "missing.permissions", scope))


class Notes:
    """A platform of two calls to one path, of which one needs a permission."""

    endpoints: tuple[str, ...] = ("read", "edit")
    scopes: tuple[str, ...] = ("note:edit",)

    @staticmethod
    def add_arguments(*, add: Callable[..., object]) -> None:
        """It has no options."""

    def __init__(self, *, options: Namespace) -> None:
        path = re.compile("/notes/([^/]+)")
        self.routes = (
            Route("read", path, self.read, method="GET"),
            Route("edit", path, self.edit, EDIT, method="PUT"),
        )
        self.notes: dict[str, bytes] = {}

    def read(self, request: Request, name: str) -> Answer:
        return Answer(200, self.notes.get(name, b"").decode())

    def edit(self, request: Request, name: str) -> Answer:
        self.notes[name] = request.body
        return Answer(200, {})

    def forget(self) -> None:
        self.notes.clear()


def platforms(**changes: object) -> Platforms:
    options = Namespace(**{**vars(OPTIONS), **changes})
    return Platforms(platforms=(GuestApi, Notes), options=options)


def ask(both: Platforms, method: str, path: str, body: bytes = b"", token: str = "") -> Answer:
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = Request(method, path, "", "HTTP/1.1", headers, b"", body)
    return both.answer(request=request, route=both.find(request=request))


def token(both: Platforms) -> str:
    return str(ask(both, "POST", "/oauth/token", CREDENTIALS).content["access_token"])


def test_serves_both_with_one_token_and_one_rate() -> None:
    both = platforms()
    granted = token(both)

    guest = ask(both, "POST", "/guests", b"{}", granted)
    edited = ask(both, "PUT", "/notes/a%20b", b"text", granted)
    refused = ask(both, "PUT", "/notes/a%20b", b"other", granted)

    assert (guest.status, edited.status, refused.status) == (400, 200, 429)
    assert edited.headers["inin-ratelimit-count"] == "2"
    assert ask(both, "GET", "/notes/a b").content == "text"


def test_tells_calls_to_one_path_by_their_method() -> None:
    refused = ask(platforms(), "DELETE", "/notes/a")

    assert (refused.status, refused.headers["Allow"]) == (405, "GET, PUT")


def test_refuses_in_the_words_of_the_platform_a_client_that_lacks_its_permission() -> None:
    both = platforms(grant_scopes=["webchat:guest:write"])

    refused = ask(both, "PUT", "/notes/a", b"{}", token(both))

    assert (refused.status, refused.content["code"]) == (403, "missing.permissions")


def test_a_fault_script_may_name_its_endpoints_and_a_reset_reaches_it() -> None:
    both = platforms()
    rule = b'[{"kind": "status", "status": 418, "endpoint": "read"}]'
    faults = parse_script(text=rule, endpoints=endpoints(platforms=(GuestApi, Notes)))
    service = Service(platforms=both, latency=0, faults=faults)
    ask(both, "PUT", "/notes/a", b"text", token(both))

    outcome = service.handle(request=Request("GET", "/notes/a", "", "HTTP/1.1", {}, b""))
    service.handle(request=Request("POST", "/_sandbox/reset", "", "HTTP/1.1", {}, b""))

    assert outcome.answer is not None
    assert outcome.answer.status == 418
    assert ask(both, "GET", "/notes/a").content == ""

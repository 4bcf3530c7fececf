"""Plain calls to the sandbox, as any client of the platform would make them."""

import base64
import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from tests.support.sandbox import Sandbox

GUESTS = "/api/v2/webchat/v1/guests"
GUEST = {
    "name": "Jane",
    "email": "jane.doe@example.com",
    "consentGiven": True,
    "consentType": "explicit",
    "attributes": {"crmTier": "Enterprise", "historicalTickets": 12},
}
FORM = {
    "grant_type": "client_credentials",
    "client_id": "an-id",
    "client_secret": "a-secret",
    "scope": "webchat:guest:write webchat:token:write",
}


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


def connect(sandbox: Sandbox, timeout: float = 10) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=timeout)


def call(
    sandbox: Sandbox,
    path: str,
    body: Any = None,
    *,
    method: str = "POST",
    timeout: float = 10,
    **headers: str,
) -> Reply:
    """Send JSON, or bytes as they are, on a connection of its own."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    names = {"Content-Type": "application/json"}
    names.update({name.replace("_", "-"): value for name, value in headers.items()})
    connection = connect(sandbox, timeout)
    try:
        connection.request(method, path, data, names)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


def ask_token(sandbox: Sandbox, form: dict[str, str], **headers: str) -> Reply:
    headers = {"Content_Type": "application/x-www-form-urlencoded", **headers}
    return call(sandbox, "/oauth/token", urlencode(form).encode(), **headers)


def bearer(sandbox: Sandbox, **form: str) -> str:
    token = ask_token(sandbox, {**FORM, **form}).json["access_token"]
    return f"Bearer {token}"


def make_guest(sandbox: Sandbox, authorization: str | None = None, **changes: Any) -> Reply:
    guest = {**GUEST, **changes}
    return call(sandbox, GUESTS, guest, Authorization=authorization or bearer(sandbox))


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()

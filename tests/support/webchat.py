"""The webchat API as a page calls it, through Django's test client."""

import hashlib
import json
from typing import Any

from django.test import Client

INIT = "/api/webchat/init"
SESSION = "a-browser-session"


def session_hash(session_id: str = SESSION) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


class Webchat:
    """A page. `post` sends any body; the other methods send what a careful page would."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """POST `body` (bytes and text as they are, else as JSON); header names with _ for -."""
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("Content-Type", "application/json")
        return self.client.post(path, content, content_type=kind, headers=named)

    def init(
        self, session_id: str = SESSION, *, headers: dict[str, str] | None = None, **fields: Any
    ) -> Any:
        """Ask for a guest; consent is stated unless `fields` say otherwise (None: omitted)."""
        body = {"sessionId": session_id, "consentGiven": True} | fields
        body = {name: value for name, value in body.items() if value is not None}
        return self.post(INIT, body, **headers or {})

    def token(self, guest_id: str, session_id: str = SESSION) -> Any:
        return self.post("/api/webchat/token", {"sessionId": session_id, "guestId": guest_id})

    def withdraw(self, session_id: str = SESSION) -> Any:
        return self.post("/api/webchat/consent/withdraw", {"sessionId": session_id})

"""The platform, stubbed where requests sends: it answers as told and keeps what it was sent."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import responses

BASE = "https://platform.example"
GUESTS = "/api/v2/webchat/v1/guests"

# What requests gives its callbacks, and what it takes back: status, headers, body (or raises).
Reply = tuple[int, dict[str, str], str]
Answer = Callable[[dict[str, Any]], Reply]


def says(status: int, body: Any = None, **headers: str) -> Answer:
    """Return an answer that is always the same; header names with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda sent: (status, named, text)


def breaks(exc: Exception) -> Answer:
    """Return an answer that never comes: requests raises `exc`."""

    def fail(sent: dict[str, Any]) -> Reply:
        raise exc

    return fail


@dataclass
class Platform:
    """What it was sent, by endpoint; `answers` may be replaced, one for each endpoint."""

    guests: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)  # guest ids
    oauth: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.answers |= {
            "oauth": says(200, {"access_token": "bearer-of-the-service", "expires_in": 86400}),
            "guests": self._new_guest,
            "tokens": self._new_token,
        }

    @property
    def calls(self) -> int:
        """Return how many calls came in, to whatever endpoint."""
        return self.oauth + len(self.guests) + len(self.tokens)

    def install(self, mock: responses.RequestsMock) -> None:
        """Stand in for the platform's three addresses."""
        guests = re.compile(rf"{BASE}{GUESTS}/[^/]+/tokens")
        for endpoint, url in (
            ("oauth", f"{BASE}/oauth/token"),
            ("tokens", guests),
            ("guests", f"{BASE}{GUESTS}"),
        ):
            mock.add_callback(responses.POST, url, callback=partial(self._receive, endpoint))

    def _receive(self, endpoint: str, request: Any) -> Reply:
        sent: dict[str, Any] = {}
        if endpoint == "oauth":
            self.oauth += 1
        elif endpoint == "guests":
            sent = json.loads(request.body)
            self.guests.append(sent)
        else:
            self.tokens.append(request.url.split("/")[-2])
        return self.answers[endpoint](sent)

    def _new_guest(self, sent: dict[str, Any]) -> Reply:
        guest = {
            "id": f"guest-{len(self.guests)}",
            "consentGiven": sent["consentGiven"],
            "consentType": sent["consentType"],
            "createdDate": "2026-11-22T12:00:00Z",
        }
        return 201, {}, json.dumps(guest)

    def _new_token(self, sent: dict[str, Any]) -> Reply:
        token = {
            "token": f"ephemeral-{len(self.tokens)}",
            "expires_at": "2026-11-22T13:00:00Z",
        }
        return 200, {}, json.dumps(token)

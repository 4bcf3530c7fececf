"""One call's way: to a platform or to the sandbox's controls, under the fault script, noted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from sandbox.errors import error
from sandbox.faults import NO_FAULT, Fault, FaultScript, InvalidFaultScript, parse_script
from sandbox.journal import Journal
from sandbox.platforms import Platforms
from sandbox.spoil import spoil
from sandbox.wire import Answer, Request

_CONTROL = "/_sandbox/"
_LOOPBACK = re.compile(r"https?://(127\.0\.0\.1|localhost)(:\d+)?")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to send, when (seconds from now) and how badly."""

    answer: Answer | None
    wait: float = 0
    fault: Fault = NO_FAULT


class Service:
    """Platforms, faults and journal together; `latency` is in seconds. Used from one thread."""

    def __init__(self, *, platforms: Platforms, latency: float, faults: Sequence[Fault]) -> None:
        self._platforms = platforms
        self._latency = latency
        self._first_faults = faults
        self._script = FaultScript(faults=faults)
        self._journal = Journal()

    def handle(self, *, request: Request) -> Outcome:
        """Do what a request asks for and return what becomes of its answer."""
        if request.path.startswith(_CONTROL):
            return Outcome(self._control(request))
        route = self._platforms.find(request=request)
        fault = self._script.next(endpoint=route.endpoint) if route else NO_FAULT
        done = self._platforms.answer(request=request, route=route) if fault.process else None
        shown = spoil(answer=done, fault=fault)
        created = route and route.creates_guests and done and done.status == 201
        self._journal.note(
            request=request,
            endpoint=route.endpoint if route else "other",
            status=shown.status if shown else None,
            fault=fault.kind or None,
            guest_id=done.content["id"] if done and created else None,
        )
        return Outcome(shown, self._latency + fault.seconds, fault)

    def _control(self, request: Request) -> Answer:
        """Serve tests and the demo page, which is another origin, but no page from elsewhere."""
        origin = request.headers.get("origin")
        if origin is None:
            return self._controlled(request)
        if not _LOOPBACK.fullmatch(origin):
            return error(403, "origin.not.allowed", "Only pages served from loopback may do this.")
        return self._controlled(request).with_headers({"Access-Control-Allow-Origin": origin})

    def _controlled(self, request: Request) -> Answer:
        match request.method, request.path.removeprefix(_CONTROL):
            case "GET", "calls":
                since = parse_qs(request.query).get("since", ["0"])[-1]
                number = int(since) if since.isdecimal() else 0
                return Answer(200, self._journal.calls(since=number))
            case "GET", "stats":
                return Answer(200, self._journal.stats())
            case "POST", "faults":
                return self._replace_faults(request.body)
            case "POST", "revoke":
                return Answer(200, {"revoked": self._platforms.tokens.revoke_all()})
            case "POST", "reset":
                return self._reset()
        return error(404, "not.found", "The sandbox has no such control.")

    def _replace_faults(self, text: bytes) -> Answer:
        try:
            faults = parse_script(text=text, endpoints=self._platforms.endpoints)
        except InvalidFaultScript as exc:
            return error(400, "invalid.faults", str(exc))
        self._script = FaultScript(faults=faults)
        return Answer(200, {"faults": len(faults)})

    def _reset(self) -> Answer:
        self._platforms.forget()
        self._journal = Journal()
        self._script = FaultScript(faults=self._first_faults)
        return Answer(200, {"reset": True})

"""One call's way: to the platform or the sandbox's controls, under the fault script, noted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

from sandbox.answers import error
from sandbox.faults import Fault, FaultScript, FaultScriptError, parse_script
from sandbox.journal import Journal
from sandbox.platform import Platform, Route
from sandbox.spoil import spoil
from sandbox.wire import Answer, Request

_CONTROL = "/_sandbox/"
_LOOPBACK = re.compile(r"https?://(127\.0\.0\.1|localhost)(:\d+)?")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to send, when (seconds from now) and how badly."""

    answer: Answer | None
    wait: float = 0
    fault: Fault | None = None


class Service:
    """Platform, faults and journal behind one door. Used from one thread."""

    def __init__(self, *, platform: Platform, latency: float, faults: Sequence[Fault]) -> None:
        self._platform = platform
        self._latency = latency
        self._first_faults = faults
        self._script = FaultScript(faults=faults)
        self._journal = Journal()

    def handle(self, *, request: Request) -> Outcome:
        """Do what a request asks for and return what becomes of its answer."""
        if request.path.startswith(_CONTROL):
            return Outcome(self._control(request))
        route = self._platform.route(path=request.path)
        fault = self._script.next(endpoint=route.endpoint)
        done = None
        if fault is None or fault.process:
            done = self._platform.answer(request=request, route=route)
        shown = spoil(answer=done, fault=fault) if fault else done
        self._journal.note(
            request=request,
            endpoint=route.endpoint,
            status=shown.status if shown else None,
            fault=fault.kind if fault else None,
            guest_id=_created_guest(route, done),
        )
        return Outcome(shown, self._latency + (fault.seconds if fault else 0), fault)

    def _control(self, request: Request) -> Answer:
        """Serve tests and the demo page, which is another origin, but no page from elsewhere."""
        origin = request.headers.get("origin")
        if origin is None:
            return self._controlled(request)
        if not _LOOPBACK.fullmatch(origin):
            return error(403, "origin.not.allowed", "Only pages served from loopback may do this.")
        allowed = {"Access-Control-Allow-Origin": origin}
        return replace(self._controlled(request), headers=allowed)

    def _controlled(self, request: Request) -> Answer:
        match request.method, request.path.removeprefix(_CONTROL):
            case "GET", "calls":
                since = parse_qs(request.query).get("since", ["0"])[-1]
                return Answer(
                    200, self._journal.calls(since=int(since) if since.isdecimal() else 0)
                )
            case "GET", "stats":
                return Answer(200, self._journal.stats())
            case "POST", "faults":
                return self._replace_faults(request.body)
            case "POST", "revoke":
                return Answer(200, {"revoked": self._platform.revoke_tokens()})
            case "POST", "reset":
                return self._reset()
        return error(404, "not.found", "The sandbox has no such control.")

    def _replace_faults(self, text: bytes) -> Answer:
        try:
            faults = parse_script(text=text)
        except FaultScriptError as exc:
            return error(400, "invalid.faults", str(exc))
        self._script = FaultScript(faults=faults)
        return Answer(200, {"faults": len(faults)})

    def _reset(self) -> Answer:
        self._platform.forget()
        self._journal = Journal()
        self._script = FaultScript(faults=self._first_faults)
        return Answer(200, {"reset": True})


def _created_guest(route: Route, answer: Answer | None) -> str | None:
    created = answer is not None and route.endpoint == "guests" and answer.status == 201
    return answer.content["id"] if answer and created else None

"""The contract's error table where the platform is concerned: answer, row and audit event."""

import json
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import pytest
import requests

from audit.models import AuditEvent
from provisioning.models import GuestCreation
from tests.support.platform import Answer, Platform, breaks, says
from tests.support.webchat import Webchat

SCOPE = {"message": "Forbidden", "status": 403, "cause": "missing scope webchat:guest:write"}
DETAILS = {
    "message": "Jane's address is bad",
    "code": "bad.request",
    "status": 400,
    "contextId": "context-7",
}


@dataclass(frozen=True)
class Case:
    """What the platform does at `endpoint`; the answer's status and code; the row's status."""

    endpoint: str
    answer: Answer = field(repr=False)
    status: int
    code: str
    row: str

    def __str__(self) -> str:
        return f"{self.endpoint}-{self.code}-{self.row}"


def never_connected() -> Exception:
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


CASES = [
    Case("guests", says(400, DETAILS), 502, "platform_rejected", "failed"),
    Case("guests", says(403, {"message": "no"}), 502, "platform_rejected", "failed"),
    Case("guests", says(404), 502, "platform_rejected", "failed"),
    Case("guests", says(401), 502, "platform_credentials", "failed"),
    Case("guests", says(403, SCOPE), 502, "platform_credentials", "failed"),
    Case("guests", says(200, "<html>"), 502, "platform_protocol", "unknown"),
    Case("guests", says(200, {"id": "../../admin"}), 502, "platform_protocol", "unknown"),
    Case("guests", says(302, Location="https://e.example"), 502, "platform_protocol", "unknown"),
    Case("guests", says(429, Retry_After="60"), 503, "platform_busy", "failed"),
    Case("guests", says(500), 503, "platform_unavailable", "unknown"),
    # A stub has no phase, and what nobody told of may have arrived (test_phases.py has the rest).
    Case("guests", breaks(never_connected()), 503, "platform_unavailable", "unknown"),
    Case("guests", breaks(requests.ConnectionError("x")), 503, "platform_unavailable", "unknown"),
    Case("guests", breaks(requests.ReadTimeout()), 504, "platform_timeout", "unknown"),
    Case("tokens", says(404), 502, "platform_rejected", "guest_created"),
    Case("tokens", says(403, SCOPE), 502, "platform_credentials", "guest_created"),
    Case("tokens", says(200, {"token": ""}), 502, "platform_protocol", "guest_created"),
    Case("tokens", says(503), 503, "platform_unavailable", "guest_created"),
    Case("tokens", breaks(requests.ReadTimeout()), 504, "platform_timeout", "guest_created"),
    Case("oauth", says(401, {"error": "invalid_client"}), 502, "platform_credentials", "failed"),
    Case("oauth", says(200, {"access_token": ""}), 502, "platform_protocol", "failed"),
    Case("oauth", says(500), 503, "platform_unavailable", "failed"),
]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest, platform: Platform, settings: Any) -> Case:
    settings.GENESYS_MAX_ATTEMPTS = 1
    platform.answers[request.param.endpoint] = request.param.answer
    return request.param


def test_words_every_failure_of_the_platform(
    case: Case, webchat: Webchat, caplog: pytest.LogCaptureFixture
) -> None:
    answer = webchat.init()

    assert (answer.status_code, answer.json()["code"]) == (case.status, case.code)
    assert list(answer.json()) == ["error", "code", "requestId"]
    assert ("Retry-After" in answer.headers) == (case.status == 503)
    assert answer.headers["Cache-Control"] == "no-store"
    assert not [record for record in caplog.records if record.exc_info]


def test_writes_down_what_became_of_the_guest(case: Case, webchat: Webchat) -> None:
    webchat.init()

    row = GuestCreation.objects.get()
    assert (row.status, row.error_code, row.overdue_at) == (case.row, case.code, None)
    last = AuditEvent.objects.latest("id")
    made = case.row == "guest_created"
    assert last.kind == ("token.failed" if made else f"guest.{case.row}")
    assert json.loads(last.body)["data"]["code"] == case.code


@pytest.mark.parametrize(
    ("named", "kept"), [("webchat:guest:write", "webchat:guest:write"), ("jane:doe", "")]
)
def test_tells_operators_the_scope_that_is_missing(
    named: str, kept: str, webchat: Webchat, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    platform.answers["guests"] = says(403, {**SCOPE, "cause": f"missing scope {named}"})

    webchat.init()

    assert named in caplog.text
    assert GuestCreation.objects.get().platform_code == kept
    assert "jane" not in "".join(AuditEvent.objects.values_list("body", flat=True))


def test_hands_on_nothing_of_the_platform_s_words(webchat: Webchat, platform: Platform) -> None:
    platform.answers["guests"] = says(400, DETAILS)

    text = webchat.init().content.decode()

    assert "Jane" not in text
    assert "bad.request" not in text
    assert "context-7" not in text


def test_keeps_what_a_reviewer_needs_to_ask_the_vendor(
    webchat: Webchat, platform: Platform
) -> None:
    platform.answers["guests"] = says(400, DETAILS)

    webchat.init()

    row = GuestCreation.objects.get()
    assert (row.platform_status, row.platform_code) == (400, "bad.request")
    assert row.correlation_id == "context-7"


def test_tells_the_page_when_to_come_back(webchat: Webchat, platform: Platform) -> None:
    platform.answers["guests"] = says(429, Retry_After="60")

    seconds = int(webchat.init().headers["Retry-After"])

    assert 55 <= seconds <= 61


def test_understands_a_retry_after_that_is_a_date(webchat: Webchat, platform: Platform) -> None:
    in_a_minute = formatdate(time.time() + 60, usegmt=True)
    platform.answers["guests"] = says(429, {}, Retry_After=in_a_minute)

    reply = webchat.init()

    assert reply.json()["code"] == "platform_busy"
    assert 55 <= int(reply["Retry-After"]) <= 60
    assert len(platform.guests) == 1


def test_leaves_a_failed_row_and_calls_nobody_while_the_gate_is_closed(
    webchat: Webchat, platform: Platform
) -> None:
    platform.answers["guests"] = says(429, Retry_After="60")
    webchat.init("first")
    calls = platform.calls

    answer = webchat.init("second")

    assert answer.json()["code"] == "platform_busy"
    assert platform.calls == calls
    assert GuestCreation.objects.latest("id").status == "failed"


def test_refuses_at_once_when_too_many_are_in_flight(
    webchat: Webchat, platform: Platform, settings: Any
) -> None:
    settings.MAX_IN_FLIGHT = 0

    answer = webchat.init()

    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert answer.headers["Retry-After"]
    assert platform.calls == GuestCreation.objects.count() == 0

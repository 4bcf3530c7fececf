"""`POST /api/webchat/token`: a fresh token for a guest of this very session."""

import pytest

from audit.models import AuditEvent
from provisioning.models import GuestCreation
from tests.support.platform import Platform, says
from tests.support.webchat import Webchat


@pytest.fixture
def guest(webchat: Webchat) -> str:
    return str(webchat.init().json()["guestId"])


def test_answers_guest_and_fresh_token_in_order(guest: str, webchat: Webchat) -> None:
    answer = webchat.token(guest)

    assert answer.status_code == 200
    assert list(answer.json().items()) == [
        ("guestId", guest),
        ("accessToken", "ephemeral-2"),
        ("expiresAt", "2026-11-22T13:00:00Z"),
    ]
    assert answer.headers["Cache-Control"] == "no-store"


def test_counts_and_records_the_token(guest: str, webchat: Webchat) -> None:
    webchat.token(guest)

    assert GuestCreation.objects.get().tokens_issued == 2
    assert AuditEvent.objects.filter(kind="token.issued").count() == 2


@pytest.mark.parametrize("asked", ["guest-99", "../guest-1", "guest-1/", "%"])
def test_knows_no_guest_that_it_did_not_make(
    asked: str, guest: str, webchat: Webchat, platform: Platform
) -> None:
    answer = webchat.token(asked)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert platform.tokens == [guest]


def test_gives_no_token_for_another_session_s_guest(
    guest: str, webchat: Webchat, platform: Platform
) -> None:
    answer = webchat.token(guest, session_id="somebody-else")

    assert answer.status_code == 404
    assert platform.tokens == [guest]


def test_gives_no_token_after_a_withdrawal(
    guest: str, webchat: Webchat, platform: Platform
) -> None:
    webchat.withdraw()

    answer = webchat.token(guest)

    assert (answer.status_code, answer.json()["code"]) == (403, "consent_declined")
    assert platform.tokens == [guest]


def test_gives_a_declined_visitor_a_token_too(webchat: Webchat) -> None:
    guest = webchat.init(consentGiven=False).json()["guestId"]

    assert webchat.token(guest).status_code == 200


def test_tells_of_the_platform_s_failure(guest: str, webchat: Webchat, platform: Platform) -> None:
    platform.answers["tokens"] = says(500)

    answer = webchat.token(guest)

    assert (answer.status_code, answer.json()["code"]) == (503, "platform_unavailable")
    assert GuestCreation.objects.get().status == "ready"


@pytest.mark.parametrize("body", [{"sessionId": "s"}, {"sessionId": "s", "guestId": 1}])
def test_needs_a_guest_id(body: dict[str, object], webchat: Webchat) -> None:
    answer = webchat.post("/api/webchat/token", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert list(answer.json()["fields"]) == ["guestId"]

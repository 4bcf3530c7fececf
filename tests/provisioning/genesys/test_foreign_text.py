"""What the platform says is text only after it was looked at: no 500, and no guest in no row."""

import json
from typing import Any

import pytest

from audit.models import AuditEvent
from provisioning.models import GuestCreation
from tests.support.platform import Platform, says
from tests.support.webchat import Webchat

HOSTILE = {
    "lone surrogate": "a\ud800b",
    "NUL": "a\x00b",
    "long": "9" * 5_000,
    "address": "jane.doe@example.com",
    "array": ["a\ud800b"],
    "object": {"a\x00": "\udfff"},
    "number of 400 digits": 10**400,
    "infinite": float("inf"),
    "true": True,
}
GUEST = {"id": "guest-1", "consentGiven": True, "consentType": "explicit"}
TOKEN = {"token": "ephemeral-1", "expires_at": "2026-11-22T13:00:00Z"}


def row() -> GuestCreation:
    return GuestCreation.objects.get()


def sealed() -> str:
    return "".join(AuditEvent.objects.values_list("body", flat=True))


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def value(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(autouse=True)
def once(settings: Any) -> None:
    settings.GENESYS_MAX_ATTEMPTS = 1


@pytest.mark.parametrize("name", ["consentType", "createdDate", "name", "consentGiven"])
def test_keeps_the_guest_whatever_is_said_beside_its_id(
    name: str, value: Any, webchat: Webchat, platform: Platform
) -> None:
    platform.answers["guests"] = says(201, GUEST | {name: value})

    answer = webchat.init()

    assert answer.status_code == 200
    assert row().guest_id == "guest-1"
    assert "jane" not in sealed() + row().echo_created_date + row().echo_consent_type


def test_takes_no_id_that_is_none(value: Any, webchat: Webchat, platform: Platform) -> None:
    platform.answers["guests"] = says(201, GUEST | {"id": value})

    answer = webchat.init()

    assert (answer.status_code, answer.json()["code"]) == (502, "platform_protocol")
    assert (row().status, row().guest_id) == ("unknown", "")


@pytest.mark.parametrize("name", ["expires_at", "token"])
def test_takes_no_token_that_is_none(
    name: str, value: Any, webchat: Webchat, platform: Platform
) -> None:
    if name == "token" and value in (HOSTILE["long"], HOSTILE["address"]):
        pytest.skip("a token may be any printable text")
    platform.answers["tokens"] = says(201, TOKEN | {name: value})

    answer = webchat.init()

    assert (answer.status_code, answer.json()["code"]) == (502, "platform_protocol")
    assert (row().status, row().guest_id) == ("guest_created", "guest-1")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("2026-11-22T13:00:00+01:00", "2026-11-22T13:00:00+01:00"),
        ("2026-11-22 13:00:00.5Z", "2026-11-22 13:00:00.5Z"),
        ("2026-W47-7T13:00:00Z", "2026-11-22T13:00:00Z"),
        ("20261122T130000+0100", "2026-11-22T12:00:00Z"),
        ("2026-11-22T13:00:00,5Z", "2026-11-22T13:00:00.500000Z"),
    ],
)
def test_hands_on_an_expiry_that_browsers_read(
    said: str, told: str, webchat: Webchat, platform: Platform
) -> None:
    platform.answers["tokens"] = says(201, TOKEN | {"expires_at": said})

    answer = webchat.init()

    assert answer.json()["expiresAt"] == row().token_expires_at == told


@pytest.mark.parametrize("said", ["00010101T000000+1400", "99991231T235959-1400", "2026-W99-9"])
def test_takes_no_expiry_beyond_all_time(said: str, webchat: Webchat, platform: Platform) -> None:
    platform.answers["tokens"] = says(201, TOKEN | {"expires_at": said})

    assert webchat.init().status_code == 502


@pytest.mark.parametrize("endpoint", ["guests", "tokens", "oauth"])
@pytest.mark.parametrize("status", [403, 500])
def test_words_a_refusal_whatever_it_says(
    endpoint: str, status: int, value: Any, webchat: Webchat, platform: Platform
) -> None:
    said = dict.fromkeys(("code", "contextId", "message", "cause", "error"), value)
    platform.answers[endpoint] = says(status, said)

    answer = webchat.init()

    assert answer.status_code in (502, 503)
    assert row().status in ("failed", "unknown", "guest_created")
    assert row().platform_code == ""
    assert "jane" not in sealed()


@pytest.mark.parametrize("name", ["expires_in", "scope", "token_type"])
def test_lives_with_any_lifetime(
    name: str, value: Any, webchat: Webchat, platform: Platform
) -> None:
    platform.answers["oauth"] = says(200, {"access_token": "bearer", name: value})

    assert webchat.init().status_code == 200


@pytest.mark.parametrize("code", ["Bad.Request", "bad request", "jane@example.com", "ä", "a" * 65])
def test_records_a_code_only_if_it_is_a_name(
    code: str, webchat: Webchat, platform: Platform
) -> None:
    platform.answers["guests"] = says(400, {"code": code})

    webchat.init()

    assert row().platform_code == ""
    assert code not in sealed()


@pytest.mark.parametrize("where", ["header", "body"])
def test_seals_a_correlation_id_only_as_a_digest(
    where: str, webchat: Webchat, platform: Platform
) -> None:
    said = {"contextId": "jane.doe"} if where == "body" else {}
    headers = {"ININ_Correlation_Id": "jane.doe"} if where == "header" else {}
    platform.answers["guests"] = says(400, said, **headers)

    webchat.init()

    assert row().correlation_id == "jane.doe"
    assert "jane.doe" not in sealed()
    event = json.loads(AuditEvent.objects.get(kind="guest.failed").body)
    assert len(bytes.fromhex(event["data"]["correlationDigest"])) == 32

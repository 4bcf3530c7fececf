"""What a stated, omitted or declined consent leads to, in each mode (contract, *Consent*)."""

import json
from typing import Any

import pytest

from audit.models import AuditEvent
from crm.models import AttributeMapping
from provisioning.models import GuestCreation
from tests.provisioning.consent.test_notices import published
from tests.support.factories import crm_record
from tests.support.platform import Platform, says
from tests.support.webchat import Webchat, session_hash

MODES = ["compat", "minimise", "strict"]


def consent_of_the_row() -> tuple[bool, str, str]:
    row = GuestCreation.objects.get()
    return row.consent_given, row.consent_type, row.consent_basis


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.CONSENT_MODE = request.param
    return str(request.param)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("kind", ["explicit", "implicit"])
def test_keeps_a_stated_consent_as_stated(
    mode: str, given: bool, kind: str, webchat: Webchat, platform: Platform
) -> None:
    published()

    webchat.init(consentGiven=given, consentType=kind, noticeVersion="2026-11")

    assert consent_of_the_row() == (given, kind, "stated")
    sent = platform.guests[0]
    assert (sent["consentGiven"], sent["consentType"]) == (given, kind)


@pytest.mark.parametrize(
    ("mode", "given", "basis"), [("compat", True, "assumed"), ("minimise", False, "omitted")]
)
def test_takes_silence_as_the_mode_says(
    mode: str, given: bool, basis: str, webchat: Webchat, platform: Platform, settings: Any
) -> None:
    settings.CONSENT_MODE = mode

    webchat.init(consentGiven=None)

    assert consent_of_the_row() == (given, "explicit", basis)
    assert platform.guests[0]["consentGiven"] is given


def test_refuses_silence_in_strict_mode(
    webchat: Webchat, platform: Platform, settings: Any
) -> None:
    settings.CONSENT_MODE = "strict"

    answer = webchat.init(consentGiven=None)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert list(answer.json()["fields"]) == ["consentGiven"]
    assert platform.calls == GuestCreation.objects.count() == 0


def test_records_the_basis_in_the_audit_log(webchat: Webchat) -> None:
    webchat.init(consentGiven=None)

    body = json.loads(AuditEvent.objects.get(kind="init.attempted").body)
    assert body["data"]["consent"]["basis"] == "assumed"


# --- Declined -----------------------------------------------------------------------------------


def test_sends_and_shows_nothing_of_a_visitor_who_declined(
    mode: str, webchat: Webchat, platform: Platform
) -> None:
    record = crm_record(previous_tickets=9_876_543, attributes={"segment": "retail-chain"})
    AttributeMapping.objects.create(
        target="segment", source_kind="attribute", source="segment", value_type="text", order=40
    )

    answer = webchat.init(consentGiven=False)

    out = json.dumps(platform.guests) + answer.content.decode()
    for value in (record.email, record.first_name, record.tier, "retail-chain", "9876543"):
        assert value not in out
    assert session_hash()[:8] not in out


def test_names_a_visitor_who_declined_at_random(webchat: Webchat, platform: Platform) -> None:
    crm_record()

    shown = [webchat.init(consentGiven=False).json()["crmAttributes"] for _ in range(2)]

    assert shown[0]["email"] == platform.guests[0]["email"]
    assert shown[0]["email"] != shown[1]["email"]
    assert shown[0] | {"email": ""} == {
        "email": "",
        "firstName": "Guest",
        "tier": "Unknown",
        "previousTickets": 0,
    }


@pytest.mark.parametrize("status", [400, 403, 422])
def test_says_consent_declined_when_the_platform_takes_no_such_guest(
    status: int, webchat: Webchat, platform: Platform
) -> None:
    platform.answers["guests"] = says(status, {"message": "consent required"})

    answer = webchat.init(consentGiven=False)

    assert (answer.status_code, answer.json()["code"]) == (403, "consent_declined")
    assert GuestCreation.objects.get().status == "refused"
    assert AuditEvent.objects.latest("id").kind == "guest.refused"


def test_blames_a_missing_scope_on_us_and_not_on_the_consent(
    webchat: Webchat, platform: Platform
) -> None:
    platform.answers["guests"] = says(403, {"cause": "missing scope webchat:guest:write"})

    answer = webchat.init(consentGiven=False)

    assert answer.json()["code"] == "platform_credentials"
    assert GuestCreation.objects.get().status == "failed"


def test_records_a_declined_consent_before_the_platform_is_called(
    webchat: Webchat, platform: Platform
) -> None:
    seen = []
    new_guest = platform.answers["guests"]

    def look(sent: dict[str, Any]) -> Any:
        seen.append(consent_of_the_row())
        return new_guest(sent)

    platform.answers["guests"] = look

    webchat.init(consentGiven=False)

    assert seen == [(False, "explicit", "stated")]

"""`POST /api/webchat/consent/withdraw`: as easy as giving it, and it holds at once."""

import json
from typing import Any

import pytest

from audit.models import AuditEvent
from provisioning.models import GuestCreation
from tests.support.factories import crm_record
from tests.support.platform import Platform
from tests.support.webchat import Webchat, session_hash


def test_counts_the_creations_that_this_call_withdrew(webchat: Webchat) -> None:
    webchat.init()
    webchat.init()

    answers = [webchat.withdraw().json() for _ in range(2)]

    assert answers == [{"withdrawn": 2}, {"withdrawn": 0}]
    assert not GuestCreation.objects.filter(withdrawn_at=None).exists()


def test_touches_no_other_session_and_no_declined_guest(webchat: Webchat) -> None:
    webchat.init("another")
    webchat.init(consentGiven=False)

    assert webchat.withdraw().json() == {"withdrawn": 0}
    assert not GuestCreation.objects.exclude(withdrawn_at=None).exists()


def test_records_the_withdrawal_in_the_audit_log(webchat: Webchat) -> None:
    webchat.init()

    webchat.withdraw()

    event = AuditEvent.objects.latest("id")
    assert event.kind == "consent.withdrawn"
    assert json.loads(event.body)["data"] == {"creations": 1}
    assert session_hash() not in event.body


def test_takes_silence_after_it_as_a_no(webchat: Webchat, platform: Platform) -> None:
    crm_record()
    webchat.withdraw()

    answer = webchat.init(consentGiven=None)

    row = GuestCreation.objects.get()
    assert (row.consent_given, row.consent_basis) == (False, "withdrawn")
    assert platform.guests[0]["consentGiven"] is False
    assert "Jane" not in answer.content.decode() + json.dumps(platform.guests)


def test_is_ended_by_a_consent_that_is_stated(webchat: Webchat) -> None:
    webchat.withdraw()
    webchat.init(consentGiven=True)

    webchat.init(consentGiven=None)

    bases = GuestCreation.objects.order_by("id").values_list("consent_basis", flat=True)
    assert list(bases) == ["stated", "assumed"]


def test_is_not_ended_by_a_no(webchat: Webchat) -> None:
    webchat.withdraw()
    webchat.init(consentGiven=False)

    webchat.init(consentGiven=None)

    assert GuestCreation.objects.latest("id").consent_basis == "withdrawn"


def test_leaves_withdrawn_guests_withdrawn_when_consent_is_stated_again(webchat: Webchat) -> None:
    guest = webchat.init().json()["guestId"]
    webchat.withdraw()

    webchat.init()

    assert webchat.token(guest).status_code == 403


def test_stops_an_init_whose_guest_is_being_made(webchat: Webchat, platform: Platform) -> None:
    new_guest = platform.answers["guests"]

    def withdraw_meanwhile(sent: dict[str, Any]) -> Any:
        webchat.withdraw()
        return new_guest(sent)

    platform.answers["guests"] = withdraw_meanwhile

    answer = webchat.init()

    assert (answer.status_code, answer.json()["code"]) == (403, "consent_declined")
    assert platform.tokens == []
    assert GuestCreation.objects.get().withdrawn_at


@pytest.mark.parametrize("body", [{}, {"sessionId": 1}, []])
def test_needs_a_session_id(body: Any, webchat: Webchat) -> None:
    answer = webchat.post("/api/webchat/consent/withdraw", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

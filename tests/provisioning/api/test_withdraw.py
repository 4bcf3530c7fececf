"""`POST /api/webchat/consent/withdraw`: as easy as giving it, and it holds at once."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from audit import log
from audit.models import AuditEvent
from provisioning import metrics
from provisioning.ledger.withdrawal import forget_unmet_withdrawals
from provisioning.models import GuestCreation, Withdrawal
from tests.support.factories import crm_record, row_counts
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


# --- Of a session that no creation is known of ----------------------------------------------------


def withdrawals() -> list[dict[str, Any]]:
    """Return what the log says of withdrawals."""
    return [
        json.loads(body)["data"]
        for body in AuditEvent.objects.filter(kind="consent.withdrawn")
        .order_by("id")
        .values_list("body", flat=True)
    ]


def test_writes_one_row_for_a_session_that_was_made_up(webchat: Webchat) -> None:
    webchat.withdraw("another")  # the first write of all notes which pepper it is by
    before = row_counts()

    answers = [webchat.withdraw() for _ in range(3)]

    assert [answer.json() for answer in answers] == [{"withdrawn": 0}] * 3
    assert row_counts() == before | {"provisioning_withdrawal": 2}


def test_remembers_the_latest_request_of_one_that_is_repeated(webchat: Webchat) -> None:
    webchat.withdraw()

    with time_machine.travel(timezone.now() + timedelta(days=399)):
        webchat.withdraw()
    with time_machine.travel(timezone.now() + timedelta(days=401)):
        assert forget_unmet_withdrawals() == 0


@pytest.mark.parametrize("given", [True, False, None])
def test_records_it_with_the_session_s_first_init(given: bool | None, webchat: Webchat) -> None:
    webchat.withdraw()
    asked_at = log.timestamp(Withdrawal.objects.get().withdrawn_at)
    assert withdrawals() == []

    for _ in range(2):
        webchat.init(consentGiven=given)

    assert withdrawals() == [{"creations": 0, "askedAt": asked_at}]
    kinds = AuditEvent.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds)[:2] == ["consent.withdrawn", "init.attempted"]
    assert Withdrawal.objects.exists() is (given is not True)


def test_does_not_record_it_for_an_init_that_comes_to_nothing(
    webchat: Webchat, settings: Any
) -> None:
    webchat.withdraw()
    settings.CONSENT_MODE = "strict"

    assert webchat.init(consentGiven=None).status_code == 400

    assert withdrawals() == []
    assert Withdrawal.objects.get().unmet_at


def test_forgets_400_days_later_one_that_no_init_has_met(webchat: Webchat) -> None:
    webchat.withdraw("made up")
    webchat.withdraw("met")
    webchat.init("met", consentGiven=False)
    webchat.init("known")
    webchat.withdraw("known")

    with time_machine.travel(timezone.now() + timedelta(days=399)):
        assert forget_unmet_withdrawals() == 0
    with time_machine.travel(timezone.now() + timedelta(days=400, minutes=1)):
        call_command("housekeeping", once=True)

    left = set(Withdrawal.objects.values_list("session_hash", flat=True))
    assert left == {session_hash("met"), session_hash("known")}


def test_forgets_one_that_a_clock_ahead_of_ours_has_dated(webchat: Webchat) -> None:
    now = timezone.now()
    with time_machine.travel(now + timedelta(days=4000)):
        webchat.withdraw()

    assert forget_unmet_withdrawals() == 0
    with time_machine.travel(now + timedelta(days=401)):
        assert forget_unmet_withdrawals() == 1


def test_counts_it_in_metrics(webchat: Webchat) -> None:
    before = metrics.UNMET_WITHDRAWALS._value.get()
    webchat.init("known")

    for session in ("made up", "made up", "known"):
        webchat.withdraw(session)

    assert metrics.UNMET_WITHDRAWALS._value.get() == before + 2


@pytest.mark.parametrize("body", [{}, {"sessionId": 1}, []])
def test_needs_a_session_id(body: Any, webchat: Webchat) -> None:
    answer = webchat.post("/api/webchat/consent/withdraw", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

"""Idempotency keys, reuse and resume: which earlier creation serves an init, and which does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import time_machine

from audit.models import AuditEvent
from crm import changes
from crm.models import AttributeMapping, CrmRecord
from provisioning.models import GuestCreation, IdempotencyKey
from tests.support.factories import crm_record
from tests.support.platform import Platform, breaks, says
from tests.support.webchat import Webchat

KEY = {"Idempotency_Key": "a-key-of-the-page"}


def later(**time: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(**time), tick=True)


def statuses() -> list[str]:
    return list(GuestCreation.objects.order_by("id").values_list("status", flat=True))


# --- Idempotency-Key ----------------------------------------------------------------------------


def test_answers_a_repeated_key_with_the_same_guest_and_a_fresh_token(webchat: Webchat) -> None:
    first, second = (webchat.init(headers=KEY).json() for _ in range(2))

    assert second["guestId"] == first["guestId"]
    assert second["accessToken"] != first["accessToken"]
    assert statuses() == ["ready"]


def test_repeats_the_first_answer_s_attributes_when_the_crm_has_changed(webchat: Webchat) -> None:
    crm_record()
    first = webchat.init(headers=KEY).json()
    CrmRecord.objects.update(first_name="Janet", tier="Gone")

    second = webchat.init(headers=KEY).json()

    assert second["crmAttributes"] == first["crmAttributes"]


def test_repeats_an_answer_from_before_secret_key_was_changed(
    webchat: Webchat, settings: Any
) -> None:
    first = webchat.init(headers=KEY)
    CrmRecord.objects.update(tier="Changed")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next key " * 5

    again = webchat.init(headers=KEY)

    assert again.json()["crmAttributes"] == first.json()["crmAttributes"]


def test_repeats_the_random_name_of_a_visitor_who_declined(webchat: Webchat) -> None:
    first, second = (webchat.init(consentGiven=False, headers=KEY).json() for _ in range(2))

    assert second["crmAttributes"] == first["crmAttributes"]


def test_records_a_repetition(webchat: Webchat) -> None:
    for _ in range(2):
        webchat.init(headers=KEY)

    assert AuditEvent.objects.filter(kind="guest.reused").count() == 1
    assert GuestCreation.objects.get().tokens_issued == 2


def test_refuses_a_key_with_another_body(webchat: Webchat, platform: Platform) -> None:
    webchat.init(headers=KEY)

    answer = webchat.init(consentType="implicit", headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert len(platform.guests) == 1


def test_scopes_a_key_by_session(webchat: Webchat) -> None:
    guests = {webchat.init(session, headers=KEY).json()["guestId"] for session in ("a", "b")}

    assert len(guests) == 2


def test_forgets_a_key_after_a_day(webchat: Webchat) -> None:
    webchat.init(headers=KEY)

    with later(hours=24, seconds=1):
        assert webchat.init(headers=KEY).json()["guestId"] == "guest-2"
    assert IdempotencyKey.objects.count() == 1


def test_keeps_a_key_for_a_day(webchat: Webchat) -> None:
    webchat.init(headers=KEY)

    with later(hours=23, minutes=59):
        assert webchat.init(headers=KEY).json()["guestId"] == "guest-1"


@pytest.mark.parametrize(
    ("fault", "status"),
    [(says(404), "failed"), (breaks(requests.ReadTimeout()), "unknown")],
)
def test_starts_anew_after_an_init_that_came_to_nothing(
    fault: Any, status: str, webchat: Webchat, platform: Platform
) -> None:
    works = platform.answers["guests"]
    platform.answers["guests"] = fault
    webchat.init(headers=KEY)
    platform.answers["guests"] = works

    answer = webchat.init(headers=KEY)

    assert answer.status_code == 200
    assert statuses() == [status, "ready"]


def test_mints_only_the_token_when_the_repeated_init_had_got_that_far(
    webchat: Webchat, platform: Platform
) -> None:
    works = platform.answers["tokens"]
    platform.answers["tokens"] = says(409)
    webchat.init(headers=KEY)
    platform.answers["tokens"] = works

    answer = webchat.init(headers=KEY)

    assert answer.json()["guestId"] == "guest-1"
    assert len(platform.guests) == 1


def test_says_in_progress_while_the_same_key_is_worked_on(
    webchat: Webchat, platform: Platform
) -> None:
    inner: list[Any] = []
    works = platform.answers["guests"]

    def init_again(sent: dict[str, Any]) -> Any:
        platform.answers["guests"] = works
        inner.append(webchat.init(headers=KEY))
        return works(sent)

    platform.answers["guests"] = init_again

    outer = webchat.init(headers=KEY)

    assert (inner[0].status_code, inner[0].json()["code"]) == (409, "in_progress")
    assert outer.status_code == 200
    assert len(platform.guests) == 1


def test_does_not_hand_out_a_withdrawn_guest_for_a_repeated_key(webchat: Webchat) -> None:
    webchat.init(headers=KEY)
    webchat.withdraw()

    answer = webchat.init(headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (403, "consent_declined")


def test_keeps_neither_the_key_nor_the_attributes_in_clear(webchat: Webchat) -> None:
    crm_record()

    webchat.init(headers=KEY)

    stored = repr(list(IdempotencyKey.objects.values()))
    assert KEY["Idempotency_Key"] not in stored
    assert "jane.doe" not in stored


# --- Resume: a guest of the last hour that got no token -----------------------------------------


@pytest.fixture
def resting(webchat: Webchat, platform: Platform) -> GuestCreation:
    """A guest whose token call failed."""
    works = platform.answers["tokens"]
    platform.answers["tokens"] = says(409)
    webchat.init()
    platform.answers["tokens"] = works
    return GuestCreation.objects.get()


def test_mints_the_token_on_the_same_row(
    resting: GuestCreation, webchat: Webchat, platform: Platform
) -> None:
    answer = webchat.init()

    assert answer.json()["guestId"] == resting.guest_id
    assert statuses() == ["ready"]
    assert len(platform.guests) == 1


def test_resumes_no_guest_older_than_an_hour(resting: GuestCreation, webchat: Webchat) -> None:
    with later(hours=1, seconds=1):
        webchat.init()

    assert statuses() == ["guest_created", "ready"]


@pytest.mark.parametrize("fields", [{"consentGiven": False}, {"consentType": "implicit"}])
def test_resumes_no_guest_of_another_consent(
    fields: dict[str, Any], resting: GuestCreation, webchat: Webchat
) -> None:
    webchat.init(**fields)

    assert statuses() == ["guest_created", "ready"]


def test_resumes_no_guest_after_a_withdrawal(resting: GuestCreation, webchat: Webchat) -> None:
    webchat.withdraw()

    answer = webchat.init()

    assert answer.json()["guestId"] != resting.guest_id
    assert statuses() == ["guest_created", "ready"]


def test_makes_a_new_guest_when_the_platform_has_forgotten_it(
    webchat: Webchat, platform: Platform
) -> None:
    works = platform.answers["tokens"]
    platform.answers["tokens"] = says(404)
    webchat.init()
    platform.answers["tokens"] = works

    assert webchat.init().json()["guestId"] == "guest-2"


# --- GUEST_REUSE_SECONDS ------------------------------------------------------------------------


@pytest.fixture
def reuse(settings: Any) -> None:
    settings.GUEST_REUSE_SECONDS = 600


def test_hands_out_the_same_guest_within_the_time_set(
    reuse: None, webchat: Webchat, platform: Platform
) -> None:
    first, second = (webchat.init().json() for _ in range(2))

    assert second["guestId"] == first["guestId"]
    assert second["accessToken"] != first["accessToken"]
    assert AuditEvent.objects.filter(kind="guest.reused").exists()


def test_makes_a_new_guest_once_the_time_is_over(reuse: None, webchat: Webchat) -> None:
    webchat.init()

    with later(seconds=601):
        assert webchat.init().json()["guestId"] == "guest-2"


def test_makes_a_new_guest_when_the_crm_record_has_changed(reuse: None, webchat: Webchat) -> None:
    crm_record()
    webchat.init()
    CrmRecord.objects.update(tier="Standard")

    assert webchat.init().json()["guestId"] == "guest-2"


def test_makes_a_new_guest_when_the_mappings_have_changed(reuse: None, webchat: Webchat) -> None:
    webchat.init()
    mapping = AttributeMapping.objects.get(target="crmTier")
    mapping.enabled = False
    changes.save_mapping(mapping=mapping, actor="staff:1")

    assert webchat.init().json()["guestId"] == "guest-2"


def test_makes_a_new_guest_for_another_consent(reuse: None, webchat: Webchat) -> None:
    webchat.init()

    assert webchat.init(consentGiven=False).json()["guestId"] == "guest-2"


def test_hands_out_no_guest_of_another_session(reuse: None, webchat: Webchat) -> None:
    assert webchat.init("a").json()["guestId"] != webchat.init("b").json()["guestId"]

"""Consent taken back: the platform is told, once, after whatever was under way."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from provisioning.follow_up.withdrawals import tell_withdrawals, waiting
from provisioning.models import GuestCreation, Status, Withdrawal
from provisioning.subjects.erasure import erase
from tests.provisioning.follow_up.later import after
from tests.sandbox.messenger.calls import ENRICH, ask
from tests.support.visitor import SESSION, Visitor, latest


def consents(visitor: Visitor) -> list[Any]:
    """Return the consents that the platform was told, in order."""
    calls = visitor.sandbox.calls(endpoint="enrich")
    return [call["body"]["contact"]["customFields"]["consent_given_checkbox"] for call in calls]


@pytest.fixture
def withdrawn(messenger: Visitor) -> Visitor:
    messenger.init(consentGiven=True)
    assert messenger.withdraw().json() == {"withdrawn": 1}
    return messenger


def test_the_visitor_s_answer_does_not_wait_for_the_platform(messenger: Visitor) -> None:
    messenger.init(consentGiven=True)
    messenger.sandbox.faults([{"kind": "hang"}])
    calls = len(messenger.sandbox.calls())

    assert messenger.withdraw().status_code == 200
    assert len(messenger.sandbox.calls()) == calls
    assert waiting() == 1


def test_tells_the_platform_and_looks_again_a_minute_later(withdrawn: Visitor) -> None:
    assert tell_withdrawals() == 1
    assert consents(withdrawn) == [True, False]

    assert tell_withdrawals() == 0
    assert after(tell_withdrawals, seconds=61) == 1

    assert consents(withdrawn) == [True, False]
    assert waiting() == 0


def test_tells_it_again_where_an_older_call_came_after_it(withdrawn: Visitor) -> None:
    tell_withdrawals()
    body = withdrawn.sandbox.calls(endpoint="enrich")[0]["body"]
    enrich_as_a_late_call(withdrawn, body)

    after(tell_withdrawals, seconds=61)

    assert consents(withdrawn) == [True, False, True, False]


def test_waits_for_an_init_that_is_under_way(withdrawn: Visitor) -> None:
    row = latest()
    busy = GuestCreation.objects.filter(id=row.id)
    busy.update(status=Status.PENDING, guest_id="", overdue_at=_soon())

    assert tell_withdrawals() == 0
    busy.update(status=Status.READY, guest_id=row.guest_id, overdue_at=None)

    assert tell_withdrawals() == 1
    assert consents(withdrawn) == [True, False]


def test_is_dropped_once_consent_was_stated_again(withdrawn: Visitor) -> None:
    withdrawn.init(consentGiven=True)

    assert tell_withdrawals() == 0
    assert consents(withdrawn) == [True, True]
    assert not Withdrawal.objects.exists()


def test_goes_on_where_a_crash_left_it(withdrawn: Visitor) -> None:
    withdrawn.sandbox.faults([{"endpoint": "enrich", "kind": "close", "process": True}])
    assert tell_withdrawals() == 0
    withdrawn.sandbox.faults([])

    assert tell_withdrawals() == 1
    assert consents(withdrawn)[-1] is False


def test_has_nothing_to_tell_of_a_visitor_who_declined(messenger: Visitor) -> None:
    messenger.init(consentGiven=False)
    messenger.withdraw()

    assert tell_withdrawals() == 1
    assert messenger.sandbox.calls() == []


def test_has_nothing_to_tell_of_a_contact_that_is_gone(withdrawn: Visitor) -> None:
    withdrawn.sandbox.reset()

    assert tell_withdrawals() == 1
    assert withdrawn.sandbox.count("enrich") == 0


def test_puts_off_what_the_platform_will_not_have(withdrawn: Visitor) -> None:
    withdrawn.init("another", consentGiven=True)
    withdrawn.withdraw("another")
    first = {"endpoint": "enrich", "call": 1, "kind": "status", "status": 400}
    withdrawn.sandbox.faults([first])

    assert tell_withdrawals() == 1
    assert after(tell_withdrawals, minutes=61) == 2


def test_tells_at_once_what_a_clock_a_year_ahead_has_put_off(withdrawn: Visitor) -> None:
    Withdrawal.objects.update(platform_due_at=timezone.now() + timedelta(days=365))

    assert tell_withdrawals() == 1
    assert consents(withdrawn) == [True, False]


def test_an_erasure_takes_what_was_due_with_it(withdrawn: Visitor) -> None:
    erase(session_hashes=[latest().session_hash], actor="staff:1")

    assert tell_withdrawals() == 0
    assert consents(withdrawn) == [True]


def test_tells_nobody_where_the_platform_has_no_call_for_it(visitor: Visitor) -> None:
    visitor.init(consentGiven=True)
    visitor.withdraw(SESSION)

    assert tell_withdrawals() == 0
    assert waiting() == 0


def enrich_as_a_late_call(visitor: Visitor, body: dict[str, Any]) -> None:
    assert ask(visitor.sandbox, ENRICH, body).status == 200


def _soon() -> Any:
    return timezone.now() + timedelta(seconds=5)

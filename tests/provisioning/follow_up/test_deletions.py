"""Guests of erased persons, deleted on the platform to the end."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from provisioning.follow_up.deletions import delete_on_platform
from provisioning.models import PlatformDeletion
from provisioning.subjects.erasure import erase, erase_expired
from tests.provisioning.follow_up.later import after
from tests.sandbox.messenger.calls import EXTERNAL, ask
from tests.sandbox.messenger.calls import contact as get_contact
from tests.support.visitor import Visitor, latest

ERROR = {"endpoint": "gdpr_status", "kind": "alter", "set": {"status": "ERROR"}}


def erase_latest() -> None:
    erase(session_hashes=[latest().session_hash], actor="staff:1")


def go_on_for(hours: int) -> int:
    """Have housekeeping look once an hour; return how many deletions were done."""
    return sum(after(delete_on_platform, hours=hour, minutes=1) for hour in range(hours + 1))


@pytest.fixture
def erased(messenger: Visitor) -> Visitor:
    """A page whose visitor was erased, with a contact on the platform."""
    messenger.init(consentGiven=True)
    erase_latest()
    return messenger


def deletion() -> PlatformDeletion:
    return PlatformDeletion.objects.get()


def test_asks_once_polls_by_the_hour_and_ends_when_the_contact_is_gone(erased: Visitor) -> None:
    contact = deletion().guest_id

    assert delete_on_platform() == 0
    assert deletion().state == "asked"
    assert delete_on_platform() == 0  # not due

    assert go_on_for(6) == 1

    row = deletion()
    assert (row.state, row.guest_id, row.subjects, row.request_id) == ("done", "", [], "")
    assert (row.done_by, row.done_at is not None) == ("system", True)
    assert erased.sandbox.count("gdpr") == 1
    assert contact_of(erased, contact) == 404


def test_asks_nothing_twice_where_housekeeping_is_killed_between_two_polls(
    erased: Visitor,
) -> None:
    delete_on_platform()
    erased.sandbox.faults([{"endpoint": "gdpr_status", "call": 1, "kind": "close"}])

    go_on_for(8)

    assert deletion().state == "done"
    assert erased.sandbox.count("gdpr") == 1


def test_says_of_a_contact_that_nobody_knows_that_it_is_done(erased: Visitor) -> None:
    erased.sandbox.reset()

    assert delete_on_platform() == 1
    assert erased.sandbox.count("gdpr") == 0


def test_repeats_an_error_a_day_later_three_times_and_then_waits_for_a_person(
    erased: Visitor,
) -> None:
    erased.sandbox.faults([ERROR])

    go_on_for(100)

    row = deletion()
    assert (row.state, row.errors, row.due_at) == ("error", 3, None)
    assert erased.sandbox.count("gdpr") == 3
    assert row.guest_id  # for the person who looks into it


def test_waits_for_a_person_where_a_request_never_ends(erased: Visitor) -> None:
    erased.sandbox.faults(
        [{"endpoint": "gdpr_status", "kind": "alter", "set": {"status": "SEARCHING"}}]
    )

    after(delete_on_platform, days=29)
    assert deletion().state == "asked"
    after(delete_on_platform, days=31)

    assert (deletion().state, deletion().due_at) == ("error", None)
    assert erased.sandbox.count("gdpr") == 1


def test_deletes_a_contact_that_a_completed_request_has_left(erased: Visitor) -> None:
    erased.sandbox.faults(
        [{"endpoint": "gdpr_status", "kind": "alter", "set": {"status": "COMPLETED"}}]
    )
    contact = deletion().guest_id

    assert go_on_for(2) == 1
    assert erased.sandbox.count("delete_contact") == 1
    assert contact_of(erased, contact) == 404


def test_deletes_what_the_contact_was_merged_with_too(messenger: Visitor) -> None:
    ids = [messenger.init(name, consentGiven=True).json()["guestId"] for name in ("one", "two")]
    merged = ask(messenger.sandbox, f"{EXTERNAL}/contacts/merge", {"contactIds": ids})
    erase_latest()

    go_on_for(20)

    assert deletion().state == "done"
    gone = [contact_of(messenger, each) for each in (*ids, merged.json["id"])]
    assert gone == [404, 404, 404]


def test_asks_once_for_a_contact_that_several_creations_name(messenger: Visitor) -> None:
    for _ in range(3):
        messenger.init(consentGiven=True)
    erase_latest()

    go_on_for(6)

    assert deletion().state == "done"
    assert messenger.sandbox.count("gdpr") == 1


def test_keeps_by_age_the_contact_that_a_younger_creation_names(
    messenger: Visitor, settings: Any
) -> None:
    settings.RETENTION_DAYS = 30
    first = messenger.init(consentGiven=True).json()["guestId"]
    second = after(lambda: messenger.init(consentGiven=True), days=29).json()["guestId"]
    assert first == second

    assert after(erase_expired, days=31) == 1

    assert not PlatformDeletion.objects.exists()
    assert after(erase_expired, days=60) == 1
    assert deletion().subjects == [f"contact:{second}"]


def test_asks_for_the_cookie_too_where_that_is_on(messenger: Visitor, settings: Any) -> None:
    settings.MESSENGER_ERASE_COOKIES = True
    token = messenger.init(consentGiven=False).json()["accessToken"]
    erase_latest()
    assert token not in str(deletion().subjects)  # computed again, never stored

    go_on_for(6)

    asked = messenger.sandbox.calls(endpoint="gdpr")[0]["body"]["subject"]
    assert asked == {"journeyCustomer": {"type": "cookie", "id": token}}
    assert deletion().state == "done"


def test_has_nothing_to_delete_of_a_visitor_who_declined(messenger: Visitor) -> None:
    messenger.init(consentGiven=False)
    erase_latest()

    assert not PlatformDeletion.objects.exists()


def test_looks_for_what_an_unknown_creation_may_have_made(
    messenger: Visitor, settings: Any
) -> None:
    settings.GENESYS_DEADLINE = 1.2
    messenger.sandbox.faults([{"endpoint": "enrich", "kind": "hang", "process": True}])
    messenger.init(consentGiven=True)
    messenger.sandbox.faults([])
    erase_latest()
    assert deletion().guest_id == ""

    go_on_for(8)

    assert deletion().state == "done"
    assert messenger.sandbox.count("gdpr") == 1


def test_leaves_the_contact_of_a_person_who_came_back(messenger: Visitor, settings: Any) -> None:
    settings.GENESYS_DEADLINE = 1.2
    messenger.sandbox.faults([{"endpoint": "enrich", "kind": "hang"}])
    messenger.init(consentGiven=True)
    messenger.sandbox.faults([])
    erase_latest()
    settings.GENESYS_DEADLINE = 10
    contact = after(lambda: messenger.init(consentGiven=True), seconds=5).json()["guestId"]

    go_on_for(8)

    assert deletion().state == "done"
    assert contact_of(messenger, contact) == 200


def test_deletes_a_contact_that_only_a_wrong_clock_dates_after_the_erasure(
    messenger: Visitor, settings: Any
) -> None:
    settings.GENESYS_DEADLINE = 1.2
    messenger.sandbox.faults([{"endpoint": "enrich", "kind": "hang", "process": True}])
    messenger.init(consentGiven=True)
    messenger.sandbox.faults([])
    after(erase_latest, hours=-1)  # our clock was an hour slow

    go_on_for(8)

    assert deletion().state == "done"
    assert messenger.sandbox.count("gdpr") == 1


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "x", 7])
def test_takes_any_date_of_a_contact_that_it_looked_for(
    date: object, messenger: Visitor, settings: Any
) -> None:
    settings.GENESYS_DEADLINE = 1.2
    messenger.sandbox.faults([{"endpoint": "enrich", "kind": "hang", "process": True}])
    messenger.init(consentGiven=True)
    erase_latest()
    settings.GENESYS_DEADLINE = 10
    messenger.sandbox.faults([{"endpoint": "lookup", "kind": "alter", "set": {"createDate": date}}])

    go_on_for(8)

    assert deletion().state == "done"


def test_takes_a_step_that_a_clock_a_year_ahead_has_put_off(erased: Visitor) -> None:
    PlatformDeletion.objects.update(
        due_at=timezone.now() + timedelta(days=365),
        requested_at=timezone.now() + timedelta(days=365),
    )

    go_on_for(6)

    assert deletion().state == "done"


def test_waits_no_year_longer_for_a_person_after_a_clock_that_ran_ahead(erased: Visitor) -> None:
    never = {"endpoint": "gdpr_status", "kind": "alter", "set": {"status": "SEARCHING"}}
    erased.sandbox.faults([never])
    PlatformDeletion.objects.update(requested_at=timezone.now() + timedelta(days=365))

    delete_on_platform()
    after(delete_on_platform, days=31)

    assert (deletion().state, deletion().due_at) == ("error", None)


def test_a_person_can_say_that_it_is_done(erased: Visitor, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{deletion().creation_id}\n"))

    call_command("platform_deletions", "--done", "--actor", "staff:1")

    assert (deletion().state, deletion().done_by) == ("done", "staff:1")
    assert delete_on_platform() == 0


def test_a_guest_of_the_guest_api_waits_for_a_person(visitor: Visitor) -> None:
    visitor.init(consentGiven=True)
    erase_latest()

    assert delete_on_platform() == 0
    assert (deletion().state, deletion().due_at) == ("waiting", None)


def contact_of(visitor: Visitor, contact_id: str) -> int:
    return get_contact(visitor.sandbox, contact_id).status

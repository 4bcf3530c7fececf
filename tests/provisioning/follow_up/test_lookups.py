"""Creations whose outcome is unknown: settled by a look, never by asking for the guest again."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from crm.sessions import hash_session
from provisioning.follow_up.lookups import settle_unknown
from provisioning.models import GuestCreation, PlatformDeletion
from tests.provisioning.follow_up.later import after
from tests.support.visitor import SESSION, Visitor, latest

LOST = {"endpoint": "enrich", "kind": "hang", "process": True}
NEVER_THERE = {"endpoint": "enrich", "kind": "hang"}


@pytest.fixture
def unknown(messenger: Visitor, settings: Any) -> Visitor:
    """Return a page whose inits end without an answer of the platform."""
    settings.GENESYS_DEADLINE = 1.2
    return messenger


def init_that_ends(visitor: Visitor, fault: dict[str, Any]) -> None:
    visitor.sandbox.faults([fault])
    assert visitor.init(consentGiven=True).status_code == 504
    visitor.sandbox.faults([])
    assert latest().status == "unknown"


def test_finds_the_guest_whose_answer_was_lost(unknown: Visitor) -> None:
    init_that_ends(unknown, LOST)
    made = unknown.sandbox.count("enrich")

    assert settle_unknown() == 1

    row = latest()
    assert (row.status, row.echo_consent_given) == ("guest_created", True)
    assert unknown.sandbox.count("enrich") == made
    assert unknown.token(row.guest_id).status_code == 200


def test_looks_anew_where_a_clock_a_year_ahead_has_dated_the_last_look(unknown: Visitor) -> None:
    init_that_ends(unknown, NEVER_THERE)
    GuestCreation.objects.update(looked_up_at=timezone.now() + timedelta(days=365))

    looks = [settle_unknown(), after(settle_unknown, seconds=30)]
    assert latest().status == "unknown"
    looks.append(after(settle_unknown, seconds=61))

    assert looks == [0, 0, 1]


def test_says_there_is_none_after_two_looks_a_minute_apart(unknown: Visitor) -> None:
    init_that_ends(unknown, NEVER_THERE)
    made = unknown.sandbox.count("enrich")

    looks = [settle_unknown(), after(settle_unknown, seconds=30)]
    assert latest().status == "unknown"
    looks.append(after(settle_unknown, seconds=61))

    assert looks == [0, 0, 1]
    row = latest()
    assert (row.status, row.error_code) == ("failed", "not_found")
    assert row.sent_fields  # they had left
    assert (unknown.sandbox.count("lookup"), unknown.sandbox.count("enrich")) == (2, made)


def test_records_what_it_found_and_not_where(unknown: Visitor) -> None:
    init_that_ends(unknown, LOST)

    settle_unknown()

    event = AuditEvent.objects.latest("id")
    assert event.kind == "guest.created"
    assert latest().guest_id not in json.dumps(event.body)


def test_leaves_what_another_platform_made(unknown: Visitor) -> None:
    init_that_ends(unknown, NEVER_THERE)
    GuestCreation.objects.update(platform="guest-api")

    assert settle_unknown() == 0
    assert unknown.sandbox.count("lookup") == 0


def test_waits_for_a_platform_that_takes_no_call(unknown: Visitor) -> None:
    init_that_ends(unknown, LOST)
    unknown.sandbox.faults([{"endpoint": "lookup", "kind": "status", "status": 503}])

    assert settle_unknown() == 0
    assert latest().looked_up_at is None


def test_keeps_the_lower_of_two_contacts_and_has_the_other_deleted(unknown: Visitor) -> None:
    first = unknown.init("another", consentGiven=True).json()["guestId"]
    row = latest()
    # As if two first inits at once had made a contact each.
    GuestCreation.objects.filter(id=row.id).update(session_hash=hash_session(session_id=SESSION))
    init_that_ends(unknown, LOST)

    settle_unknown()

    kept, extra = latest().guest_id, PlatformDeletion.objects.get()
    assert {kept, extra.guest_id} >= {min(kept, first)}
    assert kept == min(kept, extra.guest_id)
    assert extra.subjects == [f"contact:{extra.guest_id}"]


def test_keeps_the_sessions_keys_until_it_is_settled(unknown: Visitor, settings: Any) -> None:
    init_that_ends(unknown, LOST)
    settings.SESSION_HASH_PEPPER = "a pepper that is long enough for this, 0123"

    with pytest.raises(CommandError, match="let housekeeping settle them first"):
        call_command("rekey_sessions")

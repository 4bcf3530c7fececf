"""Which creation serves an init: the key's, one that rests, one to reuse, or a new one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from uuid_utils.compat import uuid7

from audit.models import AuditEvent
from crm.sessions import hash_session
from provisioning import ledger
from provisioning.consent.decision import Consent
from provisioning.ledger import ConsentWithdrawn, Intent, KeyInUse, KeyMismatch, Opened, Step
from provisioning.ledger.withdrawal import withdraw
from provisioning.models import GuestCreation, IdempotencyKey, Status, Withdrawal
from tests.support.visitor import events

pytestmark = pytest.mark.django_db

HASH = hash_session(session_id="a-session")
GIVEN = Consent(True, "explicit", "stated")
ASSUMED = Consent(True, "explicit", "assumed")
DECLINED = Consent(False, "explicit", "stated")
KEY = {"key_hash": "a-key", "body_hash": "a-body", "answer": "what was answered"}


def open_(consent: Consent = GIVEN, *, profile: bytes = b"profile", **fields: Any) -> Opened:
    """Open a creation for an init of the one session."""
    wanted = {
        "creation_id": uuid7(),
        "session_hash": HASH,
        "request_id": "a-request",
        "event_request_id": "0a" * 16,
        "consent": consent,
        "notice_version": "",
        "language": "",
        "gpc": False,
        "sending": ledger.Sending(profile, b"payload", ["name", "email"]),
    }
    return ledger.open_creation(intent=Intent(**wanted | fields))


def become(opened: Opened, status: Status, **fields: Any) -> Opened:
    """Let nobody work any more on what was opened, and leave it in this state."""
    GuestCreation.objects.filter(id=opened.entry.id).update(
        status=status, overdue_at=None, guest_id="a-guest", **fields
    )
    return opened


def later(**time: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(**time), tick=False)


@pytest.fixture
def reuse(settings: Any) -> None:
    settings.GUEST_REUSE_SECONDS = 600


# --- A new one ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("queued", "status"), [(False, "pending"), (True, "queued")])
def test_writes_a_row_and_its_event_before_anything_is_sent(queued: bool, status: str) -> None:
    opened = open_(queued=queued)

    row = GuestCreation.objects.get()
    (event,) = events("init.attempted")
    assert (opened.step, opened.entry.id) == (Step.CREATE, row.id)
    assert (row.status, row.session_hash, row.sent_fields) == (status, HASH, ["name", "email"])
    assert row.overdue_at is not None
    assert event["data"]["payloadDigest"] == row.payload_digest
    assert event["data"]["consent"]["basis"] == "stated"


@pytest.mark.parametrize("status", [Status.READY, Status.FAILED, Status.REFUSED, Status.UNKNOWN])
def test_a_settled_creation_serves_no_later_init(status: Status) -> None:
    become(open_(), status)

    assert open_().step is Step.CREATE


# --- The key comes first ------------------------------------------------------------------------


def test_a_repeated_key_leads_to_its_creation_and_what_was_answered() -> None:
    first = become(open_(**KEY), Status.READY)

    again = open_(**KEY)

    assert (again.step, again.entry.id) == (Step.TOKEN, first.entry.id)
    assert (again.entry.guest_id, again.answer) == ("a-guest", "what was answered")
    assert len(events("guest.reused")) == 1


def test_the_key_goes_before_a_later_creation(reuse: None) -> None:
    first = become(open_(**KEY), Status.READY)
    become(open_(profile=b"another"), Status.READY)

    assert open_(profile=b"another", **KEY).entry.id == first.entry.id


def test_a_key_with_another_body_is_refused_even_while_it_is_in_use() -> None:
    open_(**KEY)

    with pytest.raises(KeyMismatch):
        open_(**KEY | {"body_hash": "another"})


def test_a_key_in_use_is_refused() -> None:
    open_(**KEY)

    with pytest.raises(KeyInUse):
        open_(**KEY)


def test_a_key_whose_guest_was_withdrawn_states_no_new_consent() -> None:
    become(open_(**KEY), Status.READY)
    withdraw(session_hash=HASH, event_request_id="0b" * 16)

    with pytest.raises(ConsentWithdrawn):
        open_(**KEY)
    assert Withdrawal.objects.exists()


@pytest.mark.parametrize("status", [Status.FAILED, Status.UNKNOWN, Status.REFUSED])
def test_a_key_that_came_to_nothing_starts_anew_and_is_kept_for_the_new_one(
    status: Status,
) -> None:
    become(open_(**KEY), status)

    again = open_(**KEY)

    assert again.step is Step.CREATE
    assert IdempotencyKey.objects.get().creation_id == again.entry.id


def test_a_key_is_forgotten_after_a_day() -> None:
    become(open_(**KEY), Status.READY)

    with later(hours=24, seconds=1):
        assert open_(**KEY | {"body_hash": "another"}).step is Step.CREATE


# --- Then a withdrawal --------------------------------------------------------------------------


@pytest.fixture
def withdrawn() -> None:
    withdraw(session_hash=HASH, event_request_id="0b" * 16)


def test_a_stated_consent_ends_a_withdrawal(withdrawn: None) -> None:
    open_(GIVEN)

    assert not Withdrawal.objects.exists()


def test_an_assumed_consent_does_not(withdrawn: None) -> None:
    with pytest.raises(ConsentWithdrawn):
        open_(ASSUMED)

    assert not GuestCreation.objects.exists()
    assert Withdrawal.objects.exists()


def test_a_declined_one_is_opened_and_leaves_it_standing(withdrawn: None) -> None:
    assert open_(DECLINED).step is Step.CREATE
    assert Withdrawal.objects.exists()


# --- Then a guest that rests --------------------------------------------------------------------


def test_a_guest_without_a_token_is_resumed_whatever_the_crm_says_now() -> None:
    first = become(open_(), Status.GUEST_CREATED)

    again = open_(profile=b"another")

    assert (again.step, again.entry.id) == (Step.TOKEN, first.entry.id)


@pytest.mark.parametrize(
    ("change", "init"),
    [
        ({"withdrawn_at": datetime(2026, 1, 1, tzinfo=UTC)}, {}),
        ({"platform_status": 404}, {}),  # the platform has forgotten it
        ({}, {"consent": DECLINED}),
        ({}, {"consent": Consent(True, "implicit", "stated")}),
        ({}, {"notice_version": "2026-11"}),
    ],
)
def test_it_is_not_resumed_where_something_has_changed(
    change: dict[str, Any], init: dict[str, Any]
) -> None:
    become(open_(), Status.GUEST_CREATED, **change)

    assert open_(**init).step is Step.CREATE


def test_it_is_resumed_for_an_hour() -> None:
    become(open_(), Status.GUEST_CREATED)

    with later(minutes=59):
        assert open_().step is Step.TOKEN
    with later(hours=1, seconds=1):
        assert open_().step is Step.CREATE


def test_one_that_is_worked_on_is_not_taken_over() -> None:
    opened = open_()
    ledger.guest_created(
        entry=opened.entry, guest_id="a-guest", echo_given=None, echo_type=None, echo_created=""
    )

    assert open_().step is Step.CREATE


def test_a_resumed_guest_is_the_key_s_from_then_on() -> None:
    first = become(open_(), Status.GUEST_CREATED)

    open_(**KEY)

    assert IdempotencyKey.objects.get().creation_id == first.entry.id


# --- Then one to reuse --------------------------------------------------------------------------


def test_a_ready_guest_is_reused_under_the_same_crm_data(reuse: None) -> None:
    first = become(open_(), Status.READY)

    again, other = open_(), open_(profile=b"another")

    assert (again.step, again.entry.id) == (Step.TOKEN, first.entry.id)
    assert other.step is Step.CREATE


def test_it_is_reused_no_longer_than_is_set(reuse: None) -> None:
    become(open_(), Status.READY)

    with later(seconds=601):
        assert open_().step is Step.CREATE


def test_another_request_that_makes_the_guest_is_waited_for(reuse: None) -> None:
    first = open_()

    again = open_()

    assert (again.step, again.entry.id) == (Step.WAIT, first.entry.id)
    assert GuestCreation.objects.count() == 1


@pytest.mark.parametrize("fields", [KEY, {}], ids=["with a key", "without"])
def test_what_is_refused_writes_nothing(fields: dict[str, Any], withdrawn: None) -> None:
    written = AuditEvent.objects.count()

    with pytest.raises(ConsentWithdrawn):
        open_(ASSUMED, **fields)

    assert AuditEvent.objects.count() == written
    assert not IdempotencyKey.objects.exists()

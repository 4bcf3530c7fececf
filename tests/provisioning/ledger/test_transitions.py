"""What may become of a creation: which states each transition leaves, and the event it writes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from provisioning import ledger
from provisioning.ledger import Entry, Lost, Outcome, Sending
from provisioning.ledger.transactions import digest
from provisioning.models import GuestCreation, Status
from tests.support.factories import creation
from tests.support.visitor import events

pytestmark = pytest.mark.django_db

REQUEST = "0a" * 16
OUTCOME = Outcome("platform_unavailable", 503, "internal", "exchange-7")
SENDING = Sending(b"profile", b"payload", ["name"])
Transition = Callable[[Entry, GuestCreation], Any]


def guest_created(entry: Entry, row: GuestCreation | None = None, **fields: Any) -> bool:
    said = {"guest_id": "guest-new", "echo_given": True, "echo_type": "explicit"}
    return ledger.guest_created(entry=entry, **said | {"echo_created": ""} | fields)


def ready(entry: Entry, row: GuestCreation | None = None) -> None:
    ledger.ready(entry=entry, expires_at="2026-11-22T13:00:00Z")


def token_failed(entry: Entry, row: GuestCreation | None = None) -> None:
    ledger.token_failed(entry=entry, outcome=OUTCOME)


def start(entry: Entry, row: GuestCreation) -> None:
    ledger.start(entry=entry, session_hash=row.session_hash, sending=SENDING)


# Which states a transition may leave, its kind of event, and the state it leads to (None: as is).
TRANSITIONS: list[tuple[Transition, set[Status], str, Status | None]] = [
    (start, {Status.QUEUED}, "init.started", Status.PENDING),
    (
        guest_created,
        {Status.PENDING, Status.UNKNOWN},
        "guest.created",
        Status.GUEST_CREATED,
    ),
    (ready, {Status.GUEST_CREATED, Status.READY}, "token.issued", Status.READY),
    (token_failed, {Status.GUEST_CREATED, Status.READY}, "token.failed", None),
]
ALLOWED = [(t, s, kind, to) for t, leaves, kind, to in TRANSITIONS for s in sorted(leaves)]
FORBIDDEN = [(t, s) for t, leaves, _, _ in TRANSITIONS for s in Status if s not in leaves]


def named(value: Any) -> str:
    return getattr(value, "__name__", str(value))


def row_in(status: Status | str, *, overdue: bool = False, **fields: Any) -> GuestCreation:
    """Make a creation in this state, on which somebody works, or (`overdue`) nobody any more."""
    seconds = -1 if overdue else 10
    fields = {"overdue_at": timezone.now() + timedelta(seconds=seconds), **fields}
    return creation(status=status, **fields)


def entry(row: GuestCreation) -> Entry:
    return replace(Entry.of(row, REQUEST), subject="a-pseudonym")


def stored(row: GuestCreation) -> dict[str, Any]:
    return GuestCreation.objects.filter(id=row.id).values().get()


@pytest.mark.parametrize(("transition", "leaving", "kind", "to"), ALLOWED, ids=named)
def test_leaves_the_states_that_it_names_and_writes_its_event(
    transition: Transition, leaving: Status, kind: str, to: Status | None
) -> None:
    row = row_in(leaving)

    transition(entry(row), row)

    assert stored(row)["status"] == (to or leaving)
    (event,) = events(kind)
    assert event["data"]["creation"] == str(row.id)
    assert (event["subject"], event["request_id"]) == ("a-pseudonym", REQUEST)


@pytest.mark.parametrize(("transition", "leaving"), FORBIDDEN, ids=named)
def test_is_lost_in_every_other_state_and_changes_nothing(
    transition: Transition, leaving: Status
) -> None:
    row = row_in(leaving)
    before, written = stored(row), AuditEvent.objects.count()

    with pytest.raises(Lost):
        transition(entry(row), row)

    assert stored(row) == before
    assert AuditEvent.objects.count() == written


@pytest.mark.parametrize(
    ("transition", "leaving"), [(each[0], min(each[1])) for each in TRANSITIONS], ids=named
)
def test_is_lost_where_the_row_was_erased(transition: Transition, leaving: Status) -> None:
    row = row_in(leaving, overdue=True)
    ledger.erase_creations(session_hash=row.session_hash, subjects_of=lambda _: None)

    with pytest.raises(Lost):
        transition(entry(row), row)


def test_knows_the_outcome_once_a_late_answer_comes() -> None:
    row = row_in(Status.UNKNOWN, review_reasons="consent-assumed outcome-unknown")

    guest_created(entry(row), echo_given=False)

    assert stored(row)["review_reasons"] == "consent-assumed echo-differs"


def test_adds_to_the_reasons_of_a_row_that_the_release_before_wrote() -> None:
    row = row_in(Status.PENDING, consent_basis="assumed")

    ledger.settle(entry=entry(row), status=Status.UNKNOWN, outcome=OUTCOME)

    assert stored(row)["review_reasons"] == "consent-assumed outcome-unknown"


# --- Settled without a guest --------------------------------------------------------------------

OPEN = (Status.QUEUED, Status.PENDING)
SETTLED = (Status.REFUSED, Status.FAILED, Status.UNKNOWN)


@pytest.mark.parametrize("status", SETTLED)
@pytest.mark.parametrize("leaving", OPEN)
def test_settles_what_is_being_worked_on(leaving: Status, status: Status) -> None:
    row = row_in(leaving)

    assert ledger.settle(entry=entry(row), status=status, outcome=OUTCOME)

    after = stored(row)
    assert (after["status"], after["overdue_at"]) == (status, None)
    assert (after["error_code"], after["platform_status"]) == ("platform_unavailable", 503)
    assert (after["platform_code"], after["correlation_id"]) == ("internal", "exchange-7")
    (event,) = events(f"guest.{status}")
    assert event["data"] == {
        "creation": str(row.id),
        "code": "platform_unavailable",
        "platformStatus": 503,
        "platformCode": "internal",
        "correlationDigest": digest(row.salt, b"exchange-7"),
    }


@pytest.mark.parametrize("leaving", [status for status in Status if status not in OPEN])
def test_settles_nothing_twice(leaving: Status) -> None:
    row = row_in(leaving)
    before = stored(row)

    assert not ledger.settle(entry=entry(row), status=Status.FAILED, outcome=OUTCOME)

    assert stored(row) == before
    assert not events("guest.failed")


@pytest.mark.parametrize("overdue", [True, False])
def test_gives_up_only_what_is_overdue(overdue: bool) -> None:
    row = row_in(Status.PENDING, overdue=overdue)

    done = ledger.give_up(entry=entry(row), leaving=Status.PENDING, status=Status.UNKNOWN)

    assert done is overdue
    assert stored(row)["status"] == (Status.UNKNOWN if overdue else Status.PENDING)


def test_gives_up_nothing_that_has_gone_on_meanwhile() -> None:
    row = row_in(Status.PENDING, overdue=True)

    assert not ledger.give_up(entry=entry(row), leaving=Status.QUEUED, status=Status.FAILED)


@pytest.mark.parametrize(
    ("status", "overdue", "rests"),
    [
        (Status.GUEST_CREATED, True, True),
        (Status.GUEST_CREATED, False, False),
        (Status.PENDING, True, False),
    ],
)
def test_only_an_overdue_guest_without_a_token_is_laid_to_rest(
    status: Status, overdue: bool, rests: bool
) -> None:
    row = row_in(status, overdue=overdue)

    ledger.rest(entry=entry(row))

    assert (stored(row)["overdue_at"] is None) is rests


# --- The guest ----------------------------------------------------------------------------------


def test_the_guest_s_id_is_kept_and_only_its_digest_logged() -> None:
    row = row_in(Status.PENDING)

    guest_created(entry(row), guest_id="guest-of-jane")

    (event,) = events("guest.created")
    assert stored(row)["guest_id"] == "guest-of-jane"
    assert "guest-of-jane" not in str(event)
    assert len(event["data"]["guestDigest"]) == 64


@pytest.mark.parametrize(
    ("said", "mismatch"),
    [
        ({}, False),
        ({"echo_given": None, "echo_type": None}, False),
        ({"echo_given": False}, True),
        ({"echo_type": "implicit"}, True),
    ],
)
def test_an_echo_of_another_consent_goes_to_review(said: dict[str, Any], mismatch: bool) -> None:
    row = row_in(Status.PENDING, reviewed_at=timezone.now())

    guest_created(entry(row), **said)

    after = stored(row)
    assert after["echo_mismatch"] is mismatch
    assert (after["reviewed_at"] is None) is mismatch
    assert events("guest.created")[0]["data"]["echoMismatch"] is mismatch


@pytest.mark.parametrize("withdrawn", [True, False])
def test_tells_whether_the_consent_still_stands(withdrawn: bool) -> None:
    row = row_in(Status.PENDING, withdrawn_at=timezone.now() if withdrawn else None)

    assert guest_created(entry(row)) is not withdrawn


@pytest.mark.parametrize("rests", [True, False])
def test_a_guest_that_rests_is_nobody_s_work(rests: bool) -> None:
    row = row_in(Status.PENDING)

    guest_created(entry(row), rests=rests)

    assert (stored(row)["overdue_at"] is None) is rests


def test_each_token_is_counted() -> None:
    row = row_in(Status.GUEST_CREATED)

    for _ in range(3):
        ready(entry(row))

    assert stored(row)["tokens_issued"] == 3


def test_a_token_clears_what_went_wrong_before() -> None:
    row = row_in(Status.GUEST_CREATED)
    token_failed(entry(row))

    ready(entry(row))

    after = stored(row)
    assert (after["error_code"], after["platform_status"], after["overdue_at"]) == ("", None, None)


def test_becoming_unknown_asks_for_another_review() -> None:
    row = row_in(Status.PENDING, reviewed_at=timezone.now())

    ledger.settle(entry=entry(row), status=Status.UNKNOWN, outcome=OUTCOME)

    assert stored(row)["reviewed_at"] is None


# --- Withdrawn ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", list(Status))
def test_withdraws_each_creation_that_has_a_guest_or_may_get_one(status: Status) -> None:
    row = row_in(status)

    marked = ledger.mark_withdrawn(session_hash=row.session_hash)

    assert marked == (status not in (Status.FAILED, Status.REFUSED))
    assert (stored(row)["withdrawn_at"] is not None) == bool(marked)


def test_withdraws_no_creation_of_a_declined_visitor_and_none_twice() -> None:
    declined = creation(consent_given=False)
    given = creation()

    marked = [
        ledger.mark_withdrawn(session_hash=row.session_hash) for row in (declined, given, given)
    ]

    assert marked == [0, 1, 0]


def test_the_worker_starts_nothing_that_was_withdrawn() -> None:
    row = row_in(Status.QUEUED, withdrawn_at=timezone.now())

    with pytest.raises(ledger.ConsentWithdrawn):
        start(entry(row), row)

    assert stored(row)["status"] == Status.QUEUED

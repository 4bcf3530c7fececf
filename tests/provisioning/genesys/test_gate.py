"""The gate by itself: its bucket, the platform's limits, and an outage; no call is made."""

from email.utils import formatdate

import pytest

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Busy, Unavailable
from provisioning.genesys.gate import (
    DEFAULT_RETRY_AFTER_SECONDS,
    FAILURES_TO_CLOSE,
    LONGEST_LIMIT_SECONDS,
    LONGEST_OUTAGE_SECONDS,
    PROBE_SECONDS,
    Gate,
    retry_after,
)
from provisioning.genesys.transport import Answer
from tests.support.clock import Clock

OK = Answer(200, {}, {})
FAILED = Unavailable("the platform failed")
ONE_A_SECOND = 60


def limited(seconds: str) -> Answer:
    return Answer(429, {"Retry-After": seconds}, None)


def allowance(count: int, allowed: int, reset: int) -> Answer:
    names = ("count", "allowed", "reset")
    values = zip(names, (count, allowed, reset), strict=True)
    return Answer(200, {f"inin-ratelimit-{name}": str(value) for name, value in values}, {})


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate(rate_per_minute=ONE_A_SECOND)


# --- The bucket ---------------------------------------------------------------------------------


def test_a_full_bucket_holds_two_calls_or_a_second_s_worth(clock: Clock) -> None:
    assert Gate(rate_per_minute=30).state().calls_free == 2
    assert Gate(rate_per_minute=600).state().calls_free == 10


def test_an_init_takes_both_its_calls_at_once(gate: Gate, deadline: Deadline) -> None:
    gate.reserve(calls=2, deadline=deadline)

    assert gate.state().calls_free == 0


def test_the_bucket_refills_at_the_rate(gate: Gate, deadline: Deadline, clock: Clock) -> None:
    gate.reserve(calls=2, deadline=deadline)

    clock.pass_by(1.5)

    assert gate.state().calls_free == pytest.approx(1.5)


def test_idle_time_is_not_saved_up(gate: Gate, clock: Clock) -> None:
    gate.reserve(calls=2, deadline=Deadline(seconds=10))
    clock.pass_by(600)

    gate.reserve(calls=2, deadline=Deadline(seconds=10))

    assert gate.state().calls_free == pytest.approx(0)


def test_who_finds_it_empty_waits_for_what_it_lacks(
    gate: Gate, deadline: Deadline, clock: Clock
) -> None:
    gate.reserve(calls=2, deadline=deadline)

    gate.reserve(calls=2, deadline=deadline)

    assert clock.slept == [pytest.approx(2)]


def test_who_cannot_wait_is_told_when_and_takes_nothing(gate: Gate, clock: Clock) -> None:
    gate.reserve(calls=2, deadline=Deadline(seconds=10))

    with pytest.raises(Busy) as caught:
        gate.reserve(calls=2, deadline=Deadline(seconds=3))  # two to wait, two for the calls
    clock.pass_by(2)

    assert caught.value.retry_after == pytest.approx(2)
    assert clock.slept == []
    assert gate.state().calls_free == pytest.approx(2)


def test_no_rate_of_ours_lets_any_number_through(clock: Clock, deadline: Deadline) -> None:
    gate = Gate(rate_per_minute=0)

    for _ in range(100):
        gate.reserve(calls=2, deadline=deadline)

    assert clock.slept == []


def test_a_call_that_counts_for_no_rate_takes_nothing(gate: Gate, deadline: Deadline) -> None:
    gate.reserve(calls=0, deadline=deadline).take(deadline=deadline)

    assert gate.state().calls_free == 2


def test_another_process_shares_the_bucket(gate: Gate, deadline: Deadline) -> None:
    gate.reserve(calls=2, deadline=deadline)

    assert Gate(rate_per_minute=ONE_A_SECOND).state().calls_free == 0


# --- A reservation ------------------------------------------------------------------------------


def test_the_calls_of_a_reservation_wait_for_nothing_more(
    gate: Gate, deadline: Deadline, clock: Clock
) -> None:
    reservation = gate.reserve(calls=2, deadline=deadline)

    for _ in range(2):
        reservation.take(deadline=deadline)

    assert clock.slept == []


def test_a_call_beyond_them_is_reserved_when_it_is_taken(
    gate: Gate, deadline: Deadline, clock: Clock
) -> None:
    reservation = gate.reserve(calls=2, deadline=deadline)

    for _ in range(3):
        reservation.take(deadline=deadline)

    assert clock.slept == [pytest.approx(1)]


def test_a_repetition_leaves_what_was_promised_for_the_next_call(
    gate: Gate, deadline: Deadline, clock: Clock
) -> None:
    reservation = gate.reserve(calls=2, deadline=deadline)
    reservation.take(deadline=deadline)

    reservation.add_one(deadline=deadline)
    for _ in range(2):
        reservation.take(deadline=deadline)

    assert clock.slept == [pytest.approx(1)]


# --- The platform's own limits ------------------------------------------------------------------


def test_a_retry_after_holds_everybody_back(gate: Gate, deadline: Deadline, clock: Clock) -> None:
    gate.report(limited("5"))

    gate.reserve(calls=1, deadline=deadline)

    assert sum(clock.slept) == pytest.approx(5, abs=0.11)
    assert gate.state().is_open


def test_a_retry_after_beyond_the_deadline_is_told_at_once(gate: Gate, deadline: Deadline) -> None:
    gate.report(limited("60"))

    with pytest.raises(Busy) as caught:
        gate.reserve(calls=1, deadline=deadline)

    assert caught.value.retry_after == pytest.approx(60)
    assert gate.state().reason == "limit"


def test_an_allowance_used_up_closes_the_gate_until_it_is_renewed(
    gate: Gate, clock: Clock, deadline: Deadline
) -> None:
    gate.report(allowance(300, 300, 4))
    closed = gate.state()

    clock.pass_by(4)

    assert (closed.reason, closed.retry_after) == ("limit", pytest.approx(4))
    assert gate.state().is_open


def test_an_allowance_below_our_rate_is_the_rate(gate: Gate) -> None:
    gate.report(allowance(1, 30, 60))

    assert gate.state().rate_per_minute == 30
    assert Gate(rate_per_minute=ONE_A_SECOND).state().rate_per_minute == 30


def test_an_allowance_above_our_rate_changes_nothing(gate: Gate) -> None:
    gate.report(allowance(1, 300, 60))

    assert gate.state().rate_per_minute == ONE_A_SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("99999999999", LONGEST_LIMIT_SECONDS),
        ("", DEFAULT_RETRY_AFTER_SECONDS),
        ("-1", DEFAULT_RETRY_AFTER_SECONDS),
        ("soon", DEFAULT_RETRY_AFTER_SECONDS),
        ("٧", DEFAULT_RETRY_AFTER_SECONDS),
    ],
)
def test_a_retry_after_in_seconds_is_read_within_bounds(text: str, seconds: float) -> None:
    assert retry_after({"Retry-After": text}) == seconds


@pytest.mark.parametrize(
    ("ahead", "seconds"), [(30, 30), (-30, 0), (86_400, LONGEST_LIMIT_SECONDS)]
)
def test_a_retry_after_that_is_a_date_is_read_within_bounds(
    ahead: float, seconds: float, clock: Clock
) -> None:
    date = formatdate(clock.now + ahead, usegmt=True)

    assert retry_after({"Retry-After": date}) == pytest.approx(seconds)


# --- An outage ----------------------------------------------------------------------------------


def fail(gate: Gate, times: int = FAILURES_TO_CLOSE) -> None:
    for _ in range(times):
        gate.report(FAILED)


def test_failures_in_a_row_close_the_gate(gate: Gate, deadline: Deadline) -> None:
    fail(gate, FAILURES_TO_CLOSE - 1)
    before = gate.state()
    fail(gate, 1)

    assert (before.is_open, before.failures) == (True, FAILURES_TO_CLOSE - 1)
    assert gate.state().reason == "outage"
    with pytest.raises(Unavailable) as caught:
        gate.reserve(calls=1, deadline=deadline)
    assert caught.value.retry_after == pytest.approx(1)


def test_a_success_between_them_begins_the_count_anew(gate: Gate) -> None:
    fail(gate, FAILURES_TO_CLOSE - 1)
    gate.report(OK)
    fail(gate, FAILURES_TO_CLOSE - 1)

    assert gate.state().is_open


def test_an_answer_of_500_counts_as_a_failure(gate: Gate) -> None:
    for _ in range(FAILURES_TO_CLOSE):
        gate.report(Answer(500, {}, None))

    assert gate.state().reason == "outage"


def test_after_its_time_one_call_tries_the_platform(
    gate: Gate, deadline: Deadline, clock: Clock
) -> None:
    fail(gate)
    clock.pass_by(1)

    gate.reserve(calls=1, deadline=deadline)

    with pytest.raises(Unavailable, match="one call tries it"):
        gate.reserve(calls=1, deadline=deadline)


def test_the_trial_s_success_opens_the_gate(gate: Gate, deadline: Deadline, clock: Clock) -> None:
    fail(gate)
    clock.pass_by(1)
    gate.reserve(calls=1, deadline=deadline)

    gate.report(OK)

    assert gate.state().is_open
    assert gate.state().failures == 0


def test_each_failed_trial_closes_it_for_twice_as_long_up_to_a_bound(
    gate: Gate, deadline: Deadline, clock: Clock
) -> None:
    fail(gate)
    waits = []

    for _ in range(4):
        waits.append(gate.state().retry_after)
        clock.pass_by(waits[-1])
        gate.reserve(calls=0, deadline=Deadline(seconds=10))
        gate.report(FAILED)

    assert waits == [pytest.approx(s) for s in (1, 2, 4, LONGEST_OUTAGE_SECONDS)]


def test_failures_of_calls_that_were_under_way_close_it_no_longer(gate: Gate) -> None:
    fail(gate)
    closed = gate.state().retry_after

    fail(gate)

    assert gate.state().retry_after == pytest.approx(closed)


def test_a_trial_that_never_reports_is_followed_by_another(
    gate: Gate, deadline: Deadline, clock: Clock
) -> None:
    fail(gate)
    clock.pass_by(1)
    gate.reserve(calls=1, deadline=deadline)

    clock.pass_by(PROBE_SECONDS + 1)

    gate.reserve(calls=1, deadline=Deadline(seconds=10))

"""What is tried again, how often and after which wait; nothing else is."""

import pytest

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Busy, PlatformError, Protocol, TimedOut, Unavailable
from provisioning.genesys.gate import FAILURES_TO_CLOSE, Gate, Reservation
from provisioning.genesys.retry import FIRST_BACKOFF_SECONDS, send
from provisioning.genesys.transport import Answer
from tests.support.clock import Clock

OK = Answer(200, {}, {})
FAILED = Answer(500, {"ININ-Correlation-Id": "exchange-7"}, {"code": "internal"})
LIMITED = Answer(429, {"Retry-After": "3"}, None)
NO_CONNECTION = Unavailable("no connection to the platform")
BROKEN = Unavailable("the connection to the platform broke", arrived=True)
TOO_SLOW = TimedOut("the platform did not answer in time", arrived=True)
Outcome = Answer | PlatformError


class Platform:
    """Stands in for one call: each try meets the next of `outcomes`."""

    def __init__(self, *outcomes: Outcome, rate_per_minute: int = 0) -> None:
        self._outcomes = list(outcomes)
        self.gate = Gate(rate_per_minute=rate_per_minute)

    def send(
        self,
        deadline: Deadline,
        *,
        attempts: int = 3,
        repeatable: bool = False,
        reservation: Reservation | None = None,
    ) -> Answer:
        return send(
            self._post,
            gate=self.gate,
            reservation=reservation or self.gate.reserve(calls=1, deadline=deadline),
            deadline=deadline,
            attempts=attempts,
            repeatable=repeatable,
        )

    def _post(self) -> Answer:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, PlatformError):
            raise outcome
        return outcome

    @property
    def left(self) -> int:
        """Return how many outcomes nobody has met."""
        return len(self._outcomes)


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 422])
def test_an_answer_that_no_repetition_would_change_is_returned(
    status: int, deadline: Deadline, clock: Clock
) -> None:
    answer = Answer(status, {}, None)

    assert Platform(answer).send(deadline) is answer
    assert clock.slept == []


@pytest.mark.parametrize("first", [NO_CONNECTION, LIMITED], ids=str)
def test_what_certainly_did_not_arrive_is_tried_again(first: Outcome, deadline: Deadline) -> None:
    assert Platform(first, OK).send(deadline) is OK


@pytest.mark.parametrize("first", [FAILED, BROKEN, TOO_SLOW], ids=str)
def test_what_may_have_arrived_is_never_repeated(first: Outcome, deadline: Deadline) -> None:
    platform = Platform(first, OK)

    with pytest.raises(PlatformError) as caught:
        platform.send(deadline)

    assert caught.value.arrived
    assert platform.left == 1


@pytest.mark.parametrize("first", [FAILED, BROKEN, TOO_SLOW], ids=str)
def test_what_may_have_arrived_is_repeated_where_that_does_no_harm(
    first: Outcome, deadline: Deadline
) -> None:
    assert Platform(first, OK).send(deadline, repeatable=True) is OK


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_gives_up_after_so_many_attempts(attempts: int, deadline: Deadline) -> None:
    platform = Platform(*[NO_CONNECTION] * 5)

    with pytest.raises(Unavailable):
        platform.send(deadline, attempts=attempts)

    assert platform.left == 5 - attempts


def test_the_waits_are_random_up_to_a_bound_that_doubles(deadline: Deadline, clock: Clock) -> None:
    Platform(NO_CONNECTION, NO_CONNECTION, OK).send(deadline)

    first, second = clock.slept
    assert 0 <= first <= FIRST_BACKOFF_SECONDS
    assert 0 <= second <= 2 * FIRST_BACKOFF_SECONDS


def test_a_rate_limit_is_waited_out_at_the_gate(deadline: Deadline, clock: Clock) -> None:
    Platform(LIMITED, OK).send(deadline)

    assert len(clock.slept) == 1
    assert 3 <= clock.slept[0] <= 3.1


def test_a_rate_limit_that_outlasts_the_deadline_fails_at_once(clock: Clock) -> None:
    with pytest.raises(Busy) as caught:
        Platform(LIMITED, OK).send(Deadline(seconds=3))

    assert caught.value.retry_after == pytest.approx(3)
    assert clock.slept == []


def test_no_wait_begins_that_cannot_end_in_time(clock: Clock) -> None:
    deadline = Deadline(seconds=1)
    clock.pass_by(1)  # whatever the wait, it would end too late
    platform = Platform(NO_CONNECTION, OK)

    with pytest.raises(Unavailable, match="no connection"):
        platform.send(deadline)

    assert clock.slept == []
    assert platform.left == 1


@pytest.mark.parametrize("outcome", [FAILED, NO_CONNECTION], ids=str)
def test_the_gate_learns_of_every_failure(outcome: Outcome, deadline: Deadline) -> None:
    platform = Platform(*[outcome] * FAILURES_TO_CLOSE)

    for _ in range(FAILURES_TO_CLOSE):
        with pytest.raises(Unavailable):
            platform.send(deadline, attempts=1)

    assert platform.gate.state().reason == "outage"


def test_a_repetition_asks_the_gate_again(deadline: Deadline) -> None:
    platform = Platform(NO_CONNECTION, OK)
    reservation = platform.gate.reserve(calls=1, deadline=deadline)
    platform.gate.report(Answer(429, {"Retry-After": "60"}, None))  # another's call

    with pytest.raises(Busy):
        platform.send(deadline, reservation=reservation)

    assert platform.left == 1


def test_a_repetition_takes_none_of_the_calls_that_were_promised(
    deadline: Deadline, clock: Clock
) -> None:
    platform = Platform(NO_CONNECTION, OK, rate_per_minute=600)
    reservation = platform.gate.reserve(calls=2, deadline=deadline)
    platform.send(deadline, reservation=reservation)
    free = platform.gate.state().calls_free

    reservation.take(deadline=deadline)

    assert platform.gate.state().calls_free == free


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (FAILED, (500, "internal", "exchange-7")),
        (Answer(503, {}, {"contextId": "exchange-8", "code": 7}), (503, "", "exchange-8")),
        (Answer(502, {}, None), (502, "", "")),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_a_failure_keeps_what_the_vendor_will_be_asked_about(
    answer: Answer, expected: tuple[int, str, str], deadline: Deadline
) -> None:
    with pytest.raises(Unavailable) as caught:
        Platform(answer).send(deadline)

    failure = caught.value
    assert (failure.status, failure.platform_code, failure.correlation_id) == expected


def test_an_answer_that_is_nonsense_is_not_repeated(deadline: Deadline) -> None:
    too_large = Protocol("the platform's answer is too large", arrived=True)

    with pytest.raises(Protocol):
        Platform(too_large, OK).send(deadline)

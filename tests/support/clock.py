"""A clock that stands still, for tests of waits that nobody should wait for."""


class Clock:
    """The time of day and the monotonic clock; only `pass_by` and a sleep move them."""

    def __init__(self) -> None:
        self.now = 1_780_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

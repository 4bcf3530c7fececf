"""One budget of time for a whole init, spent by every wait on its way."""

import time

from provisioning.genesys.errors import TimedOut


class Deadline:
    """A moment on the monotonic clock by which the visitor gets an answer."""

    def __init__(self, *, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left. Raises TimedOut when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimedOut("the time for this request is up")
        return left

    def allows(self, seconds: float) -> bool:
        """Tell whether a wait of `seconds` would end in time."""
        return time.monotonic() + seconds < self._end

    def patience(self, *, leaving: float) -> float:
        """Return how long a wait may last that leaves `leaving` seconds; 0 where none may."""
        return max(0.0, self._end - time.monotonic() - leaving)

    def sleep(self, seconds: float) -> None:
        """Sleep `seconds`. Raises TimedOut at once when that cannot end in time."""
        if not self.allows(seconds):
            raise TimedOut("the time for this request is up")
        time.sleep(seconds)

    def at_most(self, seconds: float) -> "Deadline":
        """Return a deadline that ends after `seconds`, or with this one if that is sooner."""
        return Deadline(seconds=min(seconds, self.remaining()))

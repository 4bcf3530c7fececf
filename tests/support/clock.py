"""The monotonic clock, which a test moves on: what is measured by it cannot be frozen by a date."""

import time

import pytest


class Clock:
    """``time.monotonic`` of this process, `shift` seconds ahead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real, self._ahead = time.monotonic, 0.0
        monkeypatch.setattr(time, "monotonic", lambda: real() + self._ahead)

    def shift(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._ahead += seconds

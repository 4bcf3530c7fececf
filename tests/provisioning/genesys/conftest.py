"""A clock that stands still, for tests of waits that nobody should wait for."""

import time
from typing import Any

import pytest
from django.core.cache import cache

from provisioning.genesys.deadline import Deadline


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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    """Stop the clock, also for the cache: in this process's memory it goes by the same one."""
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": "stopped"}}
    cache.clear()
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


@pytest.fixture
def deadline(clock: Clock) -> Deadline:
    """Ten seconds from now."""
    return Deadline(seconds=10)

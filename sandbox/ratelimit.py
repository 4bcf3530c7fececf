"""The platform's rate limit: one bucket for each OAuth client, and the headers that tell of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

_WINDOW = 60.0  # seconds; what `inin-ratelimit-count` counts over


@dataclass(frozen=True, slots=True)
class Quota:
    """Outcome of one draw. `retry_after` in whole seconds is set when the call is refused."""

    headers: dict[str, str]
    retry_after: int | None = None


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    window_start: float
    count: int = 0


@dataclass(slots=True)
class RateLimit:
    """Refills at `per_minute` / 60 a second up to max(2, `per_minute` / 60), or `burst` if set.

    A `per_minute` of 0 is no limit.
    """

    per_minute: int
    clock: Callable[[], float]
    burst: int = 0
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def draw(self, *, client_id: str) -> Quota:
        """Count one call of `client_id` against its bucket."""
        if not self.per_minute:
            return Quota({})
        now, refill = self.clock(), self.per_minute / 60
        bucket = self._filled(client_id, now, refill)
        if bucket.tokens < 1:
            return Quota(self._headers(bucket, now), math.ceil((1 - bucket.tokens) / refill))
        bucket.tokens -= 1
        bucket.count += 1
        return Quota(self._headers(bucket, now))

    def forget(self) -> None:
        """Fill every bucket again."""
        self._buckets.clear()

    def _filled(self, client_id: str, now: float, refill: float) -> _Bucket:
        capacity = float(self.burst or max(2.0, refill))
        bucket = self._buckets.setdefault(client_id, _Bucket(capacity, now, now))
        bucket.tokens = min(capacity, bucket.tokens + (now - bucket.filled_at) * refill)
        bucket.filled_at = now
        if now - bucket.window_start >= _WINDOW:
            bucket.window_start, bucket.count = now, 0
        return bucket

    def _headers(self, bucket: _Bucket, now: float) -> dict[str, str]:
        """Refused calls are not counted, or a client would be told to wait for its own retries."""
        return {
            "inin-ratelimit-count": str(bucket.count),
            "inin-ratelimit-allowed": str(self.per_minute),
            "inin-ratelimit-reset": str(math.ceil(bucket.window_start + _WINDOW - now)),
        }

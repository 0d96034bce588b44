"""How often Render's API may be asked: a bucket of tokens, and the pauses it asks for."""


class Bucket:
    """So many calls a minute, and as many at once after a quiet minute."""

    def __init__(self, calls_per_minute: float) -> None:
        self._capacity = calls_per_minute
        self._tokens = calls_per_minute
        self._filled_at: float | None = None
        self._closed_until = float("-inf")

    def wait_seconds(self, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one. `now` is a monotonic instant."""
        if now < self._closed_until:
            return self._closed_until - now
        passed = 0.0 if self._filled_at is None else now - self._filled_at
        self._tokens = min(self._capacity, self._tokens + passed * self._capacity / 60.0)
        self._filled_at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) * 60.0 / self._capacity

    def close(self, until: float) -> None:
        """Give nothing out before this monotonic instant: the other side asked for a pause."""
        self._closed_until = max(self._closed_until, until)

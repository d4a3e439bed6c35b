"""The clock of the tests: it stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

MORNING = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
"""Tuesday, 1 December 2026, 10:00 in Japan: a business day, within business hours."""


class Clock:
    """A clock that is called like the real one and moved by hand."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """Let it be `now`, an aware moment."""
        if now.tzinfo is None:
            raise ValueError("a moment needs a zone")
        self._now = now.astimezone(UTC)

    def advance(self, **span: Any) -> datetime:
        """Move on by `span`, the words of `timedelta` (`minutes=5`), and answer the new moment."""
        self._now += timedelta(**span)
        return self._now

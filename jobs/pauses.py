"""How long work rests that failed: what is looked for each second would fail each second, and leave a run behind each time."""

from __future__ import annotations

from datetime import datetime, timedelta

_SHORTEST, _LONGEST = timedelta(seconds=2), timedelta(minutes=3)


class Pauses:
    """Of one process: twice as long after each failure, none after a run that came to its end."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[datetime, timedelta]] = {}

    def rests(self, job: str, now: datetime) -> bool:
        """Whether it is too early to begin `job` again. A clock that was set back lets nothing rest for longer than it would have."""
        until, _pause = self._until.get(job, (now, _SHORTEST))
        return now < until <= now + _LONGEST

    def lengthen(self, job: str, now: datetime) -> None:
        """`job` failed."""
        _until, last = self._until.get(job, (now, timedelta()))
        pause = min(max(last * 2, _SHORTEST), _LONGEST)
        self._until[job] = (now + pause, pause)

    def end(self, job: str) -> None:
        """`job` came to its end."""
        self._until.pop(job, None)

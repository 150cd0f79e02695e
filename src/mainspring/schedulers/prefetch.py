"""How many runs a node takes from a store that others share: about as many as its executors can soon run.

What it takes and can't run yet would be run sooner by a node that has nothing to do; and is lost if it dies.
"""

from __future__ import annotations

from collections import deque

#: Seconds of work that are taken ahead, by how much was done of late.
_AHEAD = 1.0
_WINDOW = 0.5
#: For each worker, whatever was done of late: one run that it runs, and one that waits for it.
_EACH = 2


class PrefetchBudget:
    """Counts what has ended of late. Not thread-safe, but for `ended`."""

    def __init__(self) -> None:
        self._ended: deque[tuple[float, int]] = deque()
        self.limit = 0

    def ended(self, count: int, now: float) -> None:
        """So many submissions have ended by `now`, monotonic seconds."""
        self._ended.append((now, count))

    def room(self, in_flight: int, workers: int, now: float) -> int:
        """How many more are to be taken, where so many have been and have not ended."""
        ended = self._ended
        while ended and ended[0][0] < now - _WINDOW:
            ended.popleft()
        lately = sum(count for _, count in list(ended))
        self.limit = max(_EACH * workers, int(lately * _AHEAD / _WINDOW))
        return max(self.limit - in_flight, 0)

    def should_refill(self, in_flight: int) -> bool:
        """Whether it is time to take more, where `room` had been used up."""
        return in_flight <= self.limit // 2

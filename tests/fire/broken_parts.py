"""Parts of somebody else's that do what they shouldn't."""

from __future__ import annotations

import time
from collections import Counter

from mainspring.executors.base import BaseExecutor
from mainspring.triggers.base import BaseTrigger

#: How often each function was called.
CALLED: Counter = Counter()


def work(name):
    CALLED[name] += 1


def fail_once(name):
    CALLED[name] += 1
    if CALLED[name] == 1:
        raise OSError(name)


class Refusing(BaseExecutor):
    """Takes nothing."""

    def __init__(self, error):
        super().__init__()
        self._error = error

    def _do_submit_job(self, job, run_times):
        raise self._error

    def submit(self, submission, reporter):
        raise self._error


class _Broken(BaseTrigger):
    """Can be stored, and that is all."""

    __slots__ = ()

    def to_dict(self):
        return {}

    @classmethod
    def from_dict(cls, values):
        return cls()


class Raising(_Broken):
    """Knows its first time only."""

    def get_next_fire_time(self, previous_fire_time, now):
        if previous_fire_time is not None:
            raise RuntimeError("no next time")
        return now


class Naive(_Broken):
    """Says a time without a zone."""

    def get_next_fire_time(self, previous_fire_time, now):
        return now if previous_fire_time is None else previous_fire_time.replace(tzinfo=None)


class Standing(_Broken):
    """Says the same time again and again."""

    def get_next_fire_time(self, previous_fire_time, now):
        return previous_fire_time or now


class Text(_Broken):
    """Says no time at all."""

    def get_next_fire_time(self, previous_fire_time, now):
        return now if previous_fire_time is None else "tomorrow"


class Slow(_Broken):
    """Asks somebody who takes his time."""

    def get_next_fire_time(self, previous_fire_time, now):
        if previous_fire_time is None:
            return now
        time.sleep(SLOWNESS)
        return None


#: Longer than the lease.
SLOWNESS = 2.5
TRIGGERS = [Raising, Naive, Standing, Text, Slow]

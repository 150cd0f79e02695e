"""Whether a run that failed, or was lost, is run again, and when."""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from math import log
from typing import TYPE_CHECKING

from mainspring.coercion import LONGEST_DURATION
from mainspring.engine.transitions import next_attempt
from mainspring.engine.waiting import moment_after
from mainspring.errors import NodeLostError
from mainspring.retry import class_reference
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.model import JobOptions, QueuedRun, RunKey
    from mainspring.retry import Retry

#: Beyond it a delay grows no more: of a millisecond it makes thirty years.
_GREATEST_FACTOR = 1e12


def retry_time(
    retry: Retry, attempt: int, error: type[BaseException], finished: datetime, run_id: str
) -> datetime | None:
    """When the next attempt is made, or ``None`` if there is none.

    Args:
        attempt: the one that failed, counted from 1.
        error: what it failed with.
        finished: when.
        run_id: its identifier, of which the jitter is made: it is the same whoever asks.
    """
    if attempt >= retry.attempts:
        return None
    known = {class_reference(one) for one in error.__mro__ if issubclass(one, BaseException)}
    if (retry.on and known.isdisjoint(retry.on)) or not known.isdisjoint(retry.not_on):
        return None
    # Not computed where the power would be too great for a number.
    is_beyond = (attempt - 1) * log(retry.backoff) >= log(_GREATEST_FACTOR)
    factor = _GREATEST_FACTOR if is_beyond else retry.backoff ** (attempt - 1)
    longest = retry.longest_delay.total_seconds()
    wait = min(retry.delay.total_seconds() * factor, longest)
    jitter = retry.jitter.total_seconds() * _share(run_id)
    pause = timedelta(seconds=min(wait + jitter, LONGEST_DURATION.total_seconds()))
    return moment_after(finished, pause).astimezone(finished.tzinfo)


#: The second time that a run is run again because its node has died, it waits so long, and then longer each time.
_FIRST_RERUN_PAUSE = timedelta(seconds=2)
_LONGEST_RERUN_PAUSE = timedelta(minutes=5)


def rerun_pause(reruns: int) -> timedelta:
    """How long a run waits before it is run again, having been so `reruns` times.

    A node that dies has mostly died by itself: then the run is run at once. One that takes down every node that it comes to must leave
    them time to be started again, for others.
    """
    if not reruns:
        return timedelta(0)
    return min(_FIRST_RERUN_PAUSE * 4.0 ** min(reruns - 1, 20), _LONGEST_RERUN_PAUSE)


def after_loss(
    options: JobOptions,
    key: RunKey,
    reruns: int,
    now: datetime,
    *,
    was_begun: bool = True,
    due_times: int | None = 1,
) -> QueuedRun | None:
    """The run that takes the place of one that was lost with its node, or ``None`` if none does.

    Args:
        reruns: how many of the attempts at its due time were made because a node had died. They don't count as attempts of a `Retry`.
        now: when it was found to be lost.
        was_begun: whether it may have been the cause. What its node knows not to have begun doesn't count as run again.
        due_times: how many due times it stands for, as of `RunRecord`.
    """
    if options.on_lost == "rerun":
        if not was_begun:
            return next_attempt(key, now, "rerun", reruns, due_times)
        if reruns >= options.reruns:
            return None
        available = shifted(now, rerun_pause(reruns))
        return next_attempt(key, available, "rerun", reruns + 1, due_times)
    retry = options.retry
    retry_at = None if retry is None else retry_time(retry, key.attempt - reruns, NodeLostError, now, key.id)
    if retry_at is None:
        return None
    return next_attempt(key, retry_at, "retry", reruns, due_times)


def _share(text: str) -> float:
    """A number from 0 to below 1 that looks random, and follows from `text`."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48

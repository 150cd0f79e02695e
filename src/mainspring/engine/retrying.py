"""Whether a run that failed, or was lost, is run again, and when."""

from __future__ import annotations

from datetime import UTC, timedelta
from hashlib import blake2b
from math import log
from typing import TYPE_CHECKING

from mainspring.errors import NodeLostError
from mainspring.model import QueuedRun
from mainspring.retry import class_reference

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.model import JobOptions, RunKey
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
    # In UTC, since a sum in another zone goes by the wall clock: wrongly where an hour is repeated or left out.
    return (finished.astimezone(UTC) + timedelta(seconds=wait + jitter)).astimezone(finished.tzinfo)


def after_loss(options: JobOptions, key: RunKey, now: datetime) -> QueuedRun | None:
    """The run that takes the place of one that was lost with its node, or ``None`` if none does.

    Args:
        now: when it was found to be lost.
    """
    if options.on_lost == "rerun":
        return QueuedRun(key.job_id, key.scheduled_run_time, key.attempt + 1, now, "rerun")
    retry = options.retry
    retry_at = None if retry is None else retry_time(retry, key.attempt, NodeLostError, now, key.id)
    if retry_at is None:
        return None
    return QueuedRun(key.job_id, key.scheduled_run_time, key.attempt + 1, retry_at, "retry")


def _share(text: str) -> float:
    """A number from 0 to below 1 that looks random, and follows from `text`."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48

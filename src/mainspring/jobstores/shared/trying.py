"""Trying again what failed for a reason that passes, with pauses that grow."""

from __future__ import annotations

import random
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from mainspring.clock import SYSTEM_CLOCK
from mainspring.jobstores.shared.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: Seconds for which a call of a program is tried again; what the scheduler does by itself is tried again for ever.
CALL_TIMEOUT = 30.0

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 1.0


def try_again(
    work: Callable[[], T],
    failure_of: Callable[[Exception], Failure | None],
    *,
    give_up: Callable[[], bool] | None = None,
    was_done: Callable[[], T | None] | None = None,
) -> T:
    """The result of `work`, tried again where it failed for a reason that passes.

    Args:
        work: one step; done again from its beginning.
        failure_of: what kind of failure an error is; one that won't pass, and ``None``, are raised.
        give_up: asked before each new try; without it tries go on for `CALL_TIMEOUT` seconds.
        was_done: looks whether a step whose end wasn't seen took effect; its result, or ``None`` if not.
    """
    deadline = SYSTEM_CLOCK.monotonic() + CALL_TIMEOUT
    pause = _FIRST_PAUSE
    waiting = Event()
    in_doubt = False
    while True:
        try:
            if in_doubt and was_done is not None:
                found = was_done()
                if found is not None:
                    return found
                in_doubt = False
            return work()
        except Exception as error:
            failure = failure_of(error)
            if failure is None or not failure.passes:
                raise
            if SYSTEM_CLOCK.monotonic() > deadline if give_up is None else give_up():
                raise
            # Refused for a lock or a deadlock: certainly undone. A lost connection may have lost only the answer.
            in_doubt = in_doubt or failure is not Failure.CONFLICT
        waiting.wait(random.uniform(pause / 2, pause))  # noqa: S311 - so that nodes don't try again in step
        pause = min(pause * 2, _LONGEST_PAUSE)

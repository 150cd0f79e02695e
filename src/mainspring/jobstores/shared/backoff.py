"""Trying again what failed for a reason that passes, with pauses that grow; and aloud."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random, SystemRandom
from typing import TYPE_CHECKING, TypeVar

from mainspring.clock import pause
from mainspring.errors import StoreUnavailableError
from mainspring.jobstores.host import CALL_TIMEOUT
from mainspring.jobstores.shared.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mainspring.jobstores.shared.outage import Outage

T = TypeVar("T")

#: Seconds for which one is tried again that an event loop makes itself: it stands still meanwhile.
CALL_TIMEOUT_ON_LOOP = 1.0

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 1.0
#: What has waited for the store is to be there a second after it works again at the latest.
_LONGEST_RETRY_PAUSE = 0.8
_DOUBLINGS = 16
#: Not the generator that a program may have seeded, whose numbers are its own; and another one in each forked process.
_generator: Random = SystemRandom()


@contextmanager
def drawn_from(generator: Random) -> Iterator[None]:
    """Have pauses drawn from a generator meanwhile, by who wants the same ones each time."""
    global _generator  # noqa: PLW0603 - one for the process, as Python's own
    before, _generator = _generator, generator
    try:
        yield
    finally:
        _generator = before


def pause_before_retry(attempts: int) -> float:
    """Seconds to wait before something is tried again that has failed so many times in a row: less than a second, and not in step with others."""
    pause = min(_FIRST_PAUSE * 2 ** min(attempts, _DOUBLINGS), _LONGEST_RETRY_PAUSE)
    return _generator.uniform(pause / 2, pause)  # so that nodes don't try again in step


def try_again(
    work: Callable[[], T],
    outage: Outage,
    *,
    give_up: Callable[[], bool] | None = None,
    was_done: Callable[[], T | None] | None = None,
) -> T:
    """The result of `work`, tried again where it failed for a reason that passes.

    Args:
        work: one step; done again from its beginning.
        outage: of the store, which knows what kinds of failure there are, and is told of each.
        give_up: asked before each new try; without it tries go on for `CALL_TIMEOUT` seconds, on the thread of an event loop for
            `CALL_TIMEOUT_ON_LOOP`, or as `Outage.tried_until` says.
        was_done: looks whether a step whose end wasn't seen took effect; its result, or ``None`` if not.

    Raises:
        StoreUnavailableError: it was given up on the thread of an event loop, and would be tried for longer elsewhere.
    """
    clock = outage.clock
    began = clock.monotonic()
    longest, paused = _FIRST_PAUSE, 0.0
    call = object()  # names this call
    in_doubt = has_failed = False
    while True:
        try:
            found = was_done() if in_doubt and was_done is not None else None
            in_doubt = False
            if found is None:
                found = work()
        except Exception as error:
            failure = outage.failure_of(error)
            if failure is None:
                if has_failed and not outage.is_own_activity:
                    outage.call_ended(call)  # what is raised now is an answer
                raise
            # A clock that stands still says nothing of how long it has been tried.
            seconds = max(clock.monotonic() - began, paused)
            gives_up = give_up or outage.give_up
            # What the store does by itself has a greenlet of its own where threads are greenlets: it holds up no loop.
            is_call = gives_up is None and not outage.is_own_activity
            instead = outage.instead_of_waiting() if is_call else None
            ends = not failure.passes or _is_over(gives_up, seconds, on_loop=instead is not None)
            outage.failed(error, failure, seconds, call, again=not ends)
            if ends and failure.passes and instead is not None:
                raise StoreUnavailableError(
                    f"{outage.name} can't be had now, and was called on the thread of the event loop, which stands still meanwhile: it was tried "
                    f"for {CALL_TIMEOUT_ON_LOOP:g} s only. {instead}: that tries for {CALL_TIMEOUT:g} s while the loop runs"
                ) from error
            if ends:
                raise
            has_failed = True
            # Refused for a lock or a deadlock: certainly undone. A lost connection may have lost only the answer.
            in_doubt = in_doubt or failure is not Failure.CONFLICT
        else:
            if has_failed and not outage.is_own_activity:
                outage.call_ended(call)
            return found
        seconds = _generator.uniform(longest / 2, longest)  # so that nodes don't try again in step
        pause(clock, seconds)
        paused += seconds
        longest = min(longest * 2, _LONGEST_PAUSE)


def _is_over(give_up: Callable[[], bool] | None, seconds: float, *, on_loop: bool) -> bool:
    if give_up is not None:
        return give_up()
    return seconds > (CALL_TIMEOUT_ON_LOOP if on_loop else CALL_TIMEOUT)

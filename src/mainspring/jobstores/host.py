"""What a job store may ask of the scheduler that it serves, and nothing else.

A scheduler has it as its attribute `store_host`. A store that is started without a scheduler, as in tests, has a `NullHost`: it can be used
just so, and what it tells is heard by nobody.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Protocol, cast

from mainspring.clock import clock_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime, tzinfo

    from mainspring.clock import Clock
    from mainspring.jobstores.shared.upkeep import Runner, Upkeep
    from mainspring.model import JobRecord, RunKey, Submission

#: Seconds for which a call of a program is tried again; what the scheduler does by itself is tried again for ever.
CALL_TIMEOUT = 30.0


class StartLimit(Protocol):
    """For how long a store tries to start.

    Attributes:
        seconds: for which it may try.
    """

    seconds: float

    @property
    def is_cancelled(self) -> bool:
        """Whether the start was given up by somebody."""

    def gives_up(self) -> bool:
        """Whether nothing is to be tried any more."""


class CallLimit:
    """So many seconds by a clock, from now on."""

    is_cancelled = False

    def __init__(self, clock: Clock, seconds: float = CALL_TIMEOUT) -> None:
        self.seconds = seconds
        self._clock = clock
        self._until = clock.monotonic() + seconds

    def gives_up(self) -> bool:
        """Whether they are over."""
        return self._clock.monotonic() >= self._until


class StoreHost(Protocol):
    """The scheduler, as its stores see it. Its methods may be called from any thread, with no lock held.

    Attributes:
        clock: by which the scheduler goes.
        timezone: of jobs whose trigger has none.
        is_running: whether the scheduler was started, and is not being shut down.
    """

    @property
    def clock(self) -> Clock: ...  # noqa: D102 - see above
    @property
    def timezone(self) -> tzinfo: ...  # noqa: D102 - see above
    @property
    def is_running(self) -> bool: ...  # noqa: D102 - see above

    def executors(self) -> Collection[str]:
        """The aliases of the executors that it has now."""

    def start_limit(self, alias: str) -> StartLimit:
        """For how long the store of an alias tries to start."""

    def instead_of_waiting(self) -> str | None:
        """What to do instead of a call that would have the calling thread wait, which must not; ``None``: it may."""

    def wake(self) -> None:
        """Have it look for what is due as soon as it can."""

    def wake_for(self, moment: datetime | None, alias: str) -> None:
        """Wake it if it would sleep past a moment, by the clock of the store."""

    def upkeep_runner(self, upkeep: Upkeep) -> Runner | None:
        """What does the upkeep of a store in time; ``None``: a thread for each."""

    def notice_end_of_loop(self) -> None:
        """If the event loop has ended on which runs went on, they have ended with it."""

    def runs_here(self, alias: str) -> list[Submission]:
        """What the store has handed out to it, and has not been told to have ended."""

    def cancel_here(self, keys: Iterable[RunKey], alias: str) -> None:
        """Others want these runs to end, which the store has handed out to it."""

    def tell_lost(
        self, key: RunKey, node: str, retry_at: datetime | None, alias: str, *, gave_up: bool
    ) -> None:
        """A run is lost that was a node's.

        Args:
            retry_at: when it is run again; ``None``: it isn't.
            gave_up: whether it was to be run again, and has been so too often.
        """

    def tell_paused(self, job: JobRecord, alias: str) -> None:
        """A job has paused itself, since too many of its runs have failed."""


class NullHost(StoreHost):
    """No scheduler: nothing runs, and nobody listens.

    Args:
        clock: to go by; the machine's if not given.
    """

    timezone: tzinfo = UTC
    is_running = True

    def __init__(self, clock: Clock | None = None) -> None:
        self._own_clock = clock or clock_of(None)

    @property
    def clock(self) -> Clock:
        """See `StoreHost`."""
        return self._own_clock

    def executors(self) -> Collection[str]:
        """None."""
        return ()

    def start_limit(self, alias: str) -> StartLimit:
        """As long as any call."""
        del alias
        return CallLimit(self.clock)

    def instead_of_waiting(self) -> str | None:
        """Whoever calls may wait."""
        return None

    def wake(self) -> None:
        """Nobody sleeps."""

    def wake_for(self, moment: datetime | None, alias: str) -> None:
        """Nobody sleeps."""

    def upkeep_runner(self, upkeep: Upkeep) -> Runner | None:
        """A thread for each."""
        del upkeep
        return None

    def notice_end_of_loop(self) -> None:
        """There is no loop."""

    def runs_here(self, alias: str) -> list[Submission]:
        """None that anybody knows of."""
        del alias
        return []

    def cancel_here(self, keys: Iterable[RunKey], alias: str) -> None:
        """Nothing runs."""

    def tell_lost(
        self, key: RunKey, node: str, retry_at: datetime | None, alias: str, *, gave_up: bool
    ) -> None:
        """Nobody listens."""

    def tell_paused(self, job: JobRecord, alias: str) -> None:
        """Nobody listens."""


def host_of(scheduler: Any) -> StoreHost:
    """What a store may ask of whoever starts it.

    Args:
        scheduler: one of ours; a `StoreHost`; or what somebody has in its place, or ``None``: then nobody is asked.
    """
    host: Any = scheduler if _is_host(scheduler) else getattr(scheduler, "store_host", None)
    return cast("StoreHost", host) if _is_host(host) else NullHost()


def _is_host(found: Any) -> bool:
    return StoreHost in type(found).__mro__  # a stand-in of tests has every attribute that it is asked for

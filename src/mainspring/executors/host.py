"""What an executor may ask of the scheduler that it serves.

A scheduler has it as its attribute `executor_host`; an executor that is started without one, as in tests, has a `NullHost`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from mainspring.clock import clock_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainspring.clock import Clock
    from mainspring.model import Submission


class ExecutorHost(Protocol):
    """The scheduler, as its executors see it. Its methods may be called from any thread.

    Attributes:
        clock: by which the scheduler goes.
    """

    @property
    def clock(self) -> Clock: ...  # noqa: D102 - see above

    @property
    def own(self) -> Submission | None:
        """The submission whose function is calling; ``None``: no job's is."""

    def going_on(self) -> Iterable[Submission]:
        """What was submitted to executors and has not ended."""

    def wait_for_others(self, seconds: float, alias: str) -> object:
        """Wait until what was submitted to the executor of an alias has ended, but for the caller's own; for so many seconds at most."""

    def abandon(self, submission: Submission) -> None:
        """A submission is over, though nobody can say what became of it; its outcome is whoever's who has its `outcome_lock`."""


class NullHost(ExecutorHost):
    """No scheduler: nothing was submitted by it."""

    @property
    def clock(self) -> Clock:
        """The machine's."""
        return clock_of(None)

    @property
    def own(self) -> Submission | None:
        """See `ExecutorHost.own`."""
        return None

    def going_on(self) -> Iterable[Submission]:
        """Nothing."""
        return ()

    def wait_for_others(self, seconds: float, alias: str) -> object:
        """There is nothing to wait for."""

    def abandon(self, submission: Submission) -> None:
        """Nobody listens."""


def host_of(scheduler: Any) -> ExecutorHost:
    """What an executor may ask of whoever starts it; of what isn't one of our schedulers, nothing."""
    host: Any = getattr(scheduler, "executor_host", None)
    # Its class is looked at, since a stand-in of tests has every attribute that it is asked for.
    return cast("ExecutorHost", host) if ExecutorHost in type(host).__mro__ else NullHost()

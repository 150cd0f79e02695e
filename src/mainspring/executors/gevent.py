"""Runs each submission in a greenlet of its own, for a `GeventScheduler`."""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from mainspring.errors import ConfigurationError
from mainspring.executors.event_loop import LOOP_PLACES, key_of_caller
from mainspring.executors.native import NativeExecutor
from mainspring.executors.run import call_function, close_worker, perform, report_unbegun, resolve_awaitable
from mainspring.extras import library_missing
from mainspring.former_names import former_names

try:
    import gevent
except ImportError as error:
    raise library_missing("GeventExecutor", "gevent", "gevent", "gevent", error) from error

if TYPE_CHECKING:
    from mainspring.executors.report import RunReporter
    from mainspring.model import JobRecord, Submission

__all__ = ["GeventExecutor"]


class GeventExecutor(NativeExecutor):
    """The default executor of a `GeventScheduler`. A coroutine function is run to its end in a thread of gevent's pool."""

    def __init__(self) -> None:
        super().__init__()
        self._greenlets: dict[int, Any] = {}
        self._given: dict[int, tuple[Submission, RunReporter]] = {}

    def leave_to_parent(self) -> None:
        """See `BaseExecutor.leave_to_parent`. Greenlets outlive a fork: those that run jobs are ended here."""
        super().leave_to_parent()
        left, self._greenlets = self._greenlets, {}
        self._given = {}
        here = gevent.getcurrent()
        gevent.killall([one for one in left.values() if one not in (None, here)], block=False)

    @property
    def places(self) -> int:
        """How many submissions run at a time, about."""
        return LOOP_PLACES

    def start(self, scheduler: Any, alias: str) -> None:
        """Called when the scheduler starts.

        Raises:
            ConfigurationError: the scheduler has no hub of gevent.
        """
        if not hasattr(scheduler, "_hub"):
            raise ConfigurationError(
                f"GeventExecutor runs jobs in greenlets of a GeventScheduler, and the scheduler is a {type(scheduler).__name__}: "
                "use that, or a ThreadPoolExecutor"
            )
        super().start(scheduler, alias)

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        self._greenlets[id(submission)] = None
        self._given[id(submission)] = (submission, reporter)
        self._scheduler.call_soon(partial(self._run, submission, reporter))

    def _run(self, submission: Submission, reporter: RunReporter) -> None:
        """Run a submission in the greenlet that calls this."""
        key = id(submission)
        self._greenlets[key] = gevent.getcurrent()
        try:
            perform(submission, reporter, self._call, self._logger, cancellation=gevent.GreenletExit)
        finally:
            self._greenlets.pop(key, None)
            self._given.pop(key, None)

    def leave_loop(self) -> None:
        """The hub was destroyed: what has run on it goes on no more, though nobody there can say so."""
        self._greenlets.clear()
        while self._given:
            _, (submission, reporter) = self._given.popitem()
            if submission.run_time is None:
                report_unbegun(submission, reporter)
            elif submission.outcome_lock.acquire(False):
                self._host.abandon(submission)

    def _call(self, job: JobRecord) -> Any:
        return call_function(job, self._around, _finished_anywhere)

    def interrupt(self, submission: Submission) -> None:
        """End the greenlet that runs a submission."""
        self._scheduler.call_soon(partial(self._end, submission))

    def _end(self, submission: Submission) -> None:
        greenlet = self._greenlets.get(id(submission))
        if greenlet is not None:
            greenlet.kill(gevent.GreenletExit, block=False)

    def shutdown(self, wait: bool = True) -> None:
        """Take no more work; without `wait`, end the greenlets that run, but for the one that calls this."""
        if wait or not self._greenlets:
            return
        self._scheduler.call_soon(partial(self._end_all, key_of_caller(self._host)))

    def _end_all(self, spared: int | None) -> None:
        left = [one for key, one in list(self._greenlets.items()) if one is not None and key != spared]
        gevent.killall(left, block=False)


def _finished_anywhere(result: Any) -> Any:
    return finished_in_thread(result) if isawaitable(result) else result


def finished_in_thread(awaitable: Any) -> Any:
    """What comes of awaiting, by a loop of asyncio in a thread of gevent's pool; other greenlets run meanwhile."""
    result, error = gevent.get_hub().threadpool.apply(copy_context().run, (_finished, awaitable))
    if error is not None:
        raise error
    return result


def _finished(awaitable: Any) -> tuple[Any, BaseException | None]:
    try:
        return resolve_awaitable(awaitable), None
    except BaseException as error:  # noqa: BLE001 - raised where it is waited for; the pool would print it
        return None, error
    finally:
        close_worker()


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)

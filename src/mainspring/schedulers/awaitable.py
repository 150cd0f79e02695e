"""For schedulers of event loops whose functions can await: the methods that ask job stores, to be awaited.

``await scheduler.aadd_job(...)`` is ``scheduler.add_job(...)`` in a thread, so that the loop goes on while a job store takes its time.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial, update_wrapper, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from mainspring.schedulers.base import BaseScheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

P = ParamSpec("P")
T = TypeVar("T")


def _awaitable(
    method: Callable[Concatenate[Any, P], T],
) -> Callable[Concatenate[Any, P], Awaitable[T]]:
    name = method.__name__

    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        answer: Awaitable[T] = self._off_loop(partial(getattr(self, name), *args, **kwargs), f"a{name}")
        return answer

    update_wrapper(call, method)
    call.__name__ = f"a{name}"
    call.__doc__ = f"`{name}`, to be awaited: the event loop goes on while job stores are asked."
    return call


class AwaitableMethods:
    """Twins of the methods of `BaseScheduler` that ask job stores; they take the same and answer the same."""

    @abstractmethod
    def _off_loop(self, call: Callable[[], T], name: str | None = None) -> Awaitable[T]:
        """Have `call` called in a thread; its result, to be awaited on the loop.

        Args:
            name: of the method whose answer that is, to be named to whoever forgets to await it.
        """

    aadd_jobstore = _awaitable(BaseScheduler.add_jobstore)  # type: ignore[arg-type]  # as below
    aadd_job = _awaitable(BaseScheduler.add_job)  # type: ignore[arg-type]  # as if a keyword could be called self
    aadd_jobs = _awaitable(BaseScheduler.add_jobs)
    amodify_job = _awaitable(BaseScheduler.modify_job)
    areschedule_job = _awaitable(BaseScheduler.reschedule_job)  # type: ignore[arg-type]  # as if a keyword could be called self
    apause_job = _awaitable(BaseScheduler.pause_job)
    aresume_job = _awaitable(BaseScheduler.resume_job)
    apause_jobs = _awaitable(BaseScheduler.pause_jobs)
    aresume_jobs = _awaitable(BaseScheduler.resume_jobs)
    aremove_jobs = _awaitable(BaseScheduler.remove_jobs)
    aremove_job = _awaitable(BaseScheduler.remove_job)
    aremove_all_jobs = _awaitable(BaseScheduler.remove_all_jobs)
    aget_job = _awaitable(BaseScheduler.get_job)
    aget_jobs = _awaitable(BaseScheduler.get_jobs)
    aget_runs = _awaitable(BaseScheduler.get_runs)
    aget_run = _awaitable(BaseScheduler.get_run)
    arun_job = _awaitable(BaseScheduler.run_job)
    await_for_run = _awaitable(BaseScheduler.wait_for_run)
    abackfill = _awaitable(BaseScheduler.backfill)
    acancel_run = _awaitable(BaseScheduler.cancel_run)
    aset_group = _awaitable(BaseScheduler.set_group)
    aremove_group = _awaitable(BaseScheduler.remove_group)
    aget_groups = _awaitable(BaseScheduler.get_groups)
    aget_parked_jobs = _awaitable(BaseScheduler.get_parked_jobs)
    aadopt_jobs = _awaitable(BaseScheduler.adopt_jobs)  # type: ignore[arg-type]  # as if a keyword could be called self
    aimport_jobs = _awaitable(BaseScheduler.import_jobs)
    aexport_jobs = _awaitable(BaseScheduler.export_jobs)
    ahealth = _awaitable(BaseScheduler.health)


def run_on_loop(function: Callable[..., Any]) -> Callable[..., None]:
    """A decorator for methods of schedulers of event loops: the method is called on the loop, whoever calls it."""

    @wraps(function)
    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        self.call_soon(partial(function, self, *args, **kwargs))

    return call

"""What APScheduler's subclasses of schedulers override, and how it is called here.

Most of these methods, and the public ones, are called by their name wherever they are needed (`wakeup`, `_configure`, `_check_uwsgi`, `_create_default_executor`,
`_create_default_jobstore`, `_create_lock`). The others stand where we have a shorter way: a scheduler takes the longer one, by `HOOKS`,
if somebody has replaced them. It looks for that when it is made, and again when it is started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mainspring.overrides import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.executors.base import BaseExecutor
    from mainspring.job import Job
    from mainspring.jobstores.base import BaseJobStore

# ruff: noqa: SLF001 - what is set here are parts of the scheduler
# ruff: noqa: PLW0108 - looked up at each call: what somebody has put into an object may be taken out again


def _events(scheduler: Any) -> None:
    scheduler._event_queue.use_hook(lambda event: scheduler._dispatch_event(event))


def _triggers(scheduler: Any) -> None:
    scheduler._factory.make_trigger = lambda trigger, arguments: scheduler._create_trigger(trigger, arguments)


def _named_triggers(scheduler: Any) -> None:
    scheduler._factory.make_named = lambda name, arguments: scheduler._create_plugin_instance(
        "trigger", name, arguments
    )


def _added_jobs(scheduler: Any) -> None:
    scheduler._hooks.adds_one_by_one = True


def _found_jobs(scheduler: Any) -> None:
    scheduler._hooks.asks_for_jobs = True


def _found_stores(scheduler: Any) -> None:
    scheduler._stores.lookup = lambda alias: scheduler._lookup_jobstore(alias)


def _found_executors(scheduler: Any) -> None:
    scheduler._dispatch.use_executors(LookedUpExecutors(scheduler))


def _modified_jobs(scheduler: Any) -> None:
    scheduler._hooks.modifies_by_name = True


def _passes(scheduler: Any) -> None:
    scheduler._waits_as_told = True


#: For each method, what makes a scheduler call it.
HOOKS: Mapping[str, Callable[[Any], None]] = {
    "_dispatch_event": _events,
    "_create_trigger": _triggers,
    "_create_plugin_instance": _named_triggers,
    "_real_add_job": _added_jobs,
    "_lookup_job": _found_jobs,
    "modify_job": _modified_jobs,
    "_lookup_jobstore": _found_stores,
    "_lookup_executor": _found_executors,
    "_process_jobs": _passes,
}


def take_hooks(scheduler: Any) -> None:
    """Have a scheduler call what somebody has replaced of it."""
    for name in replaced(scheduler, HOOKS):
        HOOKS[name](scheduler)
    scheduler._stores.take_hooks()


class JobHooks:
    """The methods about jobs that somebody may have replaced of a scheduler; each is looked up when it is called.

    Attributes:
        adds_one_by_one: whether each job is added by `_real_add_job`, since that was replaced.
        asks_for_jobs: whether jobs are found by `_lookup_job`, as above.
        modifies_by_name: whether whatever changes a job does so by `modify_job`, as above.
    """

    def __init__(self, scheduler: Any) -> None:
        self.adds_one_by_one = self.asks_for_jobs = self.modifies_by_name = False
        self._scheduler = scheduler

    def add(self, job: Job, alias: str, replace_existing: bool) -> None:
        """Add a job to a store that has been started, as APScheduler adds it."""
        self._scheduler._real_add_job(job, alias, replace_existing)

    def job(self, job_id: str, alias: str | None) -> tuple[Any, str | None] | None:
        """The job that somebody's own `_lookup_job` finds, with the alias of its store; ``None``: nobody has one."""
        if self.asks_for_jobs or "_lookup_job" in vars(self._scheduler):
            found: tuple[Any, str | None] = self._scheduler._lookup_job(job_id, alias)
            return found
        return None

    @property
    def has_own_modify(self) -> bool:
        """Whether somebody's own `modify_job` is to be called, as APScheduler would call it."""
        return self.modifies_by_name or "modify_job" in vars(self._scheduler)

    def modify(self, job_id: str, alias: str | None, **changes: Any) -> Job:
        """Change a job."""
        changed: Job = self._scheduler.modify_job(job_id, alias, **changes)
        return changed

    def remove(self, job_id: str, alias: str | None) -> None:
        """Remove a job."""
        self._scheduler.remove_job(job_id, alias)

    def given_store(self, alias: str) -> BaseJobStore:
        """The job store of an alias, as it was given."""
        found: BaseJobStore = self._scheduler._lookup_jobstore(alias)
        return found


class LookedUpExecutors(Mapping[str, "BaseExecutor"]):
    """The executors of a scheduler as its `_lookup_executor` finds them; those that are listed are the ones that were added.

    A job store that nodes share hands out only jobs whose executors are listed.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    def __getitem__(self, alias: str) -> BaseExecutor:
        found: BaseExecutor = self._scheduler._lookup_executor(alias)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._scheduler._executors))

    def __len__(self) -> int:
        return len(self._scheduler._executors)

"""The types of what may be said of a job, for type checkers; what is said is judged in `definition`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date, timedelta

    from mainspring.model import Overlap
    from mainspring.retry import Retry
    from mainspring.triggers.base import BaseTrigger

#: Seconds, or a duration.
Duration: TypeAlias = "float | timedelta"
#: A point in time; text and what has no time zone is read in the scheduler's.
Moment: TypeAlias = "date | str"
#: Functions that make context managers, or references to them.
Hooks: TypeAlias = "Callable[[], Any] | str | Iterable[Callable[[], Any] | str]"
OnLost: TypeAlias = Literal["record", "rerun"]
MisfirePolicy: TypeAlias = Literal["skip", "once", "all"]
#: What a job does; `Job.state` says what each means.
JobState: TypeAlias = Literal["pending", "scheduled", "waiting", "paused", "ended"]


class JobDefaults(TypedDict, total=False):
    """The options that `job_defaults` takes; `BaseScheduler.add_job` says what they mean."""

    misfire_grace_time: Duration | None
    coalesce: bool
    max_instances: int
    on_lost: OnLost
    reruns: int
    tags: Iterable[str]
    retry: Retry | Mapping[str, Any] | int | None
    timeout: Duration | None
    overlap: Overlap
    group: str | None
    misfire_policy: MisfirePolicy
    catch_up_limit: int
    priority: int
    max_runs: int | None
    pause_after_failures: int | None
    keep_result: bool
    capture_log: bool
    around_run: Hooks
    metadata: Mapping[str, Any] | None


class JobChanges(JobDefaults, total=False):
    """What `modify_job` may change."""

    func: Callable[..., Any] | str
    args: Iterable[Any] | None
    kwargs: Mapping[str, Any] | None
    name: str
    trigger: BaseTrigger
    executor: str
    next_run_time: Moment | None
    note: str | None

"""What becomes of a task of Celery's: a call of its function in the scheduler's own process, or a message to Celery's workers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.coercion import is_number

if TYPE_CHECKING:
    from mainspring.moving.plan import Planner
    from mainspring.triggers.base import BaseTrigger

_REFERENCE = re.compile(r"(?P<module>\w+(?:\.\w+)*)\.(?P<name>\w+)")
#: Options that mean something without a broker.
_UNDERSTOOD = {"expires", "time_limit", "soft_time_limit"}
#: What django-celery-beat adds by itself.
_OWN_HEADER = "periodic_task_name"


class Task(NamedTuple):
    """A task, as a schedule names it.

    Attributes:
        name: by which Celery knows it.
        args, kwargs: of the call.
        options: of the message.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    options: Mapping[str, Any]


class Target:
    """How tasks are run.

    Args:
        send: called with a task's name, ``args=``, ``kwargs=`` and the options, as an app's ``send_task``; a function, or a reference to
            one; ``None``: functions are called in the scheduler's process.
        tasks: references to functions, or functions, by the names of tasks; or a function that gives one for a name.
    """

    def __init__(self, send: Any, tasks: Any) -> None:
        if tasks is not None and not isinstance(tasks, Mapping) and not callable(tasks):
            raise TypeError(
                f"tasks must be a mapping from names of tasks to functions, or a function, got {type(tasks).__name__} {tasks!r}"
            )
        self._send = send
        self._tasks = tasks

    def plan(
        self,
        planner: Planner,
        job_id: str,
        task: Task,
        trigger: BaseTrigger,
        *,
        place: str,
        notes: list[str],
        is_paused: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Plan a job for a task, or say why there can be none."""
        made: dict[str, Any] = {"overlap": "allow", **(options or {})}
        if self._send is not None:
            call = {"args": list(task.args), "kwargs": dict(task.kwargs), **task.options}
            planner.add(
                job_id,
                self._send,
                trigger,
                args=(task.name,),
                kwargs=call,
                name=task.name,
                options=made,
                place=place,
                notes=notes,
                is_paused=is_paused,
            )
            return
        func = self._function(task.name)
        if func is None:
            planner.leave_out(place, f"{job_id} ({task.name})", _why_unknown(task.name))
            return
        made |= _without_broker(task.options, notes)
        planner.add(
            job_id,
            func,
            trigger,
            args=task.args,
            kwargs=task.kwargs,
            name=task.name,
            options=made,
            place=place,
            notes=notes,
            is_paused=is_paused,
        )

    def end_of(self, options: Mapping[str, Any]) -> datetime | None:
        """The time from which on a task isn't run, where its options name one and Celery won't see to it."""
        expires = options.get("expires")
        return expires if self._send is None and isinstance(expires, datetime) else None

    def _function(self, name: str) -> str | Callable[..., Any] | None:
        found = (
            self._tasks.get(name)
            if isinstance(self._tasks, Mapping)
            else self._tasks(name)
            if self._tasks
            else None
        )
        if found is not None:
            given: str | Callable[..., Any] = found
            return given
        match = _REFERENCE.fullmatch(name)
        if match is None or match["module"].split(".")[0] == "celery":
            return None
        return f"{match['module']}:{match['name']}"


def _why_unknown(name: str) -> str:
    if name.startswith("celery."):
        return "it is a task of Celery's own, for its workers: read with send=… to send it to them"
    return f"the name says not in which module the function is: read with tasks={{{name!r}: 'package.module:function'}}, or with send=… to send it to Celery's workers"


def _without_broker(options: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """What a task's options become where its function is called in the scheduler's process."""
    made: dict[str, Any] = {}
    expires = options.get("expires")
    if is_number(expires):
        made["misfire_grace_time"] = expires
    limit = options.get("time_limit") or options.get("soft_time_limit")
    if limit:
        made["timeout"] = limit
    if options.get("time_limit") and options.get("soft_time_limit"):
        notes.append("a run is ended at its time_limit; nothing is raised in it at its soft_time_limit")
    lost = {
        name: value for name, value in options.items() if name not in _UNDERSTOOD and value not in (None, {})
    }
    headers = lost.get("headers")
    if isinstance(headers, Mapping) and not headers.keys() - {_OWN_HEADER}:
        del lost["headers"]
    if lost:
        told = ", ".join(f"{name}={value!r}" for name, value in lost.items())
        notes.append(f"{told}: of no use without a broker; with send=… the task is sent with it")
    return made

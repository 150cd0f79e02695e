"""What each step of a story does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mainspring.errors import MainspringError
from mainspring.testing.simulation.wire import KilledError
from mainspring.testing.simulation.work import work
from mainspring.triggers.after import AfterJob
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.testing.simulation.nodes import Node
    from mainspring.testing.simulation.stories import Step
    from mainspring.testing.simulation.world import World

_WORK = ("takes", "ends", "manner")


def take(world: World, step: Step) -> None:
    """Do what a step says, if there is anybody to do it."""
    if step.name in _WORLD:
        _WORLD[step.name](world, **step.values)
        return
    free = world.free_nodes()
    values = dict(step.values)
    if step.name == "kill":
        _kill(world, values["node"])
        return
    if not free:
        world.tell("there is nobody to do it")
        return
    node = free[values.pop("node") % len(free)]
    if step.name in _TO_NODES:
        _TO_NODES[step.name](node, **values)
    else:
        _ask(node, step, values)


def _kill(world: World, number: int) -> None:
    living = [node for node in world.nodes if not node.is_dead]
    if living:
        living[number % len(living)].kill()


def _ask(node: Node, step: Step, values: dict[str, Any]) -> None:
    """Have a program on a node do something."""
    world = node.world
    began = world.now
    node.is_busy += 1
    node.part = "call"
    result: Any = None
    is_unsure = False
    try:
        result = _CALLS[step.name](node, **values)
    except KilledError:
        is_unsure = True
    except (MainspringError, LookupError, ValueError) as error:
        world.tell(f"that is refused: {type(error).__name__}: {error}")
        result = error
    except Exception as error:  # noqa: BLE001 - the store's, where it can't be had for as long as a call is tried
        world.tell(f"that fails: {type(error).__name__}: {error}")
        is_unsure = True
    finally:
        node.is_busy -= 1
    world.chronicle.tell(step, result, began, is_unsure=is_unsure)
    if not node.is_dead:
        node.scheduler.tell_listeners()


def _trigger(world: World, words: tuple[Any, ...]) -> Any:
    kind, *values = words
    if kind == "every":
        return IntervalTrigger(
            seconds=values[0], start_date=world.time_of(round(values[1] * 1e6)), timezone=world.now.tzinfo
        )
    if kind == "at":
        return DateTrigger(world.time_of(round(values[0] * 1e6)), timezone=world.now.tzinfo)
    return AfterJob(*values)


def _options(values: dict[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in values.items() if name not in _WORK}
    if options.get("retry") is not None:
        attempts, delay = options["retry"]
        options["retry"] = {"attempts": attempts, "delay": delay, "backoff": 1}
    return options


def _add(node: Node, job: str, trigger: tuple[Any, ...], **values: Any) -> Any:
    kwargs = {name: values[name] for name in _WORK if name in values}
    return node.scheduler.add_job(
        work, _trigger(node.world, trigger), kwargs=kwargs, id=job, replace_existing=True, **_options(values)
    )


def _cancel(node: Node, job: str) -> None:
    runs = [run for run in node.scheduler.get_runs(job, limit=100) if run.outcome is None]
    if runs:
        newest = max(runs, key=lambda run: (run.scheduled_run_time, run.attempt))
        node.scheduler.cancel_run(newest.id)
        if newest.state == "running":
            node.world.cancelled.append((newest.id, node.world.now))


def _backfill(node: Node, job: str, start: float, end: float) -> Any:
    world = node.world
    return node.scheduler.backfill(job, world.time_of(round(start * 1e6)), world.time_of(round(end * 1e6)))


_CALLS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "change": lambda node, job, **values: node.scheduler.modify_job(job, **_options(values)),
    "reschedule": lambda node, job, trigger: node.scheduler.reschedule_job(
        job, trigger=_trigger(node.world, trigger)
    ),
    "pause": lambda node, job: node.scheduler.pause_job(job),
    "resume": lambda node, job: node.scheduler.resume_job(job),
    "remove": lambda node, job: node.scheduler.remove_job(job),
    "run": lambda node, job: node.scheduler.run_job(job),
    "cancel": _cancel,
    "backfill": _backfill,
    "group": lambda node, group, **limits: node.scheduler.set_group(group, **limits),
    "ungroup": lambda node, group: node.scheduler.remove_group(group),
    "leave": lambda node: node.leave(),
}


def _hold(node: Node, part: str, seconds: float) -> None:
    node.held_until[part] = node.world.after(seconds)
    node.was_held(part, seconds)


def _on_wire(node: Node, name: str, **values: Any) -> None:
    wire = node.place.wire
    if wire is not None:
        getattr(wire, name)(**values)


def _cut(node: Node, seconds: float) -> None:
    node.cut_until = node.world.after(seconds)
    node.was_held("lease", seconds)


def _set_clock(node: Node, seconds: float) -> None:
    if node.world.story.has_clock:  # otherwise all nodes have the machine's
        node.clock.is_off_by = timedelta(seconds=seconds)


def _refuse(node: Node) -> None:
    for executor in node.executors.values():
        executor.refusals = 1


_TO_NODES: dict[str, Callable[..., None]] = {
    "kill_at": lambda node, **values: _on_wire(node, "kill_at", **values),
    "stall": lambda node, seconds: node.stop(seconds),
    "stall_at": lambda node, **values: _on_wire(node, "stop_at", **values),
    "fail": lambda node, **values: _on_wire(node, "fail_commit", **values),
    "hold": _hold,
    "cut": _cut,
    "clock": _set_clock,
    "refuse": _refuse,
}

_WORLD: dict[str, Callable[..., None]] = {
    "node": lambda world: world.start_node(),
    "outage": lambda world, seconds: world.outage(seconds),
    "full": lambda world, seconds: world.outage(seconds, is_full=True),
    "deaf": lambda world, seconds: world.lose_announcements(seconds),
}

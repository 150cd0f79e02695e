"""Plays a story, and says what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.events import EVENT_JOB_LOST
from mainspring.testing.checker import check
from mainspring.testing.simulation.stores import stores_named
from mainspring.testing.simulation.world import SpinningError, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.model import RunKey
    from mainspring.testing.checker import Observed
    from mainspring.testing.simulation.stories import Story
    from mainspring.testing.simulation.work import TrueCall

#: Moments of what happens at one time are this near to each other.
_PRECISION = timedelta(milliseconds=1)
#: A node looks at what is to be cancelled every two seconds.
_NOTICED_WITHIN = timedelta(seconds=4)


class Played(NamedTuple):
    """What came of a story.

    Attributes:
        story: the story.
        store: what it was played on.
        faults: what went wrong that should not have, one sentence each; empty: nothing.
        history: all runs, calls and events, as plain values: the same for the same story.
        lines: what happened, to be read.
    """

    story: Story
    store: str
    faults: list[str]
    history: list[Any]
    lines: list[str]

    def assert_faultless(self) -> None:
        """Raise an `AssertionError` that tells the story and what went wrong, if anything did."""
        if self.faults:
            raise AssertionError(self.told())

    @property
    def kinds(self) -> set[str]:
        """The kinds of its faults, by which another fault isn't taken for this one."""
        return {fault.partition(":")[0] for fault in self.faults}

    def told(self) -> str:
        """The story, what happened and what went wrong, to be read; and a test to paste."""
        parts = [
            str(self.story),
            "What happened, in seconds:\n" + "\n".join(self.lines),
            f"What went wrong on {self.store}:\n" + "\n".join(f"- {fault}" for fault in self.faults),
            "As a test:\n" + self.story.as_test(store=self.store),
        ]
        return "\n\n".join(parts)


def play(story: Story, *, store: str = "sqlite-memory") -> Played:
    """Play a story from its beginning.

    Args:
        store: ``"sqlite-memory"``, ``"sqlite"`` (a file), or ``"memory"``, for stories of one node that isn't killed.

    Raises:
        ValueError: there is no such store.
    """
    world = World(story, stores_named(store))
    try:
        try:
            world.play()
        except SpinningError as error:
            return Played(story, store, [f"spins: {error}"], [], world.lines)
        observed = world.observed()
        faults = [
            *map(str, check(observed)),
            *_unended(world, observed),
            *_unfenced(world, observed),
            *_left_behind(world, observed),
            *_not_cancelled(world, observed),
            *_lost_by_itself(world, observed),
            *(f"error: {error}" for error in world.errors),
        ]
        return Played(story, store, faults, _history(world, observed), world.lines)
    finally:
        world.close()


def _unended(world: World, observed: Observed) -> list[str]:
    """Runs that go on by their records, though a story ends only when all of them have had the time to end."""
    going = {
        call.job_id
        for call in observed.calls or ()
        if call.ended is None and call.node in world.living_names()
    }
    return [
        f"unended: the run {run.id!r} is still running by its record on {run.node}, and nobody runs it"
        for run in observed.runs
        if run.state == "running" and run.job_id not in going
    ]


def _unfenced(world: World, observed: Observed) -> Iterator[str]:
    """Calls that a node began though it could know that it must not: what a checker can't say that doesn't see when a node looks at its lease."""
    lost = {run.key: run.finished for run in observed.runs if run.outcome == "lost" and run.finished}
    for node in world.nodes:
        calls = [call for executor in node.executors.values() for call in executor.all_true_calls()]
        for call in calls:
            since = lost.get(call.key)
            if since is not None and call.began > since + _PRECISION:
                yield f"begun_late: {node.name} began the run {call.key} at {call.began}, and it had been lost since {since}"
            if call.cause == "rerun":
                yield from _beside(node.name, call, calls, lost)


def _beside(name: str, call: TrueCall, calls: list[TrueCall], lost: dict[RunKey, datetime]) -> Iterator[str]:
    for other in calls:
        is_same = other.key[:2] == call.key[:2] and other.key != call.key and other.key in lost
        if is_same and other.began < call.began and other.ended is not None and call.began < other.ended:
            yield f"beside_itself: {name} began the rerun {call.key} at {call.began}, and itself still ran {other.key}, which was lost"


def _left_behind(world: World, observed: Observed) -> Iterator[str]:
    """Runs that were lost with a node that has left in order: it ends what it has begun, and gives back what it hasn't."""
    in_order = {
        node.name for node in world.nodes if node.is_leaving and not (node.was_silent or node.was_killed)
    }
    for run in observed.runs:
        if run.outcome == "lost" and run.node in in_order:
            yield f"left_behind: the run {run.id!r} is lost, and its node {run.node} has left in order"


def _not_cancelled(world: World, observed: Observed) -> Iterator[str]:
    """Runs that went on though they had been cancelled long before, and their node could know it."""
    if observed.outages:
        return
    runs = {run.id: run for run in observed.runs}
    silent = {node.name for node in world.nodes if node.gaps}
    for name, moment in world.cancelled:
        run = runs.get(name)
        if run is None or run.finished is None or run.node in silent or run.outcome in {"cancelled", "lost"}:
            continue
        if run.finished > moment + _NOTICED_WITHIN:
            yield f"not_cancelled: the run {name!r} was cancelled at {moment}, and ended at {run.finished} as {run.outcome}"


def _lost_by_itself(world: World, observed: Observed) -> Iterator[str]:
    """Runs that a node recorded as lost while it ran them itself: it of all nodes knows that they go on."""
    lost = {run.id: run.finished for run in observed.runs if run.outcome == "lost"}
    for node in world.nodes:
        recorded = {
            getattr(event, "run_id", "") for event in node.heard.events if event.code == EVENT_JOB_LOST
        }
        for executor in node.executors.values():
            for call in executor.all_true_calls():
                since = lost.get(call.key.id) if call.key.id in recorded else None
                if (
                    since is not None
                    and call.began < since - _PRECISION
                    and (call.ended is None or call.ended > since + _PRECISION)
                ):
                    yield f"lost_by_itself: {node.name} recorded the run {call.key.id!r} as lost at {since}, and ran it itself since {call.began}"


def _history(world: World, observed: Observed) -> list[Any]:
    seconds = world.seconds
    runs = [
        (
            "run", run.job_id, seconds(run.scheduled_run_time), run.attempt, run.state, run.cause, run.node,
            run.started and seconds(run.started), run.finished and seconds(run.finished), run.error,
        )
        for run in observed.runs
    ]  # fmt: skip
    calls = [
        ("call", call.job_id, call.node, seconds(call.began), call.ended and seconds(call.ended))
        for call in observed.calls or ()
    ]
    events = [
        (node.name, event.code, getattr(event, "job_id", None), str(getattr(event, "run_id", None)))
        for node in world.nodes
        for event in node.heard.events
    ]
    return [*sorted(runs, key=repr), *sorted(calls, key=repr), *events]

"""Stories: what happens in a simulation, as a list of steps that can be read, shortened and pasted into a test.

A story is data. Nothing of it is decided while it is played: whatever chance there is, such as which of two nodes goes first, is a number in a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How each step is told.
_SENTENCES = {
    "node": "another node is started",
    "leave": "node {node} is shut down",
    "kill": "node {node} is killed",
    "kill_at": "node {node} is to be killed {when} commit number {nth} of its {part} from now",
    "stall": "node {node} is stopped for {seconds:g} s, and goes on then",
    "stall_at": "node {node} is to be stopped for {seconds:g} s {when} transaction number {nth} of its {part} from now",
    "hold": "the {part} of node {node} gets no turn for {seconds:g} s",
    "fail": "commit number {nth} of the {part} of node {node} from now is to fail: {how}",
    "cut": "node {node} can't reach the store for {seconds:g} s",
    "outage": "the store is away for {seconds:g} s",
    "full": "the disk of the store is full for {seconds:g} s",
    "deaf": "announcements of changes are lost for {seconds:g} s",
    "clock": "the wall clock of node {node} is set by {seconds:+g} s",
    "refuse": "the executors of node {node} refuse the next submission",
    "tick": "{seconds:g} s pass",
    "add": "node {node} adds job {job!r}, {trigger}",
    "change": "node {node} changes job {job!r}",
    "reschedule": "node {node} gives job {job!r} another schedule, {trigger}",
    "pause": "node {node} pauses job {job!r}",
    "resume": "node {node} resumes job {job!r}",
    "remove": "node {node} removes job {job!r}",
    "run": "node {node} runs job {job!r} now",
    "cancel": "node {node} cancels the newest open run of job {job!r}",
    "backfill": "node {node} backfills job {job!r} from {start:g} s to {end:g} s",
    "group": "node {node} limits group {group!r}",
    "ungroup": "node {node} takes the limits from group {group!r}",
}
_TOLD = frozenset(
    {"node", "job", "trigger", "group", "seconds", "nth", "when", "how", "part", "start", "end", "order"}
)


class Step(NamedTuple):
    """One step of a story.

    Attributes:
        name: what happens, such as ``"tick"``.
        values: the rest, such as ``{"seconds": 5}``. A node is a number; it is counted round among those that there are.
    """

    name: str
    values: dict[str, Any]

    def __repr__(self) -> str:
        return f"step({', '.join([repr(self.name), *(f'{name}={value!r}' for name, value in self.values.items())])})"

    def __str__(self) -> str:
        more = ", ".join(f"{name}={value!r}" for name, value in self.values.items() if name not in _TOLD)
        trigger = self.values.get("trigger")
        values = {**self.values, "trigger": None if trigger is None else _trigger_told(*trigger)}
        return _SENTENCES[self.name].format(**values) + (f" ({more})" if more else "")


def step(name: str, **values: Any) -> Step:
    """A step, as it is printed.

    Raises:
        ValueError: there is no such step.
    """
    if name not in _SENTENCES:
        raise ValueError(f"a step must be one of {', '.join(sorted(_SENTENCES))}, got {name!r}")
    return Step(name, values)


def _trigger_told(kind: str, *values: Any) -> str:
    if kind == "every":
        return f"due every {values[0]:g} s from {values[1]:g} s on"
    if kind == "at":
        return f"due at {values[0]:g} s"
    return f"due after each run of {values[0]!r} ({values[1]})"


class Story(NamedTuple):
    """What happens, from the beginning.

    Attributes:
        steps: in order.
        nodes: how many nodes there are at first.
        has_clock: whether the store has a clock of its own, as a server has; otherwise it goes by that of whichever node asks, as a file does.
    """

    steps: tuple[Step, ...]
    nodes: int = 1
    has_clock: bool = False

    def with_steps(self, steps: Iterable[Step]) -> Story:
        """The same with other steps."""
        return self._replace(steps=tuple(steps))

    def __str__(self) -> str:
        clock = "with a clock of its own" if self.has_clock else "without a clock"
        nodes = "1 node" if self.nodes == 1 else f"{self.nodes} nodes"
        lines = [f"{nodes}, on a store {clock}."]
        lines += [f"{number}. {one}." for number, one in enumerate(self.steps, 1)]
        return "\n".join(lines)

    def as_test(self, name: str = "test_story", store: str = "sqlite-memory") -> str:
        """A test that plays it, to be pasted into a file of tests."""
        clock = ", has_clock=True" if self.has_clock else ""
        lines = [
            "from mainspring.testing.simulation import Story, play, step",
            "",
            "",
            f"def {name}():",
            "    story = Story(",
            "        steps=(",
            *(f"            {one!r}," for one in self.steps),
            "        ),",
            f"        nodes={self.nodes}{clock},",
            "    )",
            f"    play(story, store={store!r}).assert_faultless()",
        ]
        return "\n".join(lines)

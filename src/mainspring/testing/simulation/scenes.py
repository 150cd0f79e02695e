"""Scenes: steps that lead together to a place where a rule is needed, and to which steps that are drawn one by one come seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.testing.simulation.stories import Step, step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

#: Longer than any lease that is asked about within a scene.
_LONG = 15
#: Seconds of silence after which a node has lost its lease, whatever it did just before.
_SILENCES = (9, 11)


class Scene:
    """What a scene is made of.

    Args:
        random: draws what is left open.
        now: seconds since the story began.
        nodes: how many there are; the scene is about one of them, and the others.
        jobs: two that it may add.
    """

    def __init__(self, random: Random, now: float, nodes: int, jobs: Sequence[str]) -> None:
        self._random = random
        self._now = now
        self._nodes = nodes
        self._node = random.randrange(nodes)
        self._job, self._other_job = jobs

    def steps(self, number: int) -> list[Step]:
        """The steps of one scene; numbers are counted round."""
        return _SCENES[number % len(_SCENES)](self)

    def _tick(self, seconds: float) -> Step:
        return step("tick", seconds=seconds, order=self._random.randrange(1, 1000))

    def _others(self, name: str, **values: Any) -> list[Step]:
        """A step for each of the other nodes."""
        return [step(name, node=node, **values) for node in range(self._nodes) if node != self._node]

    def _add(self, job: str, **values: Any) -> Step:
        values = {"coalesce": False, "on_lost": "rerun", **values}
        return step("add", node=self._node, job=job, **values)

    def _crowd(self) -> list[Step]:
        """The node has claimed more than it can begin."""
        every = ("every", 1, self._now + 1)
        crowd = self._add(self._job, trigger=every, takes=4, executor="small", max_instances=5)
        return [*self._others("hold", part="pass", seconds=6), crowd, self._tick(3)]

    def _long_run(self, **values: Any) -> list[Step]:
        """The node runs something for longer than its lease."""
        run = self._add(self._job, trigger=("at", self._now + 1), takes=_LONG, **values)
        return [*self._others("hold", part="pass", seconds=4), run, self._tick(3)]

    def _is_silent(self) -> Step:
        return step(
            self._random.choice(["stall", "stall", "cut"]),
            node=self._node,
            seconds=self._random.choice(_SILENCES),
        )

    def silent_with_a_crowd(self) -> list[Step]:
        """What waits for a place is lost, and its node comes back."""
        return [*self._crowd(), self._is_silent(), self._tick(12)]

    def leaves_with_a_crowd(self) -> list[Step]:
        """A node leaves, and what waits for a place there is others' from then on."""
        return [*self._crowd(), step("leave", node=self._node), self._tick(4)]

    def silent_in_a_long_run(self) -> list[Step]:
        """What a node runs is lost, goes on there, and only that node can run it again."""
        held = self._others("hold", part="pass", seconds=30)
        return [*self._long_run(), *held, self._is_silent(), self._tick(14)]

    def silent_with_a_witness_that_dies(self) -> list[Step]:
        """Whoever has declared a node dead dies itself, before it has recorded as lost what that node runs."""
        kills = self._others("kill_at", part="store", nth=1, when="after")
        return [
            *self._long_run(),
            *self._others("hold", part="pass", seconds=30),
            *kills,
            self._is_silent(),
            self._tick(14),
        ]

    def outage_in_a_long_run(self) -> list[Step]:
        """None can speak for longer than a lease, and so none is dead."""
        # It may begin between any two of the moments at which nodes speak and look.
        shortly = self._tick(self._random.choice([0.75, 1.75]))
        outage = step("outage", seconds=self._random.choice(_SILENCES))
        return [*self._long_run(), shortly, outage, self._tick(_LONG)]

    def outage_after_a_claim(self) -> list[Step]:
        """What was claimed can't begin while the lease can't be renewed, and is given back when it can."""
        every = ("every", 1, self._now + 1)
        stop = step("stall_at", node=self._node, part="pass", nth=1, when="after", seconds=9)
        return [
            *self._others("hold", part="pass", seconds=4),
            self._add(self._job, trigger=every, takes=0, max_instances=3),
            stop,
            self._tick(2),
            # The others wait for nothing then, so that it goes on as soon as it can. It is stopped itself, and so it isn't counted among them.
            *(step("stall", node=node, seconds=13) for node in reversed(range(self._nodes - 1))),
            step("outage", seconds=11),
            self._tick(13),
        ]

    def cancelled_from_elsewhere(self) -> list[Step]:
        """A run is cancelled on another node than the one that runs it."""
        cancel = step("cancel", node=(self._node + 1) % self._nodes, job=self._job)
        return [*self._long_run(), cancel, self._tick(6)]

    def followed_and_lost(self) -> list[Step]:
        """A run is lost that another job comes after, and isn't run again."""
        follower = self._add(
            self._other_job, trigger=("after", self._job, self._random.choice(["any", "failure"])), takes=1
        )
        long_run = self._long_run(on_lost="record")
        return [follower, *long_run, step("kill", node=self._node), self._tick(12)]


_SCENES: tuple[Callable[[Scene], list[Step]], ...] = (
    Scene.silent_with_a_crowd,
    Scene.leaves_with_a_crowd,
    Scene.silent_in_a_long_run,
    Scene.silent_with_a_witness_that_dies,
    Scene.outage_in_a_long_run,
    Scene.outage_after_a_claim,
    Scene.cancelled_from_elsewhere,
    Scene.followed_and_lost,
)

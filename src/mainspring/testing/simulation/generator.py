"""Makes stories up: the same one from the same seed."""

from __future__ import annotations

from random import Random
from typing import Any

from mainspring.testing.simulation.scenes import Scene
from mainspring.testing.simulation.stories import Step, Story, step

#: Few, so that things meet.
JOBS = ("a", "b", "c", "d")
#: Those of a scene.
_SCENE_JOBS = ("e", "f")
#: Of so many seeds that follow each other, so many have no scene, and the others one each, in turn: a few hundred seeds have each of them often.
_ROUND, _WITHOUT_SCENE = 13, 7
GROUPS = ("g", "h")
_RARELY, _OFTEN = 0.25, 0.5
#: The parts of a node that the simulator gives turns to, and may hold up.
HELD = ("pass", "lease", "store", "work")
#: A node is stopped, or cut off, for less than its lease or for longer; in seconds.
_GAPS = (0.5, 2, 5, 7.5, 7.5, 9, 11, 15)


def story_of(seed: int, *, nodes: int | None = None, faults: bool = True) -> Story:
    """The story of a seed.

    Args:
        nodes: how many there are; ``None``: one to three, and others may come.
        faults: whether anything goes wrong. Without, there is also nothing that stores of one process can't do.
    """
    scene = _scene_of(seed) if faults and (nodes is None or nodes > 1) else None
    return _Author(Random(seed), nodes, faults=faults).written(scene)  # noqa: S311 - a story is no secret


def _scene_of(seed: int) -> int | None:
    """Which of the scenes the story of a seed has; ``None``: none."""
    rounds, place = divmod(seed, _ROUND)
    return None if place < _WITHOUT_SCENE else rounds * (_ROUND - _WITHOUT_SCENE) + place - _WITHOUT_SCENE


class _Author:
    def __init__(self, random: Random, nodes: int | None, *, faults: bool) -> None:
        self._random = random
        self._nodes = nodes or random.choice([1, 2, 2, 3, 3])
        self._faults = faults
        self._known: list[str] = []
        self._now = 0.0
        # A few kinds of trouble at a time: of all at once nothing is left to go right.
        kinds = [
            self._fail, self._fail, self._fail, self._kill, self._kill, self._stall, self._stall, self._stall,
            self._come_or_go, self._away, self._hold, self._hold, self._refuse, self._clock, self._deaf,
        ]  # fmt: skip
        self._troubles = random.sample(kinds, random.randint(2, 5)) if faults else []

    def written(self, scene: int | None) -> Story:
        random = self._random
        if scene is not None:
            self._nodes = max(self._nodes, 2)
        steps: list[Step] = []
        if random.random() < _RARELY:
            steps.append(self._group())
        steps.append(self._add_busy(JOBS[0]))
        steps += [self._add(job) for job in JOBS[1 : random.randint(2, len(JOBS))]]
        steps.append(self._tick())
        turns = random.randint(6, 12)
        scene_at = None
        if scene is not None:  # it finds a calm world, or one in which much has gone wrong
            turns, scene_at = turns // 2, random.choice([0, 0, 1, 2])
        for turn in range(turns):
            if scene is not None and turn == scene_at:
                steps += self._scene(scene)
            if self._troubles:
                steps += [random.choice(self._troubles)() for _ in range(random.randint(0, 2))]
            if random.random() < _OFTEN:
                steps.append(self._action())
            steps.append(self._tick())
        return Story(tuple(steps), self._nodes, has_clock=self._faults and random.random() < _OFTEN)

    def _scene(self, number: int) -> list[Step]:
        steps = Scene(self._random, self._now, self._nodes, _SCENE_JOBS).steps(number)
        self._now += sum(one.values["seconds"] for one in steps if one.name == "tick")
        self._known += [one.values["job"] for one in steps if one.name == "add"]
        return steps

    def _add_busy(self, job: str) -> Step:
        """A job that is due all the time, and whose runs are to be run by somebody, whatever happens."""
        self._known.append(job)
        random = self._random
        trigger = ("every", random.choice([1, 2, 3]), float(random.randint(0, 2)))
        takes = self._takes([0, 1, 2, 4, 6])
        on_lost = random.choice(["rerun", "rerun", "rerun", "record"])
        more: dict[str, Any] = {"max_instances": random.choice([2, 3, 5])} if random.random() < _OFTEN else {}
        if random.random() < _RARELY:
            more |= {"ends": ("failed", "succeeded"), "retry": (4, 1)}
        return step(
            "add",
            node=self._node(),
            job=job,
            trigger=trigger,
            takes=takes,
            coalesce=False,
            on_lost=on_lost,
            **more,
        )

    def _node(self) -> int:
        return self._random.randrange(self._nodes)

    def _tick(self) -> Step:
        seconds = self._random.choice([1, 2, 3, 4])
        self._now += seconds
        return step("tick", seconds=seconds, order=self._random.randrange(1, 1000))

    # What programs do

    def _action(self) -> Step:
        random = self._random
        name = random.choice(
            ["add", "change", "reschedule", "pause", "resume", "resume", "remove", "run", "run", "run", "cancel", "cancel", "backfill", "group", "ungroup"]
        )  # fmt: skip
        if name == "add":
            return self._add(random.choice(JOBS))
        job = random.choice(self._known)
        if name in {"group", "ungroup"}:
            return (
                self._group()
                if name == "group"
                else step(name, node=self._node(), group=random.choice(GROUPS))
            )
        values: dict[str, Any] = {"node": self._node(), "job": job}
        if name == "change":
            values |= self._options() or {"max_instances": 2}
        elif name == "reschedule":
            values["trigger"] = self._every()
        elif name == "backfill":
            start = max(self._now - random.randint(1, 12), 0)
            values |= {"start": start, "end": start + random.randint(0, 12)}
        return step(name, **values)

    def _add(self, job: str) -> Step:
        random = self._random
        if job not in self._known:
            self._known.append(job)
        kind = random.choice(["every", "every", "every", "at", "after", "after"])
        trigger: tuple[Any, ...] = self._every()
        if kind == "at":
            trigger = ("at", self._now + random.randint(0, 10))
        elif kind == "after":
            others = [other for other in self._known if other != job] or [
                other for other in JOBS if other != job
            ]
            trigger = ("after", random.choice(others), random.choice(["success", "failure", "any"]))
        ends = random.choice([("succeeded",), ("succeeded",), ("failed", "succeeded"), ("failed",)])
        work = {"takes": self._takes([0, 0, 1, 3, 6]), "ends": ends}
        if random.random() < _RARELY / 2:
            work["manner"] = "ignores"
        return step("add", node=self._node(), job=job, trigger=trigger, **work, **self._options())

    def _takes(self, seconds: list[int]) -> float:
        """How long a run takes. Where no order is to be tried, none ends at the very moment at which another is due."""
        return self._random.choice(seconds) + (0 if self._faults else 0.5)

    def _every(self) -> tuple[str, int, float]:
        return "every", self._random.choice([1, 2, 3, 5]), self._now + self._random.randint(0, 3)

    def _options(self) -> dict[str, Any]:
        random = self._random
        values = {
            "coalesce": random.choice([False, False, True]),
            "misfire_grace_time": random.choice([None, None, 2]),
            "catch_up_limit": random.choice([1000, 1000, 2]),
            "max_instances": random.choice([1, 2, 3]),
            "overlap": random.choice(["skip", "buffer_one", "buffer_all", "cancel_running", "allow"]),
            "on_lost": random.choice(["record", "rerun", "rerun"]),
            "retry": random.choice([(2, 1), (3, 2)]),
            "timeout": random.choice([2.25, 4.25]),
            "group": random.choice(GROUPS),
            "priority": random.choice([0, 1]),
            "max_runs": random.choice([4, 8]),
            "pause_after_failures": random.choice([2, 3]),
            "executor": "small",
        }
        names = random.sample(sorted(values), random.randint(0, 5))
        chosen = {name: values[name] for name in sorted(names)}
        if random.random() < _OFTEN:
            chosen.setdefault("on_lost", "rerun")
        return {"coalesce": False, **chosen}

    def _group(self) -> Step:
        limit, rate, per = self._random.choice([(1, None, 5), (2, None, 5), (None, 2, 5), (2, 3, 10)])
        return step(
            "group", node=self._node(), group=self._random.choice(GROUPS), limit=limit, rate=rate, per=per
        )

    # What goes wrong

    def _fail(self) -> Step:
        how = self._random.choice(["answer lost", "answer lost", "rolled back", "locked", "disk full"])
        return step("fail", **self._place(), how=how)

    def _place(self) -> dict[str, Any]:
        """At which of the next transactions something happens: of claims, mostly."""
        part = self._random.choice(["pass", "pass", "pass", "pass", "store", "store", "lease", "call"])
        return {"node": self._node(), "part": part, "nth": self._random.choice([1, 1, 2])}

    def _kill(self) -> Step:
        random = self._random
        if random.random() < _OFTEN:
            return step("kill", node=self._node())
        return step("kill_at", **self._place(), when=random.choice(["before", "after", "after"]))

    def _come_or_go(self) -> Step:
        return step("node") if self._random.random() < _RARELY else step("leave", node=self._node())

    def _stall(self) -> Step:
        random = self._random
        seconds = random.choice(_GAPS)
        if random.random() < _RARELY:
            return step("stall", node=self._node(), seconds=seconds)
        when = random.choice(["before", "after", "after"])
        return step("stall_at", **self._place(), when=when, seconds=seconds)

    def _away(self) -> Step:
        name = self._random.choice(["cut", "cut", "outage", "full"])
        where = {"node": self._node()} if name == "cut" else {}
        return step(name, **where, seconds=self._random.choice(_GAPS))

    def _hold(self) -> Step:
        part = self._random.choice(HELD)
        return step("hold", node=self._node(), part=part, seconds=self._random.choice(_GAPS))

    def _refuse(self) -> Step:
        return step("refuse", node=self._node())

    def _clock(self) -> Step:
        return step("clock", node=self._node(), seconds=self._random.choice([-3600, -5, -1, 1, 5, 3600]))

    def _deaf(self) -> Step:
        return step("deaf", seconds=self._random.choice(_GAPS))

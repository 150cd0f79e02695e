"""The state machine that makes programs up, and judges what comes of them.

It draws from a small world on purpose (three jobs, two groups, whole seconds), so that things meet.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from programs import Difference, Step, program_lines, reduced, step, take

JOBS = ["a", "b", "c"]
GROUPS = ["g", "h"]

every = st.tuples(st.just("every"), st.sampled_from([1, 2, 3, 5, 10]), st.integers(0, 5))
once = st.tuples(st.just("at"), st.integers(0, 10))
manners = st.sampled_from(["obeys", "raises", "ignores"])
HOW = ["succeeded", "succeeded", "failed", "failed", "broken"]

#: What the group of a program's first jobs is limited to: ``(limit, rate, per)``; ``None``: they are in none.
LIMITS = [None, None, None, (1, None, 5), (2, None, 5), (None, 1, 5), (None, 2, 10), (1, 3, 10)]

OPTIONS = {
    "max_instances": st.sampled_from([1, 1, 2]),
    "overlap": st.sampled_from(["skip", "buffer_one", "buffer_all", "cancel_running", "allow"]),
    "group": st.sampled_from([None, "g", "g", "h"]),
    "retry": st.sampled_from([None, (2, 1), (3, 2), (2, 0)]),
    "timeout": st.sampled_from([None, 2, 4]),
    "coalesce": st.booleans(),
    "misfire_grace_time": st.sampled_from([None, 1, 5]),
    "catch_up_limit": st.sampled_from([1, 2, 3, 1000]),
    "priority": st.sampled_from([0, 1, 2]),
    "max_runs": st.sampled_from([None, 1, 2, 3]),
    "pause_after_failures": st.sampled_from([None, 1, 2]),
}


@st.composite
def some_options(draw: Any) -> dict[str, Any]:
    """A few options of a job."""
    names = draw(st.lists(st.sampled_from(sorted(OPTIONS)), max_size=4, unique=True))
    return {name: draw(OPTIONS[name]) for name in sorted(names)}


class Machine(RuleBasedStateMachine):
    """Programs, taken by worlds side by side."""

    def make_worlds(self) -> list[Any]:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.worlds = self.make_worlds()
        self.is_apart = False

    @property
    def first(self) -> Any:
        return self.worlds[0]

    def take(self, name: str, **values: Any) -> None:
        one = step(name, **values)
        try:
            take(self.worlds, self.steps, one)
        except Difference as found:
            self.is_apart = True
            raise Difference(
                reduced(self.make_worlds, self.steps)
                or f"{found}\nand did not, when it was tried again: it depends on chance"
            ) from None

    def is_running(self) -> bool:
        return self.first.scheduler.running

    # Jobs

    @initialize(data=st.data(), limits=st.sampled_from(LIMITS))
    def begin(self, data: Any, limits: Any) -> None:
        shared = {}
        if limits is not None:
            limit, rate, per = limits
            self.take("group", group="g", limit=limit, rate=rate, per=per)
            shared["group"] = "g"
        for _ in range(2):
            self._add(data, **shared)

    @rule(data=st.data())
    @precondition(is_running)
    def add(self, data: Any) -> None:
        self._add(data)

    def _add(self, data: Any, **shared: Any) -> None:
        job = data.draw(st.sampled_from(JOBS))
        trigger = data.draw(st.one_of(every, every, once, self._followed(job)))
        if trigger[0] == "at":
            trigger = ("at", int(self.first.now) + trigger[1] - 3)
        self.take(
            "add",
            job=job,
            trigger=trigger,
            manner=data.draw(manners),
            **shared,
            **{name: value for name, value in data.draw(some_options()).items() if name not in shared},
        )

    def _followed(self, job: str) -> Any:
        others = [other for other in JOBS if other != job]
        return st.tuples(
            st.just("after"), st.sampled_from(others), st.sampled_from(["success", "failure", "any"])
        )

    @rule(data=st.data())
    @precondition(is_running)
    def change(self, data: Any) -> None:
        options = data.draw(some_options())
        if options:
            self.take("change", job=self._job(data), **options)

    def _job(self, data: Any) -> str:
        """A job that there is, if there is one."""
        known = sorted(job.id for job in self.first.scheduler.get_jobs())
        return data.draw(st.sampled_from(known or JOBS))

    @rule(data=st.data(), trigger=every)
    @precondition(is_running)
    def reschedule(self, data: Any, trigger: Any) -> None:
        job = self._job(data)
        self.take("reschedule", job=job, trigger=trigger)

    @rule(data=st.data(), by=st.integers(-6, 6))
    @precondition(is_running)
    def move(self, data: Any, by: int) -> None:
        self.take("move", job=self._job(data), to=int(self.first.now) + by)

    @rule(data=st.data(), what=st.sampled_from(["pause", "resume", "remove"]))
    @precondition(is_running)
    def pause_resume_or_remove(self, data: Any, what: str) -> None:
        self.take(what, job=self._job(data))

    # Runs

    @rule(data=st.data())
    @precondition(is_running)
    def run_now(self, data: Any) -> None:
        self.take("run", job=self._job(data))

    @rule(data=st.data())
    @precondition(is_running)
    def cancel(self, data: Any) -> None:
        known = sorted(run.id for run in self.first.runs() if run.outcome is None)
        if known:
            self.take("cancel", run=data.draw(st.sampled_from(known)))

    @rule(
        data=st.data(),
        begin=st.integers(1, 10),
        length=st.integers(0, 12),
        overlap=st.sampled_from(["buffer_all", "allow"]),
    )
    @precondition(is_running)
    def backfill(self, data: Any, begin: int, length: int, overlap: str) -> None:
        start = int(self.first.now) - begin
        self.take("backfill", job=self._job(data), start=start, end=start + length, overlap=overlap)

    @rule(data=st.data(), how=st.sampled_from(HOW))
    def end(self, data: Any, how: str) -> None:
        running = sorted(run.key for run in self.first.hand.running.values())
        if running:
            self.take("end", run=data.draw(st.sampled_from(running)), how=how)

    @rule(how=st.sampled_from(HOW))
    def end_all(self, how: str) -> None:
        for run in sorted(run.key for run in self.first.hand.running.values()):
            if any(each.key == run for each in self.first.hand.running.values()):
                self.take("end", run=run, how=how)

    @rule(how=st.sampled_from(HOW), span=st.sampled_from([1, 1, 2, 3, 5]))
    @precondition(is_running)
    def end_all_and_wait(self, how: str, span: int) -> None:
        """As most of what jobs do goes on: they run, end, and are due again."""
        self.end_all(how)
        self.take("wait", seconds=span)

    # Groups

    @rule(
        group=st.sampled_from(GROUPS),
        limit=st.sampled_from([None, 1, 2]),
        rate=st.sampled_from([None, 1, 2, 3]),
        per=st.sampled_from([3, 5, 10]),
    )
    @precondition(is_running)
    def limit_group(self, group: str, limit: Any, rate: Any, per: int) -> None:
        if (limit, rate) != (None, None):
            self.take("group", group=group, limit=limit, rate=rate, per=per)

    @rule(group=st.sampled_from(GROUPS))
    @precondition(is_running)
    def unlimit_group(self, group: str) -> None:
        self.take("ungroup", group=group)

    # Time, and trouble

    @rule(span=st.sampled_from([1, 1, 2, 3, 5, 10, 20]))
    @precondition(is_running)
    def wait(self, span: int) -> None:
        self.take("wait", seconds=span)

    @rule(span=st.sampled_from([2, 5, 20, 60]))
    @precondition(is_running)
    def sleep(self, span: int) -> None:
        self.take("sleep", seconds=span)

    @rule(job=st.sampled_from(JOBS), times=st.integers(1, 2))
    @precondition(is_running)
    def refuse(self, job: str, times: int) -> None:
        self.take("refuse", job=job, times=times)

    @rule()
    def stop_or_start(self) -> None:
        self.take("stop" if self.is_running() else "start")

    # Verdict

    def teardown(self) -> None:
        try:
            if self.is_apart:
                return
            if not self.is_running():
                self.take("start")
            for job in JOBS:
                self.take("refuse", job=job, times=0)
            for _ in range(3):
                self.end_all("succeeded")
            self.take("wait", seconds=1)
            self._judge()
        finally:
            for world in self.worlds:
                world.close()

    def _judge(self) -> None:
        try:
            judge(self.worlds, self.steps)
        except AssertionError as found:
            raise AssertionError(reduced(self.make_worlds, self.steps, judge) or str(found)) from None


def judge(worlds: list[Any], steps: list[Step]) -> None:
    """Have the checker judge what each world has come to."""
    for world in worlds:
        if not world.scheduler.running:
            continue  # a smaller program may have left that out
        faults = world.faults()
        if faults:
            runs = sorted(world.look()["runs"], key=repr)
            raise AssertionError(
                "\n".join(
                    [*map(str, faults), f"in {world.name} after", *program_lines(steps), *map(str, runs)]
                )
            )

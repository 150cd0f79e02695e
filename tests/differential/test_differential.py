"""All stores do the same: random programs, taken by memory and by each other store, side by side."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from machine import Machine, judge
from stores_of import ADAPTED, fresh_store
from worlds import World, stand_still

from mainspring import MemoryJobStore
from mainspring.engine.grouping import GroupBudget
from programs import Difference, replay, step
from stores import MONGODB

#: How many programs in CI, 240 in all, and in the soak, 5,500.
COUNTS = {
    "sqlite": (90, 2000),
    "postgres": (12, 700),
    "mariadb": (8, 500),
    "redis": (80, 1700),
    "mongodb": (10, 100),
    ADAPTED: (40, 500),
}
#: Programs that came apart once, and what about.
PROGRAMS = {
    "two runs of one due time that fail, and are tried again in their turn": [
        step("add", job="b", trigger=("every", 2, 3), manner="ignores", overlap="buffer_one", retry=(3, 2)),
        step("sleep", seconds=60),
        step("end", run=("b", 59.0, 1), how="succeeded"),
        step("wait", seconds=1),
        step("move", job="b", to=55),
        step("end", run=("b", 61.0, 1), how="failed"),
        step("wait", seconds=1),
        step("backfill", job="b", start=53, end=62, overlap="allow"),
        step("end", run=("b", 53.0, 1), how="failed"),
        step("end", run=("b", 55.0, 1), how="failed"),
        step("end", run=("b", 57.0, 1), how="failed"),
        step("end", run=("b", 61.0, 2), how="failed"),
        step("wait", seconds=3),
    ],
    "a due time that is buffered a second time": [
        step("add", job="a", trigger=("every", 2, 0), manner="raises", overlap="cancel_running"),
        step("move", job="a", to=0),
        step("wait", seconds=2),
    ],
    "a backlog's oldest due time": [
        step("add", job="a", trigger=("every", 10, 1), coalesce=False, catch_up_limit=2),
        step("sleep", seconds=60),
    ],
    "a job that is refused, and removed": [
        step("add", job="a", trigger=("at", 7)),
        step("refuse", job="a", times=1),
        step("wait", seconds=10),
    ],
    "a run that is refused, and cancelled": [
        step("add", job="a", trigger=("after", "c", "any")),
        step("refuse", job="a", times=1),
        step("run", job="a"),
        step("cancel", run="a/2026-01-01T00:00:00.000000Z/1"),
        step("wait", seconds=5),
    ],
    "a job whose run by hand is refused": [
        step("add", job="a", trigger=("every", 5, 1), overlap="allow"),
        step("wait", seconds=2),
        step("refuse", job="a", times=2),
        step("run", job="a"),
        step("wait", seconds=10),
    ],
    "a run that is buffered when the one before it begins": [
        step("add", job="a", trigger=("every", 3, 5), manner="ignores", overlap="cancel_running"),
        step("sleep", seconds=20),
        step("sleep", seconds=60),
        step("sleep", seconds=60),
    ],
    "a backfill side by side, of a job with runs that wait": [
        step("add", job="a", trigger=("every", 3, 2)),
        step("wait", seconds=5),
        step("run", job="a"),
        step("backfill", job="a", start=4, end=6, overlap="allow"),
    ],
    "runs that wait for one that is refused": [
        step("add", job="a", trigger=("at", 5)),
        step("run", job="a"),
        step("refuse", job="a", times=1),
        step("run", job="a"),
        step("run", job="a"),
        step("end", run=("a", 0.0, 1), how="succeeded"),
    ],
    "a job that may have more instances": [
        step("add", job="a", trigger=("after", "b", "any")),
        step("run", job="a"),
        step("run", job="a"),
        step("change", job="a", max_instances=2),
    ],
    "a last run that waits for another to end for longer than its grace": [
        step("add", job="a", trigger=("at", 2), misfire_grace_time=1),
        step("run", job="a"),
        step("wait", seconds=8),
        step("end", run=("a", 0.0, 1), how="succeeded"),
    ],
    "a job that waits for room in its group": [
        step("group", group="g", rate=1, per=5),
        step("add", job="a", trigger=("every", 2, 0), group="g"),
        step("wait", seconds=8),
    ],
    "a retry beside another run for its due time": [
        step("add", job="a", trigger=("every", 10, 0), manner="ignores", overlap="allow", retry=(3, 1)),
        step("wait", seconds=2),
        step("move", job="a", to=0),
        step("end", run=("a", 0.0, 1), how="failed"),
        step("wait", seconds=3),
    ],
    "a job that has waited for a rate for longer than another": [
        step("group", group="g", limit=None, rate=1, per=5),
        step("add", job="a", trigger=("every", 2, 2), manner="obeys", group="g", max_instances=2, max_runs=2),
        step("add", job="c", trigger=("at", 7), manner="ignores", group="g", max_instances=2, timeout=2),
        step("wait", seconds=20),
    ],
    "jobs that are due together, for one of which there is room": [
        step("group", group="g", limit=1, rate=None, per=5),
        step("add", job="b", trigger=("every", 5, 2), manner="ignores", group="g"),
        step("add", job="a", trigger=("every", 1, 2), manner="obeys", group="g"),
        step("wait", seconds=2),
    ],
    "a run that waits for a rate that is taken from its group": [
        step("group", group="g", limit=None, rate=1, per=10),
        step("add", job="a", trigger=("at", 500), manner="ignores", group="g", max_instances=2),
        step("run", job="a"),
        step("run", job="a"),
        step("group", group="g", limit=2, rate=None, per=5),
        step("wait", seconds=2),
    ],
    "a job that is paused while it waits for a rate": [
        step("group", group="g", limit=None, rate=1, per=10),
        step("add", job="a", trigger=("every", 1, 1), manner="raises", group="g"),
        step("wait", seconds=3),
        step("pause", job="a"),
        step("wait", seconds=20),
    ],
    "a job with a run that waits for a rate, and that is put into another group": [
        step("group", group="g", limit=None, rate=1, per=10),
        step("add", job="a", trigger=("at", 500), manner="ignores", group="g", max_instances=2),
        step("run", job="a"),
        step("run", job="a"),
        step("change", job="a", group="h"),
    ],
    "a last run that is refused beside one that is queued": [
        step("add", job="b", trigger=("at", 7), manner="ignores", group="g"),
        step("refuse", job="b", times=2),
        step("run", job="b"),
        step("move", job="b", to=-5),
    ],
    "a job that fails, and is paused for that, after the one that it comes after has ended": [
        step("add", job="b", trigger=("after", "a", "any"), overlap="allow", pause_after_failures=1),
        step("add", job="a", trigger=("every", 3, 1), manner="raises"),
        step("sleep", seconds=5),
        step("run", job="a"),
        step("sleep", seconds=20),
        step("stop"),
        step("end", run=("a", 4.0, 1), how="succeeded"),
        step("start"),
        step("backfill", job="a", start=22, end=30, overlap="allow"),
        step("stop"),
        step("end", run=("a", 25.0, 2), how="succeeded"),
        step("end", run=("b", 4.0, 1), how="failed"),
        step("end", run=("a", 22.0, 1), how="succeeded"),
        step("start"),
    ],
    "a due time that is buffered as the one before it is too late": [
        step(
            "add",
            job="b",
            trigger=("every", 3, 5),
            overlap="buffer_all",
            catch_up_limit=1,
            misfire_grace_time=5,
        ),
        step("wait", seconds=20),
    ],
    "a catch-up whose first run does not end though it was told to": [
        step("add", job="b", trigger=("every", 3, 2), manner="ignores", coalesce=False, timeout=2),
        step("sleep", seconds=5),
        step("wait", seconds=5),
    ],
    "a run that is refused again beside a due time that is skipped": [
        step("add", job="c", trigger=("every", 10, 3), manner="raises"),
        step("wait", seconds=2),
        step("refuse", job="c", times=2),
        step("run", job="c"),
        step("wait", seconds=5),
    ],
    "a job whose runs don't end though they were told to": [
        step("add", job="b", trigger=("every", 10, 2), manner="ignores", timeout=4),
        step("wait", seconds=65),
    ],
    "a further attempt of a job that is alone in its group": [
        step("group", group="g", limit=1, rate=None, per=5),
        step("add", job="c", trigger=("every", 3, 0), manner="ignores", group="g", max_instances=2),
        step("end", run=("c", 0.0, 1), how="failed"),
        step("move", job="c", to=0),
        step("run", job="c"),
        step("end", run=("c", 0.0, 2), how="failed"),
    ],
    "a job that waits for a rate that its group has when another is refused": [
        step("group", group="g", limit=None, rate=1, per=5),
        step("add", job="b", trigger=("every", 2, 2), manner="raises", group="g"),
        step("add", job="c", trigger=("every", 10, 0), manner="obeys", group="g", priority=1),
        step("end", run=("c", 0.0, 1), how="succeeded"),
        step("refuse", job="c", times=1),
        step("sleep", seconds=20),
    ],
    "a group that loses its limits, and gets them again": [
        step("group", group="g", limit=None, rate=1, per=10),
        step("add", job="c", trigger=("every", 3, 0), manner="obeys", group="g"),
        step("end", run=("c", 0.0, 1), how="succeeded"),
        step("ungroup", group="g"),
        step("group", group="g", limit=None, rate=1, per=10),
        step("wait", seconds=4),
    ],
    "a job that waits for a rate for longer than its grace": [
        step("group", group="g", limit=None, rate=1, per=10),
        step("add", job="b", trigger=("at", 500), manner="ignores", group="g"),
        step("run", job="b"),
        step("add", job="a", trigger=("every", 3, 2), group="g", misfire_grace_time=1, timeout=4),
        step("wait", seconds=20),
    ],
    "runs that wait behind another of their job for longer than their grace": [
        step(
            "add",
            job="a",
            trigger=("every", 2, 0),
            manner="ignores",
            overlap="buffer_all",
            misfire_grace_time=3,
        ),
        step("run", job="a"),
        step("wait", seconds=12),
        step("end", run=("a", 0.0, 1), how="succeeded"),
        step("wait", seconds=3),
    ],
    "a job that is refused, and then waits for a rate": [
        step("group", group="g", limit=None, rate=2, per=10),
        step("add", job="b", trigger=("every", 10, 3), manner="obeys", group="g", max_runs=1),
        step("add", job="c", trigger=("at", 1), manner="ignores", group="g"),
        step("refuse", job="c", times=1),
        step("sleep", seconds=20),
        step("run", job="c"),
        step("cancel", run="c/2026-01-01T00:00:20.000000Z/1"),
        step("wait", seconds=1),
    ],
    "two runs of one job that are refused in one pass": [
        step("add", job="b", trigger=("every", 3, 1), manner="obeys"),
        step("add", job="a", trigger=("after", "c", "any"), group="h", max_runs=2, timeout=2),
        step("move", job="a", to=95),
        step("group", group="h", limit=1, rate=None, per=5),
        step("refuse", job="a", times=1),
        step("wait", seconds=1),
        step("refuse", job="a", times=1),
        step("run", job="a"),
        step("sleep", seconds=100),
        step("refuse", job="a", times=2),
        step("run", job="a"),
        step("run", job="a"),
        step("wait", seconds=10),
    ],
    "a job that is moved back over a time that was skipped, when it coalesces": [
        step("add", job="a", trigger=("every", 2, 1), manner="ignores", coalesce=False),
        step("wait", seconds=4),
        step("change", job="a", coalesce=True),
        step("end", run=("a", 1.0, 1), how="succeeded"),
        step("move", job="a", to=0),
        step("wait", seconds=3),
    ],
    "a due time that comes twice, of a job that is tried less often than before": [
        step(
            "add",
            job="a",
            trigger=("after", "b", "any"),
            manner="raises",
            max_instances=2,
            retry=(3, 2),
            timeout=2,
        ),
        step("reschedule", job="a", trigger=("every", 5, 0)),
        step("refuse", job="a", times=2),
        step("end", run=("a", 0.0, 1), how="succeeded"),
        step("run", job="a"),
        step("wait", seconds=2),
        step("change", job="a", coalesce=False, retry=(2, 1)),
        step("wait", seconds=3),
        step("resume", job="a"),
        step("sleep", seconds=2),
    ],
    "a job with more runs than are remembered where nothing else is said": [
        step("add", job="b", trigger=("every", 1, 3), manner="ignores", coalesce=False),
        step("wait", seconds=3),
        step("sleep", seconds=60),
        step("sleep", seconds=60),
    ],
    "a retry that is queued when another job gets the id": [
        step("add", job="a", trigger=("at", 0), retry=(3, 2), timeout=4),
        step("add", job="a", trigger=("every", 5, 4), max_runs=2, overlap="buffer_one"),
        step("sleep", seconds=60),
        step("wait", seconds=2),
    ],
    "a retry of a job of a higher priority whose schedule has ended": [
        step("group", group="g", limit=1, rate=3, per=10),
        step("add", job="a", trigger=("at", -3), group="g", priority=2, retry=(2, 0)),
        step("add", job="c", trigger=("at", -3), manner="raises", group="g"),
        step("refuse", job="c", times=2),
        step("end", run=("a", -3.0, 1), how="broken"),
    ],
    "a job that is moved back at the moment at which it is due": [
        step("add", job="a", trigger=("at", -3)),
        step("add", job="a", trigger=("every", 5, 0)),
        step("move", job="a", to=-1),
    ],
    "a job that is moved back when a run was asked for at that moment": [
        step("add", job="a", trigger=("after", "c", "success"), manner="ignores", max_instances=2),
        step("sleep", seconds=5),
        step("reschedule", job="a", trigger=("every", 2, 2)),
        step("wait", seconds=1),
        step("run", job="a"),
        step("move", job="a", to=4),
    ],
    "a job that waits for room, and is moved back to a time that was too late": [
        step("group", group="g", limit=1, rate=3, per=10),
        step("add", job="c", trigger=("every", 3, 0), group="g", coalesce=False, misfire_grace_time=5),
        step("wait", seconds=5),
        step("end", run=("c", 0.0, 1), how="failed"),
        step("wait", seconds=10),
        step("end", run=("c", 3.0, 1), how="failed"),
        step("move", job="c", to=9),
        step("wait", seconds=5),
    ],
    "a job that waits for room, and gets another schedule and group": [
        step("group", group="g", limit=1, rate=3, per=10),
        step("add", job="b", trigger=("at", 1), group="g", coalesce=False),
        step("add", job="c", trigger=("every", 1, 2), manner="ignores", group="g", coalesce=False),
        step("wait", seconds=5),
        step("reschedule", job="c", trigger=("every", 5, 5)),
        step("change", job="c", coalesce=False, group="h"),
    ],
    "a job that is moved back while a due time is buffered": [
        step("group", group="g", limit=None, rate=1, per=5),
        step("add", job="b", trigger=("every", 3, 0), group="g", misfire_grace_time=5, overlap="buffer_one"),
        step("end", run=("b", 0.0, 1), how="succeeded"),
        step("wait", seconds=6),
        step("end", run=("b", 3.0, 1), how="failed"),
        step("move", job="b", to=3),
        step("sleep", seconds=60),
    ],
    "a backlog of which the first run is refused": [
        step("add", job="c", trigger=("every", 2, 5), catch_up_limit=3, coalesce=False, timeout=2),
        step("refuse", job="c", times=1),
        step("sleep", seconds=60),
    ],
    "a backlog of a job that has had its runs": [
        step("add", job="a", trigger=("every", 2, 3), manner="raises", catch_up_limit=3, max_runs=2),
        step("change", job="a", coalesce=False, max_instances=2, overlap="buffer_one"),
        step("wait", seconds=10),
        step("resume", job="a"),
        step("sleep", seconds=20),
    ],
    "a limit of runs that is lowered to what there have been": [
        step("add", job="a", trigger=("after", "c", "success"), manner="ignores", max_runs=2, timeout=2),
        step("move", job="a", to=-1),
        step("wait", seconds=2),
        step("change", job="a", max_runs=1),
        step("wait", seconds=1),
        step("move", job="a", to=2),
        step("wait", seconds=1),
    ],
    "a job that waits for a rate, and is moved to the same time again": [
        step("group", group="g", limit=None, rate=2, per=10),
        step("add", job="b", trigger=("every", 3, 1), group="g", coalesce=False, overlap="buffer_all"),
        step("sleep", seconds=60),
        step("move", job="b", to=65),
        step("cancel", run="b/2026-01-01T00:00:04.000000Z/1"),
        step("wait", seconds=6),
        step("move", job="b", to=65),
        step("sleep", seconds=20),
        step("wait", seconds=1),
    ],
    "a run that goes on when the last of the schedule is missed, and that is tried again": [
        step("add", job="b", trigger=("at", 2), manner="ignores", misfire_grace_time=1, retry=(2, 1)),
        step("run", job="b"),
        step("sleep", seconds=60),
        step("end", run=("b", 0.0, 1), how="failed"),
        step("wait", seconds=2),
        step("sleep", seconds=20),
    ],
}
KINDS = ["sqlite", "postgres", "mariadb", "redis", MONGODB, ADAPTED]


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    stand_still(monkeypatch)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def url(request, kind, tmp_path):
    """Of a store of each kind."""
    if kind == ADAPTED:
        yield ADAPTED
        return
    if kind != "sqlite":
        yield request.getfixturevalue(f"{kind}_url")
        return
    # Thousands of programs with a file each: in memory, where there is such a file system.
    folder = tempfile.mkdtemp(dir="/dev/shm") if os.access("/dev/shm", os.W_OK) else str(tmp_path)
    yield f"sqlite:///{folder}/jobs.sqlite"
    shutil.rmtree(folder)


def worlds_of(url):
    """Memory, and the store at a URL."""
    return [World("memory", MemoryJobStore(keep_runs=100_000)), World(url.split(":")[0], fresh_store(url))]


def run_machine(url, examples, *, derandomize):
    class StoreMachine(Machine):
        def make_worlds(self):
            return worlds_of(url)

    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            derandomize=derandomize,
            database=None,
            # A program that fails is made smaller by `programs.reduced`, which knows what its steps mean.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.one_python
def test_a_store_does_what_memory_does(kind, url):
    run_machine(url, COUNTS[kind][0], derandomize=True)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_store_does_what_memory_does_in_thousands_of_programs(kind, url):
    run_machine(url, COUNTS[kind][1], derandomize=False)


@pytest.mark.one_python
@pytest.mark.parametrize("about", sorted(PROGRAMS))
def test_a_program_that_came_apart_does_so_no_more(url, about):
    worlds = worlds_of(url)
    try:
        replay(worlds, PROGRAMS[about])
        judge(worlds, PROGRAMS[about])
    finally:
        for world in worlds:
            world.close()


def test_worlds_that_come_apart_are_told_apart():
    worlds = [World("one", MemoryJobStore()), World("other", MemoryJobStore())]
    worlds[1].hand.refusals["a"] = 1
    with pytest.raises(Difference) as difference:
        replay(worlds, [step("add", job="a", trigger=("every", 5, 0)), step("wait", seconds=3)])
    told = str(difference.value)
    assert "one and other have come apart after" in told
    assert "step('add', job='a', trigger=('every', 5, 0))," in told
    assert "JOB_PARKED" in told
    assert "wait" not in told  # nothing was taken after that


def test_a_fault_that_all_stores_share_is_found(monkeypatch):
    program = [
        step("group", group="g", limit=1, rate=None, per=5),
        step("wait", seconds=2),
        step("add", job="a", trigger=("every", 5, 3), group="g"),
        step("add", job="b", trigger=("every", 5, 3), group="g"),
        step("wait", seconds=3),
    ]

    def judged():
        worlds = [World("memory", MemoryJobStore())]
        replay(worlds, program)
        judge(worlds, program)

    judged()
    monkeypatch.setattr(GroupBudget, "capacity", lambda *_: None)
    with pytest.raises(AssertionError, match="group_limit: 2 runs of group 'g'"):
        judged()

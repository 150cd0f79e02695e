"""Who dies is missed, and who was only silent isn't."""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack

import pytest
from burning import Fire
from nodes import Supervisor, wait_for

from stores import kind_marks

pytestmark = pytest.mark.timeout(240)


def kinds(often):
    """As a parameter: the kinds of stores, of which some are tried on each change."""
    return [
        pytest.param(
            kind,
            marks=kind_marks(kind, often=kind in often),
        )
        for kind in ("sqlite", "postgres", "mariadb", "redis", "mongodb")
    ]


@pytest.mark.parametrize("fire", kinds({"sqlite"}), indirect=True)
def test_a_death_in_an_outage_is_noticed_after_it(fire):
    since = fire.now()
    flag = fire.flag(f"death-{time.monotonic()}")
    jobs = {
        on_lost: fire.add(f"{flag.stem}-{on_lost}", "hold", str(flag), on_lost=on_lost)
        for on_lost in ("record", "rerun")
    }
    fire.wait_until_begun(*jobs.values())
    victim = fire.node_of(jobs["rerun"])
    trouble = "locked" if fire.ground.kind == "sqlite" else "stopped"
    with fire.ground.trouble(trouble):
        began = time.monotonic()
        victim.kill()
        time.sleep(1.6 * fire.lease)  # what is tested
    works = time.monotonic()
    wait_for(lambda: fire.diary.began()[jobs["rerun"]] == 2, "rerun")
    took = time.monotonic() - works
    flag.touch()
    wait_for(lambda: not fire.going(since), "end of what goes on")
    assert fire.outcomes(jobs["rerun"]) == ["lost", "succeeded"]
    assert fire.outcomes(jobs["record"]) in (["lost"], ["succeeded"])
    assert fire.faults(since, outages=[(began, works)]) == []
    assert fire.lease * 0.9 < took < 4 * fire.lease + 5, took


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("ground", kinds(set()), indirect=True)
def test_machines_that_are_all_suspended_lose_nothing(ground, tmp_path, count):
    fire = Fire(ground, tmp_path)
    try:
        since = fire.now()
        nodes = fire.start(count)
        flag = fire.flag("suspended")
        jobs = [fire.add(f"held-{n}", "hold", str(flag), on_lost="rerun") for n in range(4)]
        tick = fire.add("tick", "work", trigger="interval", seconds=0.3, misfire_policy="all")
        fire.wait_until_begun(*jobs, tick)
        with fire.unwatched(), ExitStack() as stack:
            for node in nodes:
                stack.enter_context(node.paused())
            time.sleep(1.6 * fire.lease)  # what is tested
        before = fire.diary.began()[tick]
        wait_for(lambda: fire.diary.began()[tick] > before + 2, "next ticks")
        time.sleep(1.2 * fire.lease)  # in which somebody might be taken for dead
        flag.touch()
        wait_for(lambda: set(jobs) <= set(fire.diary.ended()), "end of the functions")
        fire.remove(tick)
        wait_for(lambda: not fire.going(since), "end of what goes on")
        assert {job_id: fire.outcomes(job_id) for job_id in jobs} == {
            job_id: ["succeeded"] for job_id in jobs
        }
        assert fire.faults(since) == []
        assert [line["message"] for line in fire.logged("ERROR")] == []
        fire.stop()
    finally:
        fire.close()


@pytest.mark.parametrize("ground", kinds({"sqlite"}), indirect=True)
def test_a_library_that_keeps_the_interpreter_for_longer_than_the_lease(ground, tmp_path):
    """Alone, a node that has been silent is what it was: nobody else has taken anything over."""
    fire = Fire(ground, tmp_path)
    try:
        since = fire.now()
        (node,) = fire.start(1)
        flag = fire.flag("hog")
        jobs = [fire.add(f"held-{n}", "hold", str(flag), on_lost="rerun") for n in range(3)]
        tick = fire.add("tick", "work", trigger="interval", seconds=0.3, misfire_policy="all")
        fire.wait_until_begun(*jobs, tick)
        hog = fire.add("hog", "take_the_interpreter", 1.6 * fire.lease, on_lost="rerun", after=0.5)
        with fire.unwatched():
            fire.wait_until_begun(hog)
            begin = time.monotonic()
            fire.wait_until_over(hog)
            node.mute.append((begin, time.monotonic()))
        flag.touch()
        fire.wait_until_over(*jobs)
        before = fire.diary.began()[tick]
        wait_for(lambda: fire.diary.began()[tick] > before + 2, "next ticks")
        fire.remove(tick)
        wait_for(lambda: not fire.going(since), "end of what goes on")
        everybody = [*jobs, hog]
        assert {job_id: fire.outcomes(job_id) for job_id in everybody} == {
            job_id: ["succeeded"] for job_id in everybody
        }
        assert fire.faults(since) == []
        fire.stop()
    finally:
        fire.close()


@pytest.mark.parametrize("ground", kinds(set()), indirect=True)
def test_others_take_over_what_a_silent_node_ran_and_it_goes_on(ground, tmp_path):
    """Where others live, they can't tell it from a death: what it ran is run again, and what it says later is refused."""
    fire = Fire(ground, tmp_path)
    try:
        since = fire.now()
        (silent,) = fire.start(1)
        flag = fire.flag("held")
        held = fire.add("held", "hold", str(flag), on_lost="rerun")
        fire.wait_until_begun(held)
        (other,) = fire.start(1)
        tick = fire.add("tick", "work", trigger="interval", seconds=0.3, misfire_policy="all")
        fire.wait_until_begun(tick)
        with silent.paused():
            wait_for(lambda: fire.diary.began()[held] == 2, "rerun")
        wait_for(
            lambda: any("taken for dead" in line["message"] for line in silent.logged("WARNING")),
            "word of it in its log",
        )
        flag.touch()
        wait_for(lambda: fire.diary.ended()[held] == 2, "end of both calls")
        wait_for(
            lambda: any("is refused" in line["message"] for line in silent.logged("WARNING")),
            "word of the refusal",
        )
        wait_for(lambda: fire.outcomes(held) == ["lost", "succeeded"], "outcome of the rerun")
        # It is as good as any other afterwards.
        other.stop()
        more = [fire.add(f"more-{n}", "work") for n in range(3)]
        fire.wait_until_over(*more)
        fire.remove(tick)
        wait_for(lambda: not fire.going(since), "end of what goes on")
        assert [
            fault for fault in fire.faults(since) if not fault.startswith(("called_twice", "instances"))
        ] == []
        fire.stop()
    finally:
        fire.close()


def _crashes():
    for kind in ("sqlite", "postgres", "mariadb", "redis", "mongodb"):
        for how, reruns in (("exit_at_once", 3), ("be_killed", 3), ("abort", 1), ("exit_at_once", 1)):
            is_often = (kind, how, reruns) == ("sqlite", "exit_at_once", 1)
            yield pytest.param(kind, how, reruns, marks=kind_marks(kind, often=is_often))


@pytest.mark.parametrize(("ground", "how", "reruns"), list(_crashes()), indirect=["ground"])
def test_a_job_that_ends_its_process_is_given_up(ground, tmp_path, how, reruns):
    fire = Fire(ground, tmp_path, lease=1.0)
    supervisor = None
    try:
        since = fire.now()
        supervisor = Supervisor(fire.begin, 2)
        tick = fire.add(
            "tick", "work", trigger="interval", seconds=0.5, misfire_policy="all", on_lost="rerun"
        )
        options = {} if reruns == 3 else {"reruns": reruns}  # three, if nothing is said
        crash = fire.add("crash", how, on_lost="rerun", **options)
        wait_for(lambda: fire.diary.began()[crash] >= 2, "rerun")
        wait_for(lambda: None not in fire.outcomes(crash), "end of it", 100)
        quiet = time.monotonic()
        wait_for(lambda: time.monotonic() > quiet + 2 * fire.lease, "peace")
        # The first call, and as many more as may be.
        assert fire.outcomes(crash) == ["lost"] * (1 + reruns)
        assert fire.diary.began()[crash] == 1 + reruns
        assert [death.pid for death in supervisor.deaths] == [
            call.pid for call in fire.diary.calls() if call.job_id == crash
        ]
        begun = sorted(call.began for call in fire.diary.calls() if call.job_id == crash)
        pauses = [after - before for before, after in itertools.pairwise(begun)]
        assert reruns == 1 or pauses[-1] > pauses[0], pauses
        supervisor.stop()
        before = fire.diary.began()[tick]
        wait_for(lambda: fire.diary.began()[tick] > before + 1, "next ticks")
        fire.remove(tick)
        wait_for(lambda: not fire.going(since), "end of what goes on")
        assert fire.faults(since) == []
        fire.stop()
    finally:
        if supervisor is not None:
            supervisor._stopping.set()
            supervisor._thread.join()
        fire.close()


@pytest.mark.soak
@pytest.mark.parametrize("ground", kinds(set()), indirect=True)
def test_a_schedule_whose_runs_end_their_process_pauses_itself(ground, tmp_path):
    fire = Fire(ground, tmp_path, lease=1.0)
    supervisor = Supervisor(fire.begin, 2)
    try:
        crash = fire.add("crash", "exit_at_once", trigger="interval", seconds=1, pause_after_failures=3)
        wait_for(lambda: fire.scheduler.get_job(crash).next_run_time is None, "pause", 60)
        assert 3 <= fire.diary.began()[crash] <= 5
        supervisor.stop()
        fire.stop()
    finally:
        supervisor._stopping.set()
        supervisor._thread.join()
        fire.close()

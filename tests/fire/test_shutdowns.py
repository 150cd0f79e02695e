"""Nodes that are told to end, by SIGTERM as from systemd and Kubernetes: in good order, within the time that these leave, whatever hangs."""

from __future__ import annotations

import signal
import time

import pytest
from burning import Fire
from grounds import GROUNDS
from nodes import wait_for

from stores import kind_marks

#: Seconds that a container mostly has between SIGTERM and SIGKILL.
GRACE = 10.0
#: In these, statements hang; the others are refused.
HANGS = ("locked", "locked_for_all", "locked_for_backup", "rows_locked", "frozen", "paused", "stopped")
OFTEN = {("sqlite", "locked_for_all"), ("postgres", "frozen"), ("postgres", "rows_locked")}

pytestmark = pytest.mark.timeout(240)


def kinds(often):
    return [pytest.param(kind, id=kind, marks=kind_marks(kind, often=kind in often)) for kind in GROUNDS]


@pytest.mark.parametrize(
    ("ground", "trouble"),
    [
        pytest.param(
            kind, trouble, id=f"{kind}-{trouble}", marks=kind_marks(kind, often=(kind, trouble) in OFTEN)
        )
        for kind, ground in GROUNDS.items()
        for trouble in ground.troubles
        if trouble in HANGS
    ],
    indirect=["ground"],
)
def test_a_node_ends_within_the_grace_of_a_container_whatever_its_store_does(ground, trouble, tmp_path):
    fire = Fire(ground, tmp_path)
    try:
        fire.start(1)
        tick = fire.add("tick", "work", trigger="interval", seconds=0.1)
        fire.wait_until_begun(tick)
        (node,) = fire.nodes
        with fire.unwatched():
            with fire.ground.trouble(trouble):
                time.sleep(1.0)  # statements hang by then
                began = time.monotonic()
                node.send(signal.SIGTERM)
                code = node.process.wait(60)
                took = time.monotonic() - began
            node.died = time.monotonic()
        print(f"it took {took:.1f} s")
        assert (code, took < GRACE) == (143, True), f"{took:.1f} s\n{node.log_text()}"
        said = " ".join(line["message"] for line in node.logged("WARNING", "ERROR"))
        assert "gives no answer" in said or "could not be left in order" in said, node.log_text()
    finally:
        fire.close()


@pytest.mark.parametrize("ground", kinds({"sqlite"}), indirect=True)
def test_nodes_are_replaced_one_after_another(ground, tmp_path):
    """As a rolling update does: each due time has its run, once, and nothing is lost nor cut off."""
    fire = Fire(ground, tmp_path)
    try:
        since = fire.now()
        fire.start(2)
        ticks = [
            fire.add(f"tick-{n}", "chatter", 10, trigger="interval", seconds=0.2, misfire_policy="all")
            for n in range(5)
        ]
        slow = fire.add("slow", "rest", 0.5, trigger="interval", seconds=0.7, misfire_policy="all")
        fire.wait_until_begun(*ticks, slow)
        for _ in range(4):
            old = fire.alive[0]
            fire.start(1)
            old.send(signal.SIGTERM)
            assert old.process.wait(60) == 143, old.log_text()
            old.died = time.monotonic()
            before = fire.diary.began()
            wait_for(
                lambda before=before: all(fire.diary.began()[one] > before[one] for one in ticks),
                "next ticks",
            )
        fire.remove(*ticks, slow)
        wait_for(lambda: not fire.going(since), "end of what goes on")
        assert {outcome for one in (*ticks, slow) for outcome in fire.outcomes(one)} <= {
            "succeeded",
            "skipped",
        }
        assert fire.faults(since) == []
        said = [line["message"] for line in fire.logged("WARNING", "ERROR")]
        assert [line for line in said if "maximum number of running instances" not in line] == []
        fire.stop()
    finally:
        fire.close()


@pytest.mark.parametrize("ground", kinds({"sqlite"}), indirect=True)
def test_what_a_node_gives_up_is_run_again_by_another_at_once(ground, tmp_path):
    fire = Fire(ground, tmp_path, lease=30.0)
    try:
        since = fire.now()
        (first,) = fire.start(1)
        flag = fire.flag("held")
        held = [fire.add(f"held-{how}", "hold", str(flag), on_lost=how) for how in ("record", "rerun")]
        fire.wait_until_begun(*held)
        fire.start(1)
        # From here on nobody counts on it. At the second signal it tells at once what it loses, by a clock that it knows to some milliseconds.
        first.died = time.monotonic()
        first.send(signal.SIGTERM)
        wait_for(lambda: "SIGTERM: shutting down" in first.log_text(), "word of the signal")
        first.send(signal.SIGTERM)
        assert first.process.wait(60) == 143
        flag.touch()
        # Long before the lease of the first would be over.
        fire.wait_for_outcomes({"held-record": ["lost"], "held-rerun": ["lost", "succeeded"]})
        assert fire.faults(since) == []
        fire.stop()
    finally:
        fire.close()


@pytest.mark.parametrize("ground", kinds({"sqlite"}), indirect=True)
def test_a_listener_that_never_returns_and_runs_that_never_end(ground, tmp_path):
    """Others' runs go on, each as it is due; a job whose runs get stuck is paused; and the node ends in time."""
    fire = Fire(ground, tmp_path)
    try:
        since = fire.now()
        (node,) = fire.start(1, deaf_listener=True)
        stuck = fire.add(
            "stuck",
            "never_end",
            trigger="interval",
            seconds=0.3,
            timeout=0.2,
            max_instances=5,
            misfire_policy="skip",
        )
        tick = fire.add("tick", "work", trigger="interval", seconds=0.2, misfire_policy="all")
        wait_for(
            lambda: fire.scheduler.get_job(stuck).next_run_time is None, "pause of the job that gets stuck"
        )
        health = wait_for(
            lambda: (told := node.health()) and told["stuck_listener"] and told,
            "listener that is said to be stuck",
        )
        assert "deaf_listener" in health["stuck_listener"]
        assert 3 <= health["stuck_runs"] <= 8
        assert "don't end though they were told to" in fire.scheduler.get_job(stuck).note
        fire.wait_until_begun(tick)
        fire.remove(tick, stuck)
        wait_for(lambda: not fire.going(since), "end of what goes on")
        assert [fault for fault in fire.faults(since) if "stuck" not in fault] == []
        began = time.monotonic()
        node.send(signal.SIGTERM)
        assert node.process.wait(60) == 143
        node.died = time.monotonic()
        assert node.died - began < GRACE
        assert "deaf_listener has not returned" in node.log_text()
    finally:
        fire.close()

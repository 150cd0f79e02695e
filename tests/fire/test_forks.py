"""Nodes that fork, and jobs that do: what children ask is answered, what they inherit keeps nobody alive, and nothing is run twice."""

from __future__ import annotations

import itertools
import time

import pytest
from nodes import wait_for
from test_deaths import kinds

pytestmark = pytest.mark.timeout(240)

#: How children end.
ENDINGS = ("exit", "_exit", "shutdown", "exec")


@pytest.mark.parametrize("fire", kinds({"sqlite"}), indirect=True)
def test_children_ask_while_their_parents_work_and_die(fire):
    since = fire.now()
    flag = fire.flag(f"forks-{time.monotonic()}")
    asked = fire.add(f"{flag.stem}-asked", "work", trigger="interval", hours=10, on_lost="rerun")
    held = fire.add(f"{flag.stem}-held", "hold", str(flag), on_lost="rerun")
    ticking = [
        fire.add(f"{flag.stem}-tick{number}", "work", trigger="interval", seconds=0.3) for number in range(3)
    ]
    forking = [fire.add(f"{flag.stem}-{how}", "fork", how) for how in ("returns", "raises", "exits")]
    fire.wait_until_begun(held, *ticking)
    before = len(fire.diary.lines("child"))
    victim = fire.node_of(held)
    endings = itertools.cycle(ENDINGS)
    count = 0
    for node in fire.alive:
        for _ in range(2):
            # Those of the one that dies go on for longer than its lease.
            node.fork(asked, 3 * fire.lease if node is victim else 2.0, next(endings))
            count += 1
    fire.wait_for_outcomes({job_id: ["succeeded"] for job_id in forking})
    victim.kill()
    wait_for(lambda: fire.diary.began()[held] == 2, "rerun")
    flag.touch()
    wait_for(lambda: len(fire.diary.lines("child")) == before + count, "end of the children")
    fire.remove(asked, *ticking)
    wait_for(lambda: not fire.going(since), "end of what goes on")
    for child in fire.diary.lines("child")[before:]:
        assert child["failed"] == []
        assert child["asked"] > 0
    assert fire.outcomes(held) == ["lost", "succeeded"]
    assert [fire.outcomes(job_id) for job_id in forking] == [["succeeded"]] * 3
    assert {call.pid for call in fire.diary.calls()} <= {node.pid for node in fire.nodes}
    assert fire.faults(since) == []

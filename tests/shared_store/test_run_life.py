"""Retries, time-outs, cancelling and limits, with several real processes on one database."""

from __future__ import annotations

import itertools
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cluster import Cluster

pytestmark = pytest.mark.one_python


@pytest.fixture
def cluster(store_url, tablename, tmp_path):
    made = Cluster(store_url, tablename, tmp_path)
    yield made
    made.close()


def wait_for(condition, timeout=20):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.timeout(120)
def test_every_run_is_tried_again_though_two_of_four_processes_are_killed(cluster):
    cluster.start(4)
    count = 400 // cluster.slowness
    names = cluster.add(
        count,
        over=4,
        func="node:fail_at_first",
        seconds=0.01,
        on_lost="rerun",
        retry={"attempts": 3, "delay": 0.5, "jitter": 0.5},
    )
    wait_for(lambda: len(cluster.began()) > count / 4)
    for node in cluster.nodes[:2]:
        node.kill()
    cluster.start(1)
    cluster.wait_until_done(names, timeout=40)
    outcomes = cluster.outcomes()
    assert len(outcomes) == count
    for key, (first, *others, last) in outcomes.items():
        assert last == "succeeded", (key, first, others, last)
        assert first in ("failed", "lost"), key
        assert set(others) <= {"failed", "lost"}, key
    began = cluster.began()
    assert all(began[name] <= len(found) for (name, _), found in outcomes.items())


@pytest.mark.timeout(120)
def test_runs_are_cancelled_and_timed_out_on_the_nodes_that_run_them(cluster):
    cluster.start(3)
    cancelled = cluster.add(6, over=0, func="node:until_told", seconds=50, prefix="cancelled")
    late = cluster.add(6, over=0, func="node:until_told", seconds=50, prefix="late", timeout=1)
    left = cluster.add(6, over=0, func="node:work", seconds=2, prefix="left", timeout=50)
    wait_for(lambda: len(cluster.began()) == 18)
    for name in cancelled:
        (run,) = cluster.scheduler.get_runs(name)
        cluster.scheduler.cancel_run(run.id)
    cluster.wait_until_done(cancelled + late + left, timeout=20)
    outcomes = {name: found for (name, _), found in cluster.outcomes().items()}
    assert all(outcomes[name] == ["cancelled"] for name in cancelled)
    assert all(outcomes[name] == ["timed_out"] for name in late)
    assert all(outcomes[name] == ["succeeded"] for name in left)
    told = [line for line in cluster.log.read_text().splitlines() if " told " in line]
    assert len(told) == 12


@pytest.mark.timeout(120)
def test_a_group_is_limited_over_all_nodes(cluster):
    cluster.scheduler.set_group("three", limit=3)
    cluster.start(4)
    names = cluster.add(60, over=0, seconds=0.05, group="three")
    cluster.wait_until_done(names, timeout=60)
    lines = [line.split() for line in cluster.log.read_text().splitlines()]
    moments = sorted((float(moment), 1 if what == "began" else -1) for _, what, _, moment in lines)
    at_once = list(itertools.accumulate(change for _, change in moments))
    assert len(moments) == 120
    assert max(at_once) <= 3
    assert max(at_once) > 1


@pytest.mark.timeout(120)
def test_a_rate_holds_over_all_nodes(cluster):
    cluster.scheduler.set_group("slowly", rate=10, per=1)
    cluster.start(4)
    names = cluster.add(45, over=0, group="slowly")
    cluster.wait_until_done(names, timeout=60)
    claimed = sorted(run.claimed for run in cluster.scheduler.get_runs(limit=100))
    assert len(claimed) == 45
    # Each node reads the database's clock by its own, a few milliseconds off.
    spans = [later - earlier for earlier, later in zip(claimed, claimed[10:], strict=False)]
    assert min(spans) > timedelta(seconds=0.9)
    assert claimed[-1] - claimed[0] < timedelta(seconds=20)


@pytest.mark.timeout(120)
def test_max_instances_counts_runs_that_are_asked_for_on_all_nodes(cluster):
    cluster.start(4)
    cluster.scheduler.add_job(
        "node:work", "date", run_date="2100-01-01", args=[str(cluster.log), "once", 0.1], id="once"
    )
    handles = [cluster.scheduler.run_job("once") for _ in range(12)]
    assert [handle.wait(40).outcome for handle in handles] == ["succeeded"] * 12
    runs = sorted((run.started, run.finished) for run in cluster.scheduler.get_runs("once"))
    lines = [line.split() for line in cluster.log.read_text().splitlines()]
    whats = [what for _, what, _, _ in lines]
    assert whats == ["began", "ended"] * 12
    assert len(runs) == 12

"""A hundred thousand runs that fail, are cancelled, or lose their process: each ends, and in one way."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cluster import Cluster

from mainspring.errors import RunLookupError
from mainspring.jobstores.contract import JobQuery

JOBS = 80_000
ATTEMPTS = 3
_ONE = JobQuery(limit=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_run_ends_in_exactly_one_outcome(store_url, tablename, tmp_path):
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    cluster = Cluster(store_url, tablename, tmp_path)
    try:
        cluster.start(4, workers=20)
        jobs = JOBS // cluster.slowness**2
        adding = threading.Thread(target=_add, args=(cluster, jobs))
        adding.start()
        alive = list(cluster.nodes)
        end = time.monotonic() + 1500
        cancelled = kills = 0
        while adding.is_alive() or _goes_on(cluster):
            assert time.monotonic() < end
            if kills < 12 and chance.random() < 0.4:
                kills += 1
                alive.pop(chance.randrange(len(alive))).kill()
                alive += cluster.start(1, workers=20)
            for state in ("running", "queued"):
                for run in cluster.scheduler.get_runs(outcome=state, limit=5):
                    if chance.random() < 0.5:
                        cancelled += _cancel(cluster, run.id)
            time.sleep(0.05)
        for node in alive:
            node.stop()
        mistaken = sum("goes on as a new one" in node.warnings() for node in alive)
        print(f"{mistaken} of the {len(alive)} that were left had been taken for dead")
        _check(cluster, jobs, cancelled, kills)
    finally:
        cluster.close()


def _goes_on(cluster):
    if cluster.store.list_records(_ONE):
        return True
    return any(cluster.scheduler.get_runs(outcome=state, limit=1) for state in ("queued", "running"))


def _add(cluster, jobs):
    due = datetime.now(UTC) - timedelta(seconds=1)
    for first in range(0, jobs, 10_000):
        cluster.scheduler.add_jobs(
            {
                "func": "node:end_somehow",
                "trigger": "date",
                "run_date": due,
                "id": str(number),
                "on_lost": "rerun",
                "retry": {"attempts": ATTEMPTS, "delay": 0.1, "jitter": 1},
            }
            for number in range(first, min(first + 10_000, jobs))
        )


def _cancel(cluster, run_id):
    try:
        cluster.scheduler.cancel_run(run_id)
    except RunLookupError:
        return 0  # it has ended meanwhile
    return 1


def _check(cluster, jobs, cancelled, kills):
    attempts = {}
    counted = Counter()
    for run in cluster.scheduler.get_runs(limit=1_000_000):
        assert run.outcome is not None, run
        counted[run.outcome] += 1
        found = attempts.setdefault((run.job_id, run.scheduled_run_time), {})
        assert run.attempt not in found
        found[run.attempt] = run.outcome
    print(
        f"{sum(counted.values())} runs, {cancelled} asked to be cancelled, {kills} processes killed: {dict(counted)}"
    )
    assert len(attempts) == jobs
    for key, found in attempts.items():
        outcomes = [found[number] for number in sorted(found)]
        assert sorted(found) == list(range(1, len(found) + 1)), key
        assert set(outcomes[:-1]) <= {"failed", "lost"}, (key, outcomes)
        assert outcomes[-1] in ("succeeded", "failed", "cancelled"), (key, outcomes)
        if outcomes[-1] == "failed":
            assert len(outcomes) >= ATTEMPTS, (key, outcomes)
    assert sum(counted.values()) >= 1.25 * jobs
    assert counted["lost"] > 0
    assert counted["cancelled"] > 0
    assert kills >= 3

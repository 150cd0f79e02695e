"""A web application in four gunicorn workers, each of which adds the same jobs when it is imported: each run happens once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cluster import PATHS, PATIENCE, Cluster

from servers import free_port

pytestmark = pytest.mark.one_python

WORKERS = 4


@pytest.mark.timeout(120)
def test_four_workers_that_add_the_same_jobs_run_each_once(store_url, tablename, tmp_path):
    cluster = Cluster(store_url, tablename, tmp_path)
    environment = {
        **os.environ,
        "STORE_URL": store_url,
        "STORE_TABLENAME": tablename,
        "STORE_LOG": str(cluster.log),
        "PYTHONPATH": PATHS,
    }
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--workers",
        str(WORKERS),
        "--bind",
        f"127.0.0.1:{free_port()}",
    ]
    server = subprocess.Popen([*command, "webapp:app"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + PATIENCE
        while len(cluster.store._backend.cluster_status(0).living) < WORKERS + 1:  # and the test's own
            assert server.poll() is None, server.stderr.read()
            assert time.monotonic() < end, "not all workers came up"
            time.sleep(0.05)
        while min(cluster.ended()[name] for name in ("decorated", "added0", "added1", "added2")) < 5:
            assert time.monotonic() < end, cluster.ended()
            time.sleep(0.05)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=PATIENCE)
    try:
        runs = cluster.scheduler.get_runs(limit=10_000)
        times = Counter((run.job_id, run.scheduled_run_time) for run in runs)
        assert set(times.values()) == {1}
        for name in ("decorated", "added0", "added1", "added2"):
            mine = sorted(run.scheduled_run_time for run in runs if run.job_id == name)
            # All workers kept the schedule that the first one made.
            assert {(time - mine[0]).total_seconds() % 1 for time in mine} == {0.0}
            # What a worker was running when it was ended may have begun without an outcome.
            succeeded = sum(run.outcome == "succeeded" for run in runs if run.job_id == name)
            assert succeeded <= cluster.began()[name] <= len(mine)
        assert len({run.node for run in runs}) > 1, "several workers took part"
    finally:
        cluster.close()

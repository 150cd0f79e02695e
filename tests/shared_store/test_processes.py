"""Several real processes on one database: each due run is run once, whoever is killed meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from mainspring.schedulers.background import BackgroundScheduler

sys.path.insert(0, str(Path(__file__).parent))
from cluster import Cluster, Node

import servers
from stores import MARIADB_ONCE, MONGODB_ONCE, REDIS_ONCE, open_store


@pytest.fixture
def cluster(store_url, tablename, tmp_path):
    made = Cluster(store_url, tablename, tmp_path)
    yield made
    made.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("on_lost", [pytest.param("record", marks=pytest.mark.one_python), "rerun"])
def test_none_of_three_thousand_runs_is_run_twice_though_two_of_four_processes_are_killed(cluster, on_lost):
    cluster.start(4)
    count = 3000 // cluster.slowness
    names = cluster.add(count, over=8, seconds=0.005, on_lost=on_lost)
    time.sleep(3)  # midway
    for node in cluster.nodes[:2]:
        node.kill()
    cluster.start(2)
    cluster.wait_until_done(names, timeout=60)
    for node in cluster.nodes[2:]:
        node.stop()
    counted = cluster.check(names, lost_may_rerun=on_lost == "rerun")
    print(dict(counted))
    assert counted["succeeded"] + counted["lost"] == count
    if on_lost == "rerun":
        assert counted["lost"] == 0


@pytest.mark.timeout(120)
def test_a_process_that_was_stopped_past_its_lease_is_refused(cluster):
    (node,) = cluster.start(1, name="sleeper")
    names = cluster.add(1, over=0, seconds=1.0, on_lost="rerun")
    while not cluster.began():
        time.sleep(0.01)
    cluster.pause(node)
    (other,) = cluster.start(1)
    cluster.wait_until_done(names, timeout=20)
    assert list(cluster.outcomes().values()) == [["lost", "succeeded"]]
    node.send(signal.SIGCONT)
    end = time.monotonic() + 20
    while "is refused" not in node.warnings():
        assert time.monotonic() < end, node.warnings()
        time.sleep(0.05)
    assert list(cluster.outcomes().values()) == [["lost", "succeeded"]]
    assert "taken for dead" in node.warnings()
    # It goes on as a new node.
    other.stop()
    more = cluster.add(5, over=0, prefix="more")
    cluster.wait_until_done(more, timeout=20)
    node.stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("store_url", ["postgres", MARIADB_ONCE], indirect=True)
def test_a_process_that_was_stopped_in_a_transaction_keeps_nobody_from_going_on(cluster):
    (node,) = cluster.start(1, name="sleeper", idle=3)
    stopped = cluster.add(1, over=0, func="node:stop_in_a_transaction", seconds=600.0, prefix="stopped")
    os.waitid(os.P_PID, node.process.pid, os.WSTOPPED | os.WNOWAIT)
    (other,) = cluster.start(1)
    names = cluster.add(5, over=0)
    cluster.wait_until_done(stopped + names, timeout=60)
    assert sorted(cluster.outcomes().values()) == [["lost"]] + [["succeeded"]] * 5
    # It goes on as a new node.
    node.send(signal.SIGCONT)
    end = time.monotonic() + 20
    while "taken for dead" not in node.warnings():
        assert time.monotonic() < end, node.warnings()
        time.sleep(0.05)
    other.stop()
    more = cluster.add(5, over=0, prefix="more")
    cluster.wait_until_done(more, timeout=20)


@pytest.mark.timeout(120)
def test_eight_processes_start_at_once_on_an_empty_database(store_url, tablename, tmp_path):
    log = tmp_path / "runs"
    nodes = [Node(store_url, tablename, log) for _ in range(8)]
    try:
        for node in nodes:
            node.wait_until_ready()
        for node in nodes:
            node.stop()
    finally:
        for node in nodes:
            if node.process.poll() is None:
                node.kill()


def server_or_skip(kind: str, **options: object) -> servers.Server:
    try:
        return servers.KINDS[kind](**options)
    except servers.ServerMissingError as error:
        servers.missing(str(error))


def faketime_or_skip() -> str:
    found = shutil.which("faketime")
    if found is None:
        servers.missing("faketime is not installed (apt-get install faketime)")
    return found


@pytest.fixture(params=["postgres", REDIS_ONCE, MONGODB_ONCE])
def crashing(request):
    """A server of the test's own, which keeps what it said it kept."""
    server = server_or_skip(request.param, durable=True)
    yield server
    server.stop()
    server.remove()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_the_server_is_away_for_five_seconds_under_load(crashing, tablename, tmp_path, how):
    cluster = Cluster(crashing.url, tablename, tmp_path, lease=20)
    try:
        cluster.start(3)
        count = 1500 // cluster.slowness
        names = cluster.add(count, over=8, seconds=0.005)
        time.sleep(2)  # midway
        if how == "stopped":
            crashing.stop()
        else:
            crashing.kill()
        time.sleep(5)  # the outage that is tested
        crashing.start()
        cluster.wait_until_done(names, timeout=60)
        for node in cluster.nodes:
            node.stop()
        counted = cluster.check(names)
        assert counted["succeeded"] == count, counted
    finally:
        cluster.close()


@pytest.mark.timeout(120)
def test_a_scheduler_can_be_shut_down_while_its_database_is_away(crashing, tablename):
    store = open_store(crashing.url, tablename, lease=3)
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": store})
    scheduler.start()
    first = store._node_context.token
    scheduler.add_job(time.monotonic, "interval", seconds=0.1, id="tick")
    while len(scheduler.get_runs("tick", outcome="succeeded")) < 3:
        time.sleep(0.02)
    crashing.kill()
    time.sleep(4)  # past its lease
    begin = time.monotonic()
    scheduler.shutdown()
    assert time.monotonic() - begin < 15
    crashing.start()
    # What it could not say any more is found by the next one.
    other = open_store(crashing.url, tablename, lease=3)
    again = BackgroundScheduler(timezone="UTC", jobstores={"default": other})
    again.start()
    before = len(again.get_runs("tick", limit=1000))
    while len(again.get_runs("tick", limit=1000)) < before + 3:
        time.sleep(0.02)
    end = time.monotonic() + 20
    while any(run.outcome is None and run.token == first for run in again.get_runs("tick", limit=1000)):
        assert time.monotonic() < end
        time.sleep(0.05)
    again.shutdown()


@pytest.mark.timeout(120)
def test_a_node_whose_clock_is_an_hour_wrong(store_url, tablename, tmp_path):
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has no clock: processes on one file share the machine's")
    faketime = faketime_or_skip()
    cluster = Cluster(store_url, tablename, tmp_path)
    try:
        cluster.start(1)
        cluster.start(1, faketime, "-f", "+1h")
        cluster.start(1, faketime, "-f", "-1h")
        names = cluster.add(300, over=4)
        begin = time.time()
        cluster.wait_until_done(names, timeout=30)
        for node in cluster.nodes:
            node.stop()
        assert cluster.check(names)["succeeded"] == 300
        assert time.time() - begin > 3.5, "runs were begun by the clock that is fast"
        claimed = {
            run.job_id: run.claimed - run.scheduled_run_time for run in cluster.scheduler.get_runs(limit=1000)
        }
        assert max(claimed.values()).total_seconds() < 2 * cluster.slowness**2  # and not an hour
        assert min(claimed.values()).total_seconds() > -0.1
        ran = {run.node for run in cluster.scheduler.get_runs(limit=1000)}
        assert len(ran) == 3, "every node took part"
    finally:
        cluster.close()

"""What is done to a store as a whole: on each kind of database, and refused where it can't be done."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta

import pytest

from mainspring.admin import Admin
from mainspring.admin.upkeep import checks, maintenance_of, pending_upgrade, prune, restore, vacuum
from mainspring.errors import ConfigurationError
from stores import open_store
from waiting import wait_for

begun = threading.Event()
WAITED_FOR: dict[str, threading.Event] = {}


def wait():
    begun.set()
    WAITED_FOR["end"].wait(30)


def test_a_database_is_checked_vacuumed_and_pruned_beside_a_node(store_url, tablename, make_scheduler):
    assert pending_upgrade(open_store(store_url, tablename)) is not None or store_url.startswith(
        ("redis", "mongodb")
    )
    node = make_scheduler(jobstores={"default": open_store(store_url, tablename)}, start=True)
    assert pending_upgrade(open_store(store_url, tablename)) is None
    for job_id in ("a", "b"):
        node.add_job("time:time", "interval", hours=1, id=job_id)
        for _ in range(2):
            node.run_job(job_id).wait(30)
    with Admin(open_store(store_url, tablename)) as admin:
        assert all(one.is_good for one in checks(admin))
        assert sum(prune(admin, ["a", "b"], 1, timedelta(days=1))) == 2
        assert sorted(run.job_id for run in admin.runs()) == ["a", "b"]
        if store_url.startswith(("redis", "mongodb")):
            with pytest.raises(ConfigurationError, match="a database of SQL"):
                maintenance_of(admin.store)
            return
        maintenance = maintenance_of(admin.store)
        assert max(maintenance.sizes().values()) >= 2
        maintenance.vacuum()
        if maintenance.kind == "mysql":
            statements = maintenance.grants("o'neill@10.%")
            assert statements[0].endswith(f"`{tablename}` TO 'o''neill'@'10.%';") or statements[0].endswith(
                f"{tablename} TO 'o''neill'@'10.%';"
            )
    assert node.run_job("a").wait(30).outcome == "succeeded"


@pytest.mark.one_python
def test_a_node_notices_what_was_restored_though_it_has_told_nothing_since_the_backup(
    make_scheduler, tmp_path
):
    """Or it would take for its own what it ran at that time, and run the job never again."""
    path = tmp_path / "jobs.sqlite"
    store = open_store(f"sqlite:///{path}", "jobs")
    node = make_scheduler(jobstores={"default": store}, start=True)
    ends = threading.Event()
    begun.clear()
    WAITED_FOR["end"] = ends
    node.add_job(f"{__name__}:wait", "interval", hours=1, id="waits")
    run = node.run_job("waits")
    assert begun.wait(30)
    membership = store._membership
    renew, membership.renew = membership.renew, lambda: None
    with Admin(open_store(f"sqlite:///{path}", "jobs")) as admin:
        wait_for(lambda: node.get_run(run.id).outcome is None)
        maintenance_of(admin.store).backup(tmp_path / "copy.sqlite")
        ends.set()
        assert run.wait(30).outcome == "succeeded"
        maintenance_of(admin.store).restore(tmp_path / "copy.sqlite")
    membership.renew = renew
    assert wait_for(
        lambda: [one for one in node.health().store_warnings.get("default", ()) if "was set back" in one]
    )
    assert wait_for(lambda: node.get_run(run.id).outcome) == "lost"
    assert node.run_job("waits").wait(30).outcome == "succeeded"


def test_a_backup_of_an_older_release_is_restored_with_what_it_lacks(make_scheduler, tmp_path):
    path, copy = tmp_path / "jobs.sqlite", tmp_path / "copy.sqlite"
    node = make_scheduler(jobstores={"default": open_store(f"sqlite:///{path}", "jobs")}, start=True)
    node.add_job("time:time", "interval", hours=1, id="a")
    with Admin(open_store(f"sqlite:///{path}", "jobs"), who="anna", why="ticket 12") as admin:
        maintenance_of(admin.store).backup(copy)
        with closing(sqlite3.connect(copy)) as backup:
            for table in ("jobs_audit", "jobs_rollups"):
                backup.execute(f"DROP TABLE {table}")
            backup.execute("DROP INDEX ix_jobs_runs_trouble")
        node.remove_job("a")
        restore(admin, copy)
        assert pending_upgrade(open_store(f"sqlite:///{path}", "jobs")) is None
        assert [(one.action, one.job_id, one.why) for one in admin.audit()] == [
            ("restore", None, "ticket 12")
        ]
        vacuum(admin)
        assert [one.action for one in admin.audit()] == ["vacuum", "restore"]
        assert [job.id for job in admin.jobs().items] == ["a"]
    assert node.run_job("a").wait(30).outcome == "succeeded"

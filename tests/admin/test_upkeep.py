"""What is done to a store as a whole: on each kind of database, and refused where it can't be done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mainspring.admin import Admin
from mainspring.admin.upkeep import checks, maintenance_of, pending_upgrade, prune
from mainspring.errors import ConfigurationError
from stores import open_store


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

"""Jobs take turns, however many runs one of them has in the queue, and however few are claimed at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mainspring.model import QueuedRun
from mainspring.testing.conformance import START, claim, record, submission
from stores import MONGODB, open_store


@pytest.fixture(params=["sqlite", "postgres", "mariadb", "redis", MONGODB])
def store(request, tmp_path, tablename, started):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/jobs.sqlite"
    else:
        url = request.getfixturevalue(f"{request.param}_url")
    return started(open_store(url, tablename, lease=60))


@pytest.mark.parametrize("priority", [0, 5])
def test_a_job_with_many_queued_runs_has_no_other_wait(store, priority):
    store.add_records(
        [record("many", 999, max_instances=99, priority=priority), record("few", 999, priority=priority)],
        None,
    )
    runs = [QueuedRun("many", START + timedelta(seconds=number), 1, START, "manual") for number in range(8)]
    store.enqueue([*runs, QueuedRun("few", START, 1, START + timedelta(seconds=1), "manual")])
    found = []
    for _ in range(8):
        store._agenda.note_queue_due(START)
        found += [one for one in claim(store, 5, limit=2).decisions if one.submit]
    begun = [(one.job.id, one.submit[0]) for one in found]
    assert ("few", START) in begun[:2]
    assert sorted(begun) == [("few", START), *(("many", run.scheduled_run_time) for run in runs)]
    store.finish([submission(one) for one in found])

"""Who has done what is noted with everything that `Admin` does, on every kind of store; and nothing that wasn't done."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event

from mainspring.admin import Admin
from mainspring.admin.upkeep import prune
from mainspring.errors import JobLookupError
from stores import open_store


@pytest.fixture
def admin(store_url, tablename):
    with Admin(open_store(store_url, tablename), makes=True, who="anna", why="ticket 12") as admin:
        yield admin


def noted(admin, **which):
    """What is noted, the earliest first."""
    return [(entry.action, entry.job_id) for entry in reversed(admin.audit(**which))]


def test_each_switch_is_noted_with_who_and_why(admin):
    admin.add_job({"id": "a", "func": "time:time", "trigger": "interval", "hours": 1})
    admin.pause_job("a", note="strike")
    admin.resume_job("a")
    admin.edit_job("a", {"name": "changed"}, dry_run=True)
    admin.edit_job("a", {"name": "changed"})
    run = admin.run_job("a")
    admin.cancel_run(run.id)
    exported = io.StringIO()
    admin.export_jobs(exported)
    admin.remove_job("a")
    with pytest.raises(JobLookupError):
        admin.remove_job("a")
    admin.import_jobs(io.StringIO(exported.getvalue()))
    wanted = [
        {"id": "a", "func": "time:time", "trigger": "interval", "hours": 2},
        {"id": "b", "func": "time:time", "trigger": "interval", "hours": 2},
    ]
    admin.sync(wanted, owner="file", take_over=True)
    admin.sync(wanted[:1], owner="file", prune=True, dry_run=True)
    admin.sync(wanted[:1], owner="file", prune=True)
    list(prune(admin, ["a"], 10, timedelta(days=1)))
    entries = admin.audit()
    assert [(entry.action, entry.job_id) for entry in reversed(entries)] == [
        ("add", "a"),
        ("pause", "a"),
        ("resume", "a"),
        ("edit", "a"),
        ("run", "a"),
        ("cancel", "a"),
        ("remove", "a"),
        ("import", "a"),
        ("apply-add", "b"),
        ("apply-change", "a"),
        ("apply-remove", "b"),
        ("prune", None),
    ]
    assert {entry.who for entry in entries} == {"anna"}
    assert {entry.action: entry.why for entry in entries} == dict.fromkeys(
        (entry.action for entry in entries), "ticket 12"
    ) | {"pause": "strike"}
    assert {entry.run_id for entry in entries} == {None, run.id}
    assert all(abs(entry.time - admin.now()) < timedelta(minutes=5) for entry in entries)
    json.dumps([entry.to_dict() for entry in entries])
    assert noted(admin, job_id="b") == [("apply-add", "b"), ("apply-remove", "b")]
    assert noted(admin, since=admin.now() + timedelta(days=1)) == []
    assert len(admin.audit(limit=3)) == 3


def test_two_who_act_at_once_are_told_apart(admin):
    admin.add_job({"id": "a", "func": "time:time", "trigger": "interval", "hours": 1})

    def act(name):
        with admin.on_behalf_of(name, f"{name}'s reason"):
            admin.pause_job("a")

    with admin.on_behalf_of("bob"):
        other = threading.Thread(target=act, args=["carol"])
        other.start()
        other.join()
        admin.resume_job("a")
    found = [(entry.who, entry.action, entry.why) for entry in reversed(admin.audit())]
    assert found == [
        ("anna", "add", "ticket 12"),
        ("carol", "pause", "carol's reason"),
        ("bob", "resume", None),
    ]


def test_what_a_scheduler_does_by_itself_is_not_noted(admin, store_url, tablename, make_scheduler):
    node = make_scheduler(jobstores={"default": open_store(store_url, tablename)}, start=True)
    node.add_job("time:time", "interval", hours=1, id="a")
    assert node.run_job("a").wait(30).outcome == "succeeded"
    node.remove_job("a")
    assert admin.audit() == []


@pytest.mark.parametrize("store_url", ["sqlite", "postgres", "mariadb"], indirect=True)
@pytest.mark.parametrize("action", ["add", "pause", "run", "remove"])
def test_what_can_not_be_noted_is_not_done(admin, action):
    admin.add_job({"id": "a", "func": "time:time", "trigger": "interval", "hours": 1})

    @event.listens_for(admin.store.engine, "before_cursor_execute")
    def refuse(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT") and "_audit" in statement:
            raise OSError("no room")

    acts = {
        "add": lambda: admin.add_job({"id": "b", "func": "time:time", "trigger": "interval", "hours": 1}),
        "pause": lambda: admin.pause_job("a"),
        "run": lambda: admin.run_job("a"),
        "remove": lambda: admin.remove_job("a"),
    }
    with pytest.raises(OSError, match="no room"):
        acts[action]()
    assert [(job.id, job.state) for job in admin.jobs().items] == [("a", "scheduled")]
    assert admin.runs() == []
    assert [entry.action for entry in admin.audit()] == ["add"]

"""What is found wrong with a store, and what to do about it; and with how many questions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.admin import Admin
from mainspring.admin.diagnosis import diagnose
from mainspring.admin.upkeep import prunable
from stores import open_store


def fail():
    raise ValueError("nothing works")


@pytest.fixture
def admin(store_url, tablename):
    with Admin(open_store(store_url, tablename), makes=True, timezone="UTC") as admin:
        yield admin


def found(admin, about, **options):
    return [one for one in diagnose(admin, **options) if one.about == about]


def test_code_that_can_not_be_loaded_is_found_where_that_is_asked_for(admin, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "soon_gone.py").write_text("def work(): pass\n")
    for job_id in "ab":
        admin.add_job({"id": job_id, "func": "soon_gone:work", "trigger": "interval", "hours": 1})
    (tmp_path / "soon_gone.py").write_text("raise RuntimeError('not here')\n")
    monkeypatch.delitem(__import__("sys").modules, "soon_gone")
    assert found(admin, "code") == []
    (finding,) = found(admin, "code", loads=True)
    assert "soon_gone:work of a, b can't be loaded here" in finding.message
    assert "jobs edit --function" in finding.advice


def test_a_job_that_has_paused_itself_is_told_of(admin, make_scheduler, store_url, tablename):
    node = make_scheduler(jobstores={"default": open_store(store_url, tablename)}, start=True)
    node.add_job(f"{__name__}:fail", "interval", hours=1, id="fails", pause_after_failures=1)
    node.run_job("fails").wait(30)
    (finding,) = [one for one in found(admin, "jobs") if "paused itself" in one.message]
    assert finding.message.startswith("fails has paused itself: ")
    node.pause_job("fails", note="mended tomorrow")
    assert not [one for one in found(admin, "jobs") if "paused itself" in one.message]


def test_jobs_that_fall_into_the_next_clock_change_are_told_of(admin, monkeypatch):
    cron = {"func": "time:time", "trigger": "cron"}
    admin.add_job({"id": "gap", "hour": 2, "minute": 30, "timezone": "Europe/Berlin", **cron})
    admin.add_job({"id": "day", "hour": 9, "timezone": "Europe/Berlin", **cron})
    admin.add_job({"id": "utc", "hour": 2, "minute": 30, "timezone": "UTC", **cron})
    monkeypatch.setattr(admin, "now", lambda: datetime(2027, 3, 10, tzinfo=UTC))
    (finding,) = found(admin, "clock changes")
    assert finding.message == "gap: 02:30 doesn't exist on 2027-03-28 in Berlin: runs at 03:30"
    monkeypatch.setattr(admin, "now", lambda: datetime(2027, 4, 10, tzinfo=UTC))
    assert found(admin, "clock changes") == []


@pytest.mark.parametrize("store_url", ["sqlite", "postgres", "mariadb"], indirect=True)
def test_a_history_that_grows_is_told_of(admin, monkeypatch, make_scheduler, store_url, tablename):
    node = make_scheduler(jobstores={"default": open_store(store_url, tablename)}, start=True)
    node.add_job("time:time", "interval", hours=1, id="a")
    for _ in range(2):
        node.run_job("a").wait(30)
    assert found(admin, "history") == []
    monkeypatch.setattr("mainspring.admin.diagnosis._MANY_RUNS", 1)
    monkeypatch.setattr("mainspring.admin.diagnosis._MANY_OF_A_JOB", 1)
    (finding,) = found(admin, "history")
    assert "2 runs are kept" in finding.message


ASKED = {
    "jobs": lambda admin: admin.jobs(limit=10),
    "job": lambda admin: admin.job("7"),
    "runs": lambda admin: admin.runs(limit=10),
    "failed": lambda admin: admin.runs(state="failed", since=admin.now() - timedelta(days=7), limit=10),
    "why": lambda admin: admin.why("7"),
    "next": lambda admin: next(admin.due_times(admin.now(), admin.now() + timedelta(days=1))),
    "pressure": lambda admin: admin.pressure(),
    "doctor": diagnose,
    "prunable": lambda admin: prunable(admin, ["7"], 100, timedelta(days=30)),
    "plan": lambda admin: admin.sync(WANTED[: len(admin.jobs(limit=1000).items)], owner="file", dry_run=True),
}
WANTED = [{"id": f"new {at}", "func": "time:time", "trigger": "interval", "hours": 1} for at in range(100)]


@pytest.mark.parametrize("name", ASKED)
def test_more_jobs_are_no_more_questions(admin, name, monkeypatch, store_url):
    """Nothing is asked job by job: a store of ten thousand jobs answers within seconds."""
    rows = []
    for method in ("list_rows", "list_runs"):
        original = getattr(admin.store, method)

        def counting(*arguments, original=original, **options):
            answer = original(*arguments, **options)
            rows.append(len(answer))
            return answer

        monkeypatch.setattr(admin.store, method, counting)
    asked = []
    if store_url.startswith(("sqlite", "postgresql", "mysql")):
        from sqlalchemy import event

        event.listen(admin.store.engine, "before_cursor_execute", lambda *_: asked.append(1))

    def counts():
        rows.clear()
        asked.clear()
        ASKED[name](admin)
        return len(asked), len(rows), max(rows, default=0)

    def add(first, last):
        for at in range(first, last):
            admin.add_job({"id": str(at), "func": "time:time", "trigger": "interval", "hours": 1})

    add(0, 10)
    ASKED[name](admin)  # what is asked once only
    questions, lists, _ = counts()
    add(10, 40)
    assert counts()[:2] == (questions, lists)
    if name in ("jobs", "runs", "failed", "job", "why"):
        assert counts()[2] <= 11

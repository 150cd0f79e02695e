"""Switches of operators, as people use them, on SQLite and PostgreSQL: pause until a time, try again, apply elsewhere, watch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from mainspring.admin import Admin
from mainspring.cli import main
from mainspring.errors import RunLookupError
from mainspring.jobstores.by_url import store_for
from stores import open_store
from waiting import wait_for


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def node(url, tablename, make_scheduler):
    return make_scheduler(jobstores={"default": store_for(url, namespace=tablename[:12])}, start=True)


@pytest.fixture
def call(url, tablename, tmp_path, monkeypatch, capsys):
    """Calls the command line for the store; exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAINSPRING_NAMESPACE", tablename[:12])

    def call(*arguments):
        capsys.readouterr()
        return main(["--store", url, "--timezone", "UTC", *arguments]), *capsys.readouterr()

    return call


def jobs_of(call):
    return {job["id"]: job for job in json.loads(call("jobs", "list", "--json")[1])}


def test_a_job_is_paused_until_a_time_and_runs_again_by_itself(call, node):
    node.add_job("time:time", "interval", hours=1, id="hourly")
    due = node.get_job("hourly").next_run_time
    code, out, _ = call("jobs", "pause", "hourly", "--until", "90m", "--note", "the printer is broken")
    assert code == 0
    assert out.startswith("hourly is paused, and runs again at ")
    job = node.get_job("hourly")
    assert job.next_run_time == due + timedelta(hours=1)  # on its schedule
    assert jobs_of(call)["hourly"]["note"].endswith(": the printer is broken")
    (entry,) = json.loads(call("audit", "--json")[1])
    assert (entry["action"], entry["why"].endswith(": the printer is broken")) == ("pause", True)
    assert call("jobs", "resume", "hourly")[0] == 0
    assert jobs_of(call)["hourly"]["note"] is None
    assert node.get_job("hourly").next_run_time == due
    code, _, err = call("jobs", "pause", "hourly", "--until", "2020-01-01")
    assert code == 1
    assert "makes no difference" in err
    node.add_job("time:time", "date", run_date="2090-01-01", id="once")
    code, _, err = call("jobs", "pause", "once", "--until", "2095-01-01")
    assert (code, "has no time from" in err) == (1, True)
    assert call("jobs", "pause", "hourly", "--until", "whenever")[0] == 2


def test_why_a_job_was_paused_until_a_time_is_not_said_any_more_when_it_runs_again(
    call, node, url, tablename
):
    node.add_job("time:time", "interval", seconds=1, id="often")
    with Admin(url, namespace=tablename[:12]) as admin:
        admin.pause_job("often", until=admin.now() + timedelta(seconds=1), note="soon")
    assert wait_for(lambda: jobs_of(call)["often"]["note"] is None)
    assert wait_for(lambda: node.get_runs("often"))


def test_a_run_that_has_ended_is_tried_again_at_its_due_time(call, node):
    node.add_job("math:sqrt", "interval", hours=1, id="fails", args=[-1])
    failed = node.run_job("fails").wait(30)
    node.modify_job("fails", args=[4])
    code, out, _ = call("runs", "retry", failed.id, "--wait", "--json")
    (again,) = json.loads(out)
    assert (code, again["state"], again["attempt"]) == (0, "succeeded", 2)
    assert again["scheduled"] == failed.scheduled_run_time.isoformat()
    third = json.loads(call("runs", "retry", failed.id, "--wait", "--json")[1])[0]
    assert third["attempt"] == 3
    assert [entry["run_id"] for entry in json.loads(call("audit", "--json")[1])] == [third["id"], again["id"]]
    code, _, err = call("runs", "retry", "fails/2026-01-31T09:30:00.000000Z/1")
    assert (code, "Error: " in err) == (1, True)
    node.remove_job("fails")
    assert call("runs", "retry", failed.id)[0] == 1


def test_who_waits_for_a_run_that_nobody_can_run_is_told(call, node):
    node.add_job("time:time", "interval", hours=1, id="a")
    node.shutdown()
    code, _, err = call("jobs", "run", "a", "--timeout", "0.1")
    assert code == 1
    assert "No node that is at work has the executor 'default'" in err
    (run,) = json.loads(call("runs", "list", "--json")[1])
    code, _, err = call("runs", "retry", run["id"])
    assert (code, "hasn't ended (queued)" in err) == (1, True)


def test_a_run_is_tried_again_on_every_store(store_url, tablename, make_scheduler):
    store = open_store(store_url, tablename)
    node = make_scheduler(jobstores={"default": store}, start=True)
    node.add_job("time:time", "interval", hours=1, id="a")
    run = node.run_job("a").wait(30)
    with Admin(open_store(store_url, tablename), who="anna") as admin:
        again = admin.retry_run(run.id, timeout=30)
        assert (again.state, again.attempt, again.scheduled) == ("succeeded", 2, run.scheduled_run_time)
        assert [(one.who, one.action, one.run_id) for one in admin.audit()] == [("anna", "retry", again.id)]
        node.pause_job("a")
        with pytest.raises(RunLookupError):
            admin.retry_run("a/2026-01-31T09:30:00.000000Z/1")


@pytest.mark.usefixtures("node")
def test_apply_goes_to_the_store_that_is_named_and_says_who(call, tmp_path):
    (tmp_path / "jobs.toml").write_text(
        """
        [stores.default]
        url = "sqlite:///other.sqlite"
        [jobs.a]
        function = "time:time"
        schedule = "@daily"
        """
    )
    assert call("--who", "anna", "--why", "ticket 12", "apply", "jobs.toml", "--yes")[0] == 0
    assert list(jobs_of(call)) == ["a"]
    assert not (tmp_path / "other.sqlite").exists()
    (entry,) = json.loads(call("audit", "--json")[1])
    assert (entry["who"], entry["action"], entry["why"]) == ("anna", "apply-add", "ticket 12")


def test_what_cannot_be_loaded_is_said_of_each_job(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mainspring.toml").write_text(
        """
        [jobs.good]
        command = "true"
        schedule = "@daily"
        [jobs.gone]
        function = "nowhere_at_all:work"
        schedule = "@daily"
        [jobs.misfit]
        function = "math:sqrt"
        args = [1, 2, 3]
        schedule = "@daily"
        """
    )
    assert main(["run", "--check"]) == 1
    out, err = capsys.readouterr()
    assert out == "good: 'true' at 00:00 every day\n"
    assert "[jobs.gone]: can't resolve 'nowhere_at_all:work'" in err
    assert "[jobs.misfit]" in err
    assert "2 of 3 jobs can't be run" in err


@pytest.mark.one_python
def test_a_list_is_shown_again_and_again(url, tablename, tmp_path, node):
    node.add_job("time:time", "interval", hours=1, id="first")
    watching = subprocess.Popen(
        [sys.executable, "-m", "mainspring", "--store", url, "--namespace", tablename[:12], "jobs", "list", "--watch", "0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert watching.stdout.readline().startswith("ID")
        node.add_job("time:time", "interval", hours=1, id="second")
        assert any(line.startswith("second") for line in watching.stdout)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130
        assert "Traceback" not in watching.stderr.read()
    finally:
        watching.kill()
        watching.communicate()


@pytest.mark.one_python
def test_a_program_that_lies_beside_the_file_is_found(tmp_path):
    (tmp_path / "beside_it.py").write_text("def work(): pass\n")
    (tmp_path / "mainspring.toml").write_text('[jobs.a]\nfunction = "beside_it:work"\nschedule = "@daily"\n')
    script = os.path.join(os.path.dirname(sys.executable), "mainspring")
    done = subprocess.run(
        [script, "run", "--check"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.one_python
def test_work_that_was_in_hand_when_it_was_killed_is_recorded_as_lost(url, tablename, tmp_path):
    (tmp_path / "mainspring.toml").write_text(
        f"""
        [stores.default]
        url = {url!r}
        namespace = {tablename[:12]!r}
        lease = 2
        [jobs.long]
        command = "sleep 30"
        trigger = {{ type = "date", run_date = "2026-01-01" }}
        """
    )
    run = [sys.executable, "-m", "mainspring", "run"]
    first = subprocess.Popen(run, cwd=tmp_path, stderr=subprocess.DEVNULL)
    second = None
    with Admin(store_for(url, namespace=tablename[:12]), makes=True) as admin:
        try:
            assert wait_for(lambda: [one for one in admin.runs() if one.state == "running"])
            first.kill()
            first.wait()
            second = subprocess.Popen(run, cwd=tmp_path, stderr=subprocess.DEVNULL)
            assert wait_for(lambda: [one.state for one in admin.runs("long")] == ["lost"])
        finally:
            for process in (first, second):
                if process is not None:
                    process.kill()
                    process.wait()


def test_what_was_not_run_is_run_for_its_due_times(call, node):
    node.add_job("time:time", "cron", hour=3, id="night", timezone="UTC")
    code, out, err = call("jobs", "backfill", "night", "2026-01-01", "2026-01-05", "--wait")
    assert (code, out) == (0, "5 runs of night queued.\n5 succeeded, 0 didn't.\n")
    assert "No node" not in err
    runs = json.loads(call("runs", "list", "night", "--json")[1])
    assert [run["scheduled"] for run in runs] == [f"2026-01-0{day}T03:00:00+00:00" for day in (5, 4, 3, 2, 1)]
    assert call("jobs", "backfill", "night", "2026-01-01", "2026-01-06", "--wait")[1].startswith(
        "1 run of night"
    )
    assert call("jobs", "backfill", "night", "2026-01-01", "2026-01-06")[:2] == (
        0,
        "0 runs of night queued.\n",
    )
    assert len(json.loads(call("audit", "--json")[1])) == 6
    node.modify_job("night", func="math:sqrt", args=[-1])
    code, out, _ = call("jobs", "backfill", "night", "2026-02-01", "2026-02-02", "--wait")
    assert (code, out.splitlines()[-1]) == (4, "0 succeeded, 2 didn't.")
    code, _, err = call("jobs", "backfill", "night", "2026-01-01", "2026-12-01", "--limit", "3")
    assert (code, "more than 3 due times" in err) == (1, True)


def test_a_plan_for_a_store_that_is_not_there_yet_makes_none(url, call, tmp_path):
    (tmp_path / "jobs.toml").write_text('[jobs.a]\nfunction = "time:time"\nschedule = "@daily"\n')
    code, out, err = call("apply", "jobs.toml")
    assert (code, "1 added" in out) == (3, True)
    assert "isn't there yet" in err
    assert not (tmp_path / "jobs.sqlite").exists()
    assert call("jobs", "list")[0] == 1
    assert call("apply", "jobs.toml", "--yes")[0] == 0
    assert list(jobs_of(call)) == ["a"]
    assert call("apply", "jobs.toml")[0] == 0

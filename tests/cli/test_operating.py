"""Commands of operators, as people start them: processes on SQLite and PostgreSQL."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import create_engine

from mainspring.cli import main
from mainspring.jobstores.by_url import store_for
from waiting import wait_for

pytestmark = pytest.mark.one_python


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def command(url, tmp_path, tablename, monkeypatch, capsys):
    """Calls the command line for the store: the first time as a process, then in this one; its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAINSPRING_STORE", url)
    monkeypatch.setenv("MAINSPRING_NAMESPACE", tablename[:12])
    calls = []

    def command(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            monkeypatch.setattr("sys.stdin", io.StringIO())
            capsys.readouterr()
            return main(["--timezone", "UTC", *arguments]), *capsys.readouterr()
        done = subprocess.run(
            [sys.executable, "-m", "mainspring", "--timezone", "UTC", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return command


@pytest.fixture
def node(url, tablename, make_scheduler):
    return make_scheduler(jobstores={"default": store_for(url, namespace=tablename[:12])}, start=True)


def test_it_is_said_why_a_job_ran_and_why_it_will_not(command, node):
    node.add_job("math:sqrt", "cron", hour=3, minute=0, id="night", args=[-1])
    run = node.run_job("night").wait(30)
    code, out, _ = command("why", "night", "--json")
    ran, comes = json.loads(out)
    assert (code, ran["verdict"], ran["code"], ran["run"]) == (0, "ran", "failed", run.id)
    assert (comes["verdict"], comes["code"]) == ("will run", None)
    node.pause_job("night", note="the disk is full")
    code, out, _ = command("why", "night", "2100-01-01T03:00")
    assert code == 0
    assert "2100-01-01 03:00:00 UTC  will not run  paused  somebody has paused it: the disk is full" in out
    (told,) = json.loads(command("why", "night", "2100-01-01", "--json")[1])
    assert (told["verdict"], told["code"], told["count"]) == ("will not run", "paused", 1)
    code, out, err = command("why", "nigth")
    assert (code, out) == (1, "")
    assert "did you mean 'night'?" in err
    code, _, err = command("why", "night", "tomorrow")
    assert code == 2
    assert "is no time" in err


def test_a_store_is_made_and_brought_up_to_date(command, url, tablename):
    code, out, err = command("db", "upgrade")
    assert (code, "CREATE TABLE" in out) == (3, True)
    assert "--yes does it" in err
    assert command("jobs", "list")[0] == 1, "nothing was made"
    assert command("db", "upgrade", "--yes")[:2] == (0, "It is up to date now.\n")
    assert command("db", "upgrade")[:2] == (0, "It is up to date.\n")
    assert command("jobs", "list")[0] == 0
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {tablename[:12]}_mainspring_runs DROP COLUMN progress")
    code, out, _ = command("db", "upgrade", "--dry-run")
    assert (code, "ADD COLUMN progress" in out) == (3, True)
    assert command("db", "upgrade", "--yes")[0] == 0
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT progress FROM {tablename[:12]}_mainspring_runs")
    engine.dispose()


def test_a_store_is_checked_pruned_and_vacuumed(command, node, url, tablename):
    node.add_job("time:time", "interval", hours=1, id="hourly")
    for _ in range(3):
        node.run_job("hourly").wait(30)
    code, out, _ = command("db", "check", "--json")
    found = {one["about"]: one for one in json.loads(out)}
    assert (code, all(one["is_good"] for one in found.values())) == (0, True)
    assert found["jobs"]["found"] == "1 jobs can be read"
    assert command("db", "prune", "--keep", "1")[0] == 130, "it asks first"
    assert command("db", "prune", "--keep", "1", "--dry-run")[:2] == (3, "2 runs would be removed.\n")
    assert command("db", "prune", "--keep", "3")[:2] == (0, "There is nothing to be removed.\n")
    assert len(node.get_runs("hourly")) == 3
    assert command("db", "prune", "--keep", "1", "--yes")[:2] == (0, "The history is pruned.\n")
    assert len(node.get_runs("hourly")) == 1
    code, out, _ = command("db", "vacuum", "--yes")
    assert (code, out.startswith("It is vacuumed")) == (0, True)
    assert node.run_job("hourly").wait(30).outcome == "succeeded"
    if url.startswith("sqlite"):
        assert command("db", "vacuum")[0] == 130, "a node is at work"
        assert command("db", "grants", "app")[0] == 1
    else:
        code, out, _ = command("db", "grants", 'the "app"')
        assert code == 0
        first = out.splitlines()[0]
        assert (
            first
            == f'GRANT SELECT, INSERT, UPDATE, DELETE ON {tablename[:12]}_mainspring_jobs TO "the ""app""";'
        )
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {tablename[:12]}_mainspring_jobs SET arguments = '{{'")
    engine.dispose()
    code, out, _ = command("db", "check", "--json")
    assert (code, [one["about"] for one in json.loads(out) if not one["is_good"]]) == (3, ["jobs"])


def test_a_backup_is_made_and_put_back_while_a_node_is_at_work(command, node, url, tmp_path):
    if not url.startswith("sqlite"):
        code, _, err = command("db", "backup", "copy.sqlite")
        assert (code, "pg_dump" in err) == (1, True)
        assert command("db", "restore", "copy.sqlite", "--yes")[0] == 1
        return
    node.add_job("time:time", "interval", hours=1, id="old")
    node.add_job("time:time", "interval", seconds=1, id="writes")
    wait_for(lambda: node.get_runs("writes", "succeeded"))
    assert command("db", "backup", "copy.sqlite")[0] == 0
    copy = tmp_path / "copy.sqlite"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in tmp_path.glob("copy*")) == ["copy.sqlite"]
    code, _, err = command("db", "backup", "copy.sqlite")
    assert (code, "is there already" in err) == (1, True)
    assert command("db", "backup", "copy.sqlite", "--replace")[0] == 0
    for itself in ("jobs.sqlite", "link.sqlite"):
        (tmp_path / "link.sqlite").unlink(missing_ok=True)
        (tmp_path / "link.sqlite").symlink_to(tmp_path / "jobs.sqlite")
        assert command("db", "backup", itself, "--replace")[0] == 1
        assert command("db", "restore", itself, "--yes")[0] == 1
    node.remove_job("old")
    node.add_job("time:time", "interval", hours=1, id="new")

    torn = tmp_path / "torn.sqlite"
    content = bytearray(copy.read_bytes())
    content[4096:8192] = os.urandom(4096)
    torn.write_bytes(content)
    (tmp_path / "text.sqlite").write_text("no database at all")
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE t (x)").connection.close()
    for wrong in ("torn.sqlite", "text.sqlite", "other.sqlite", "nothing.sqlite"):
        code, _, err = command("db", "restore", wrong, "--yes")
        assert (code, err.startswith("Error: ")) == (1, True), wrong
    assert node.get_job("new") is not None, "what was refused has changed nothing"

    assert command("db", "restore", "copy.sqlite")[0] == 130, "it asks first"
    assert command("db", "restore", "copy.sqlite", "--yes")[0] == 0
    assert sorted(job.id for job in node.get_jobs()) == ["old", "writes"]
    before = {run.id for run in node.get_runs("writes")}
    wait_for(lambda: {run.id for run in node.get_runs("writes", "succeeded")} - before)  # it goes on
    assert command("db", "check")[0] == 0


def test_a_job_is_edited_after_the_difference_was_shown(command, node):
    node.add_job("time:sleep", "interval", hours=1, id="naps", args=[0], name="nap")
    due = node.get_job("naps").next_run_time
    arguments = (
        "--name",
        "siesta",
        "--tag",
        "rest",
        "--args",
        "[0.5]",
        "--set",
        "timeout=10m",
        "--set",
        "max_instances=2",
    )
    code, out, err = command("jobs", "edit", "naps", *arguments)
    assert (code, "--yes does it" in err) == (3, True)
    assert [line.strip() for line in out.splitlines()] == [
        "~ naps",
        "arguments: (0) -> (0.5)",
        "name: 'nap' -> 'siesta'",
        "max_instances: 1 -> 2",
        "tags: () -> ('rest',)",
        "timeout: None -> datetime.timedelta(seconds=600)",
    ]
    assert node.get_job("naps").name == "nap"
    assert command("jobs", "edit", "naps", *arguments, "--yes")[0] == 0
    job = node.get_job("naps")
    assert (job.name, job.args, job.tags, job.max_instances, job.next_run_time) == (
        "siesta",
        (0.5,),
        ("rest",),
        2,
        due,
    )
    assert command("jobs", "edit", "naps", *arguments)[:2] == (0, "Nothing is different of naps.\n")

    code, out, _ = command("jobs", "edit", "naps", "--schedule", "30 3 * * *", "--json", "--yes")
    (difference,) = json.loads(out)["differences"]
    assert (code, difference["after"]) == (0, "at 03:30 every day, UTC")
    assert node.get_job("naps").next_run_time.strftime("%H:%M") == "03:30"
    node.pause_job("naps")
    assert command("jobs", "edit", "naps", "--schedule", "@hourly", "--set", "timeout=null", "--yes")[0] == 0
    assert (node.get_job("naps").next_run_time, node.get_job("naps").timeout) == (None, None)
    assert command("jobs", "edit", "naps", "--command", "true", "--yes")[0] == 0
    assert node.run_job("naps").wait(30).outcome == "succeeded"

    for wrong, code in [
        ((), 2),
        (("--dialect", "unix"), 2),
        (("--args", "{"), 2),
        (("--args", "{}"), 2),
        (("--set", "timout=1"), 2),
        (("--set", "max_instances=0"), 1),
        (("--schedule", "never ever"), 2),
    ]:
        assert (command("jobs", "edit", "naps", *wrong, "--yes")[:2]) == (code, ""), wrong
    assert command("jobs", "edit", "nops", "--name", "x", "--yes")[0] == 1


def test_jobs_and_their_runs_are_found_by_group_owner_tag_and_text(command, node):
    node.sync(
        [
            {"id": f"owned {number}", "func": "time:time", "trigger": "interval", "hours": 1}
            for number in range(3)
        ],
        owner="billing",
    )
    for number in range(3):
        node.add_job(
            "time:time",
            "interval",
            hours=2,
            id=f"grouped {number}",
            group="api",
            tags=["odd"] if number % 2 else [],
        )
    for job_id in ("owned 1", "grouped 0", "grouped 1"):
        node.run_job(job_id).wait(30)

    def found(*arguments):
        return [one.get("job_id", one["id"]) for one in json.loads(command(*arguments, "--json")[1])]

    assert found("jobs", "list", "--group", "api") == ["grouped 0", "grouped 1", "grouped 2"]
    assert found("jobs", "list", "--owner", "billing") == ["owned 0", "owned 1", "owned 2"]
    assert found("jobs", "list", "--owner", "billing", "--limit", "2") == ["owned 0", "owned 1"]
    assert found("jobs", "list", "--owner", "billing", "--after", "owned 1") == ["owned 2"]
    assert found("jobs", "list", "--owner", "billing", "--group", "api") == []
    assert sorted(found("runs", "list", "--group", "api")) == ["grouped 0", "grouped 1"]
    assert found("runs", "list", "--owner", "billing") == ["owned 1"]
    assert found("runs", "list", "--tag", "odd") == ["grouped 1"]
    assert found("runs", "list", "--search", "ED 0") == ["grouped 0"]
    assert found("runs", "list", "--group", "api", "--limit", "1") == ["grouped 1"]


def test_the_coming_week_is_shown_with_a_free_time(command, node):
    node.add_job("time:time", "cron", hour=3, minute=0, id="night")
    code, out, _ = command("pressure")
    lines = out.splitlines()
    assert code == 0
    assert all(len(line) <= 100 for line in lines)
    assert len([line for line in lines if "\u2588\u2588" in line]) == 7
    assert "A free time for a daily job is 00:01" in lines[-1]
    found = json.loads(command("pressure", "--json")[1])
    assert (len(found["hours"]), found["busiest"]["due"]) == (168, 1)
    assert len(command("pressure", "--output", "csv")[1].splitlines()) == 169


def test_what_comes_is_drawn_by_job_and_by_hour(command, node):
    node.add_job("time:time", "interval", minutes=1, id="often")
    node.add_job("time:time", "interval", hours=5, id="rarely")
    code, out, _ = command("next", "--timeline")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines[1:3]] == ["often", "rarely"]
    assert lines[1].endswith("\u2588" * 48)
    assert lines[2].count("\u00b7") == 4
    assert all(len(line) <= 80 for line in lines)
    found = json.loads(command("next", "--timeline", "--span", "10h", "--json")[1])
    assert {one["job_id"]: sum(one["due"]) for one in found} == {"often": 600, "rarely": 2}
    code, out, _ = command("next", "--timeline", "hour", "--span", "3h")
    assert code == 0
    assert all(len(line.split()) == 6 for line in out.splitlines()[1:])
    assert command("next", "often", "--timeline")[0] == 2


def test_who_has_done_what_and_how_runs_went_is_shown(command, node):
    node.add_job("math:sqrt", "interval", hours=1, id="fails", args=[-1])
    for _ in range(3):
        node.run_job("fails").wait(30)
    code, out, _ = command("runs", "chart", "fails", "--by", "day", "--json")
    (before,) = json.loads(out)
    assert (code, before["runs"], before["not_well"]) == (0, 3, 3)
    assert command("--who", "anna", "--why", "ticket 12", "db", "prune", "--keep", "0", "--yes")[0] == 0
    assert node.get_runs("fails") == []
    assert json.loads(command("runs", "chart", "fails", "--by", "day", "--json")[1]) == [before]
    (minute,) = json.loads(command("runs", "chart", "fails", "--by", "minute", "--json")[1])[:1]
    assert minute["outcomes"]["failed"] >= 1
    assert command("runs", "chart", "fails", "--by", "day", "--svg", "fails.svg")[0] == 0
    assert ET.parse("fails.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    (entry,) = json.loads(command("audit", "--json")[1])
    assert (entry["who"], entry["action"], entry["why"], entry["job_id"]) == (
        "anna",
        "prune",
        "ticket 12",
        None,
    )

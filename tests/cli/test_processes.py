"""The command line as people start it: processes, signals, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from stores import open_store
from waiting import wait_for

FILE = """
[scheduler]
timezone = "Europe/Berlin"

[stores.default]
url = {url!r}

[jobs.hello]
command = "echo hello $NAME"
environment = {{ NAME = "world" }}
schedule = "every second"
capture_log = true

[jobs.slow]
command = "sleep 1; echo slept"
trigger = {{ type = "date", run_date = "2026-01-01" }}
capture_log = true
"""


def command(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "mainspring", *arguments],
        cwd=cwd,
        env={**os.environ, "MAINSPRING_STORE": "", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def started(tmp_path):
    processes = []

    def start(*arguments):
        log = (tmp_path / "log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "mainspring", *arguments], cwd=tmp_path, stderr=log, stdout=log
        )
        log.close()
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.one_python
def test_a_file_is_run_looked_at_from_outside_and_told_to_stop(url, tmp_path, started, tablename):
    (tmp_path / "mainspring.toml").write_text(
        FILE.format(url=url).replace("[jobs.hello]", f"namespace = '{tablename[:12]}'\n[jobs.hello]", 1)
    )
    checked = command("run", "--check", cwd=tmp_path)
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "2 jobs, nothing is wrong with them.")

    process = started("run", "--log-format", "json")
    log = tmp_path / "log"
    wait_for(lambda: "hello world" in log.read_text())
    jobs = json.loads(command("jobs", "list", "--json", cwd=tmp_path).stdout)
    assert "hello" in [job["id"] for job in jobs]
    assert [json.loads(command("nodes", "--json", cwd=tmp_path).stdout)[0]["pid"]] == [process.pid]

    asked = command("jobs", "run", "hello", "--wait", "--timeout", "30", "--json", cwd=tmp_path)
    (run,) = json.loads(asked.stdout)
    assert (asked.returncode, run["state"]) == (0, "succeeded")
    assert "hello world" in run["log"]
    paused = command("jobs", "pause", "hello", "--note", "enough", cwd=tmp_path)
    assert (paused.returncode, paused.stdout) == (0, "hello is paused.\n")

    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["run_id"] for line in lines if "run_id" in line and line["message"] == "hello world"} >= {
        run["id"]
    }
    assert json.loads(command("nodes", "--all", "--json", cwd=tmp_path).stdout)[0]["state"] == "stopped"
    found = command("doctor", cwd=tmp_path)
    assert found.returncode == 3
    assert "no node is at work" in found.stdout


@pytest.mark.one_python
def test_what_runs_when_it_is_told_to_stop_is_waited_for(tmp_path, started):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    (tmp_path / "mainspring.toml").write_text(FILE.format(url=url))
    process = started("run")
    store = None
    try:
        wait_for((tmp_path / "jobs.sqlite").exists)
        wait_for(lambda: 'Running job "slow"' in (tmp_path / "log").read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        store = open_store(url, "mainspring_jobs")
        (run,) = store.list_runs("slow", None, None, 10)
        assert run.outcome == "succeeded"
        assert "slept" in run.log
    finally:
        if store is not None:
            store.shutdown()


@pytest.mark.one_python
def test_a_plan_is_shown_done_and_taken_over_again_on_sighup(tmp_path, started):
    file = tmp_path / "mainspring.toml"
    file.write_text(FILE.format(url=f"sqlite:///{tmp_path}/jobs.sqlite"))
    away = command("apply", cwd=tmp_path)
    assert (away.returncode, "2 added" in away.stdout) == (3, True)
    assert "isn't there yet" in away.stderr
    done = command("apply", "--yes", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "mainspring.toml: 2 added")
    assert command("apply", cwd=tmp_path).returncode == 0

    process = started("run")
    log = tmp_path / "log"
    wait_for(lambda: "Scheduler started" in log.read_text())
    file.write_text(file.read_text() + '\n[jobs.new]\nfunction = "time:time"\nschedule = "@daily"\n')
    planned = command("apply", "--json", cwd=tmp_path)
    assert planned.returncode == 3
    assert [(one["id"], one["action"]) for one in json.loads(planned.stdout)["default"]["jobs"]][-1] == (
        "new",
        "add",
    )
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: 'Job "new" of mainspring.toml: added' in log.read_text())
    file.write_text(file.read_text().replace("@daily", "@dayly"))
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: "what was before goes on: " in log.read_text())
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.mark.one_python
def test_a_file_that_cannot_be_taken_over_ends_the_start(tmp_path):
    file = tmp_path / "mainspring.toml"
    file.write_text(
        FILE.format(url=f"sqlite:///{tmp_path}/jobs.sqlite")
        .replace("echo slept", "")
        .replace('"sleep 1; "', "[]")
    )
    answer = command("run", cwd=tmp_path)
    assert answer.returncode == 1
    assert "mainspring.toml, [jobs.slow]: command must be a text" in answer.stderr


@pytest.mark.one_python
def test_a_scheduler_of_a_program_is_run(tmp_path, started):
    (tmp_path / "program.py").write_text(
        "from mainspring import BlockingScheduler\n"
        "scheduler = BlockingScheduler()\n"
        "scheduler.add_job(print, args=['it runs'], kwargs={'flush': True})\n"
    )
    process = started("run", "program:scheduler")
    wait_for(lambda: "it runs" in (tmp_path / "log").read_text())
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


@pytest.mark.one_python
def test_a_command_line_without_its_libraries_says_which_extra_it_lacks(tmp_path):
    (tmp_path / "click.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'click'\", name='click')\n"
    )
    answer = command("jobs", "list", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == (
        'the command line needs click 8.1 and rich 13, which is not installed: pip install "mainspring[cli]"\n'
    )


@pytest.mark.one_python
def test_the_demo_fits_60_columns_agrees_with_itself_and_names_what_to_do_next(tmp_path):
    done = command("demo", "--seconds", "3", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(len(line) <= 60 for line in lines)
    shown = [
        line.split()[1]
        for line in lines
        if line.startswith("  ") and line.split()[1] in ("succeeded", "failed")
    ]
    assert f"{shown.count('succeeded')} runs succeeded, {shown.count('failed')} failed." in lines
    assert shown.count("succeeded") >= 2
    runs = json.loads(command("--store", "demo.sqlite", "runs", "list", "--json", cwd=tmp_path).stdout)
    assert sorted(run["state"] for run in runs) == sorted(shown)
    for line in lines[-3:]:
        name, *arguments = line.split()
        assert name == "mainspring"
        assert command(*arguments, cwd=tmp_path).returncode in (0, 1, 3)

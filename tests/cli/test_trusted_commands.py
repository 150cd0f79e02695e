"""`mainspring run` runs the commands of its file, and of rows only what is signed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from mainspring.admin import Admin
from mainspring.commands import run_command
from mainspring.jobstores.by_url import store_for
from mainspring.model import JobRecord
from stores import open_store
from waiting import wait_for

pytestmark = [pytest.mark.one_python, pytest.mark.skipif(sys.platform == "win32", reason="commands of POSIX")]


@contextmanager
def running(folder, **environment):
    process = subprocess.Popen(
        [sys.executable, "-m", "mainspring", "run"],
        cwd=folder,
        stderr=subprocess.PIPE,
        env={**os.environ, "MAINSPRING_STORE": "", **environment},
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def command(job_id, text):
    return {"id": job_id, "func": run_command, "args": [text], "trigger": "interval", "seconds": 1}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue("postgres_url")


def write(folder, url, namespace, text):
    (folder / "mainspring.toml").write_text(
        f"""
        [stores.default]
        url = {url!r}
        namespace = {namespace!r}
        [jobs.ours]
        command = {text!r}
        schedule = "every second"
        """
    )


def test_a_command_that_somebody_has_put_into_the_store_is_not_run(url, tablename, tmp_path):
    namespace = tablename[:12]
    write(tmp_path, url, namespace, "echo ours >> ours")
    with Admin(store_for(url, namespace=namespace), makes=True) as admin:
        admin.add_job(command("theirs", f"touch {tmp_path}/theirs"))
        with running(tmp_path) as process:
            assert wait_for(lambda: (tmp_path / "ours").exists())
            assert wait_for(lambda: [job.id for job in admin.overdue()] == ["theirs"])
            # Of the same id, and with another command.
            admin.edit_job("ours", {"args": [f"touch {tmp_path}/theirs"]})
            lines = (tmp_path / "ours").read_text()
            assert wait_for(lambda: "ours" in [job.id for job in admin.overdue()])
            assert (tmp_path / "ours").read_text().startswith(lines)
            # What the file says now is put in the place of what somebody has written.
            write(tmp_path, url, namespace, "echo new >> new")
            process.send_signal(signal.SIGHUP)
            assert wait_for(lambda: (tmp_path / "new").exists())
        assert admin.runs("theirs") == []
    assert not (tmp_path / "theirs").exists()


def test_a_command_that_is_signed_is_run(url, tablename, tmp_path):
    namespace = tablename[:12]
    write(tmp_path, url, namespace, "echo ours >> ours")
    store = store_for(url, namespace=namespace, signing_key="of-a-test-and-long-enough-for-one")
    with Admin(store, makes=True) as admin:
        admin.add_job(command("signed", f"touch {tmp_path}/signed"))
        with running(tmp_path, MAINSPRING_SIGNING_KEY="of-a-test-and-long-enough-for-one"):
            assert wait_for(lambda: (tmp_path / "signed").exists())
            assert wait_for(lambda: (tmp_path / "ours").exists())


def test_a_store_without_a_file_runs_no_unsigned_command_and_says_why(tmp_path):
    with Admin(f"{tmp_path}/mainspring.sqlite", makes=True) as admin:
        admin.add_job(command("theirs", f"touch {tmp_path}/theirs"))
        admin.add_job({"id": "a", "func": "time:time", "trigger": "interval", "seconds": 1})
        with running(tmp_path) as process:
            assert wait_for(lambda: admin.runs("a"))
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=60)
    assert "it runs a command that is not one of the file" in log
    assert not (tmp_path / "theirs").exists()


def test_commands_are_known_on_every_store(store_url, tablename, make_scheduler):
    store = open_store(store_url, tablename)
    node = make_scheduler(jobstores={"default": store}, start=True)
    node.add_job(run_command, "interval", hours=1, id="known", args=["true"])
    node.add_job(run_command, "interval", hours=1, id="unknown", args=["false"])
    node.add_job(
        "mainspring.moving.plan:run_command", "interval", hours=1, id="by another way", args=["false"]
    )
    node.add_job("time:time", "interval", hours=1, id="no command")
    known = store.get_record("known")
    store.trust_commands([known])
    rows = {getattr(row, "record", row).id: isinstance(row, JobRecord) for row in store.list_rows()}
    assert rows == {"known": True, "unknown": False, "by another way": False, "no command": True}


def test_another_node_whose_file_has_a_command_runs_it_all_the_same(
    store_url, tablename, make_scheduler, tmp_path
):
    """Two deployments with a file each share a store: each runs its own commands, and isn't in the other's way."""
    stranger = open_store(store_url, tablename)
    first = make_scheduler(jobstores={"default": stranger}, start=True)
    stranger.trust_commands([])
    first.add_job("time:time", "interval", seconds=1, id="anybody's")
    assert wait_for(lambda: first.get_runs("anybody's"))
    store = open_store(store_url, tablename)
    node = make_scheduler(jobstores={"default": store}, start=True)
    node.add_job(run_command, "interval", seconds=1, id="ours", args=["true"])
    assert wait_for(lambda: [run.state for run in node.get_runs("ours")].count("succeeded") >= 2)

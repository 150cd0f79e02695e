"""A job that runs a command does what somebody expects who comes from cron."""

from __future__ import annotations

import os
import pickle
import sys

import pytest

from mainspring import MemoryJobStore, commands
from mainspring.commands import run_command
from mainspring.errors import CommandFailedError, CommandRetryError, ConfigurationError
from mainspring.retry import Retry
from waiting import wait_for

pytestmark = [pytest.mark.one_python, pytest.mark.skipif(sys.platform == "win32", reason="commands of POSIX")]


@pytest.fixture
def run(make_scheduler):
    """Runs a command as a job; the record of its run."""
    scheduler = make_scheduler(jobstores={"default": MemoryJobStore()}, start=True)

    def go(command, *, timeout=None, **options):
        job = scheduler.add_job(
            run_command, "date", run_date="2999-01-01", args=(command,), kwargs=options, timeout=timeout
        )
        return job.run_now()

    return go


def test_what_it_writes_is_in_the_log_of_the_run(run):
    record = run("echo one; echo two >&2; echo three").wait(30)
    assert record.state == "succeeded"
    assert [line.rpartition(": ")[2] for line in record.log.splitlines()] == ["one", "two", "three"]


def test_an_exit_code_fails_the_run_and_says_what_was_written_last(run):
    record = run("seq 1 9; exit 3").wait(30)
    assert record.state == "failed"
    assert "'seq 1 9; exit 3' failed with exit code 3" in record.error
    assert [line.strip() for line in record.error.splitlines()[1:6]] == ["5", "6", "7", "8", "9"]


def test_exit_codes_mean_what_is_said_of_them(run):
    codes = {"success_codes": [0, 24], "nothing_to_do_codes": [75], "retry_codes": [69]}
    assert [run(f"exit {code}", **codes).wait(30).state for code in (0, 24, 75)] == ["succeeded"] * 3
    assert "nothing to do (exit code 75)" in run("exit 75", **codes).wait(30).result
    assert run("exit 0", **codes).wait(30).result is None
    assert run("exit 0", success_codes=[1]).wait(30).state == "failed"
    assert run("exit 69", **codes).wait(30).error.startswith("CommandRetryError: ")
    assert run("exit 1", **codes).wait(30).error.startswith("CommandFailedError: ")


@pytest.mark.parametrize("codes", [[256], [-1], "0", [True], [None], None])
def test_what_is_no_exit_code_is_refused(run, codes):
    assert "must be exit codes from 0 to 255" in run("exit 0", retry_codes=codes).wait(30).error


def test_a_command_is_tried_again_after_the_codes_that_ask_for_it_alone(make_scheduler, tmp_path):
    scheduler = make_scheduler(jobstores={"default": MemoryJobStore()}, start=True)
    retry = Retry(3, delay=0, on=CommandRetryError)
    for code, attempts in ((69, 2), (1, 1)):
        file = tmp_path / f"{code}"
        command = f"test -e {file} || {{ touch {file}; exit {code}; }}"
        job = scheduler.add_job(
            run_command, "interval", hours=1, args=[command], kwargs={"retry_codes": [69]}, retry=retry
        )
        job.run_now().wait(30)
        assert max(run.attempt for run in scheduler.get_runs(job.id)) == attempts


def test_a_signal_that_ends_it_fails_the_run(run):
    assert "was ended by signal 9" in run("kill -9 $$").wait(30).error


def test_a_program_that_is_not_there_fails_the_run(run):
    assert run(["/nonexistent/program"]).wait(30).state == "failed"
    assert "exit code 127" in run("/nonexistent/program").wait(30).error


def alive(pid):
    """Whether a process is there, and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "], ids=["", "deaf"])
def test_too_long_a_run_is_ended_with_all_that_it_has_started(run, tmp_path, trap, monkeypatch):
    """The attack: a shell's child goes on when the shell alone is killed."""
    monkeypatch.setattr(commands, "TERM_GRACE_SECONDS", 0.5)
    file = tmp_path / "pids"
    handle = run(
        f"{trap}(sleep 300) & (sleep 300) & echo $$ $(jobs -p) > {file}; wait; wait",
        timeout=0.5,
        shell="/bin/bash",
    )
    assert handle.wait(60).state == "timed_out"
    pids = [int(pid) for pid in file.read_text().split()]
    assert len(pids) == 3
    wait_for(lambda: not any(alive(pid) for pid in pids), 30)


def test_a_run_that_is_cancelled_ends_its_command(run, tmp_path):
    file = tmp_path / "pid"
    handle = run(f"echo $$ > {file}; exec sleep 300")
    pid = int(wait_for(lambda: file.exists() and file.read_text().strip(), 30))
    handle.cancel()
    assert handle.wait(60).state == "cancelled"
    wait_for(lambda: not alive(pid), 30)


def test_what_stays_in_the_background_is_not_waited_for(run, tmp_path):
    file = tmp_path / "pid"
    record = run(f"sleep 300 & echo $! > {file}; echo started").wait(60)
    assert record.state == "succeeded"
    assert "started" in record.log
    os.kill(int(file.read_text()), 9)


def test_input_is_given_and_may_be_left_unread(run):
    assert "a-b" in run("read x; read y; echo $x-$y", input="a\nb\n").wait(30).log
    assert run("true", input="x" * 1_000_000).wait(30).state == "succeeded"


def test_the_environment_is_as_little_as_crons(run, monkeypatch):
    monkeypatch.setenv("OF_THE_SCHEDULER", "yes")
    log = run("env", environment={"A": "1"}, inherit_environment=False).wait(30).log
    assert "A=1" in log
    assert "HOME=" in log
    assert "OF_THE_SCHEDULER" not in log
    assert "OF_THE_SCHEDULER=yes" in run("env", environment={"A": "1"}).wait(30).log


def test_files_of_variables_are_read_at_each_run(run, tmp_path):
    file = tmp_path / "env"
    file.write_text("# comment\nA=1 2\nB='x'\n\n")
    options = {"environment_files": [str(file), f"-{tmp_path}/missing"], "environment": {"A": "0"}}
    assert "1 2-x" in run('echo "$A-$B"', **options).wait(30).log
    file.write_text("A=3\n")
    assert "3-" in run('echo "$A-$B"', **options).wait(30).log
    assert run("true", environment_files=[f"{tmp_path}/missing"]).wait(30).state == "failed"


def test_it_runs_in_a_directory(run, tmp_path):
    assert str(tmp_path) in run("pwd", directory=str(tmp_path)).wait(30).log
    assert os.path.expanduser("~") in run("pwd", directory="~").wait(30).log


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may run commands as others")
def test_root_runs_a_command_as_another_user(run):
    log = run("id -un; echo $HOME; id -Gn", user="nobody", directory="/").wait(30).log
    assert "nobody" in log
    assert "root" not in log


def test_nobody_else_can_and_says_so():
    with pytest.raises(ConfigurationError, match="no such user"):
        run_command("true", user="no-such-user-here")


def test_other_users_need_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigurationError, match="run as user 'root'"):
        run_command("true", user="root")


def test_it_can_be_called_without_a_scheduler():
    run_command("true")
    with pytest.raises(CommandFailedError) as failed:
        run_command(["sh", "-c", "echo x; exit 7"])
    assert failed.value.exit_code == 7
    assert failed.value.output == ("x",)
    copy = pickle.loads(pickle.dumps(failed.value))
    assert (str(copy), copy.exit_code) == (str(failed.value), 7)


def test_bytes_that_are_no_text_and_lines_without_end_are_kept(run):
    record = run("printf 'a\\377b\\n'; head -c 20000 /dev/zero | tr '\\0' z").wait(30)
    assert record.state == "succeeded"
    assert "a\N{REPLACEMENT CHARACTER}b" in record.log
    assert "z" * 8000 in record.log

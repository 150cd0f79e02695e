"""The process pool: what crosses the border, and what happens when a process dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from mainspring.errors import ConfigurationError, RunError, TransferError, WorkerDiedError
from mainspring.executors import processes
from mainspring.executors.pool import ProcessPoolExecutor

sys.path.insert(0, str(Path(__file__).parent))
import functions

pytestmark = pytest.mark.xdist_group("processes")


@pytest.fixture
def pool(started):
    return started(ProcessPoolExecutor(2))


def only_failure(reports, job_id="job"):
    """The one failure of a job, after it is done."""
    reports.wait("done", job_id)
    (failure,) = reports.of("failed", job_id)
    assert not reports.of("succeeded", job_id)
    return failure[2], failure[3]


def runs_another(pool, reports, submission):
    pool.submit(submission(functions.add, 1, 2, id="another"), reports)
    assert reports.wait("succeeded", "another")[0][2] == 3


def test_a_function_runs_in_another_process(pool, reports, submission):
    pool.submit(submission(functions.pid), reports)
    assert reports.wait("succeeded")[0][2] != os.getpid()
    assert [told[0] for told in reports.told[:2]] == ["started", "succeeded"]
    reports.wait("done")


def test_a_process_serves_many_jobs(started, reports, submission):
    pool = started(ProcessPoolExecutor(1))
    for _ in range(3):
        pool.submit(submission(functions.pid), reports)
    assert len({told[2] for told in reports.wait("succeeded", count=3)}) == 1


def test_bug_39_a_crash_is_one_error_that_says_so(pool, reports, submission):
    pool.submit(submission(functions.crash), reports)
    error, _ = only_failure(reports)
    assert isinstance(error, WorkerDiedError)
    assert error.exit_code == 7
    assert "functions:crash exited with code 7" in str(error)
    runs_another(pool, reports, submission)


def test_bug_39_a_killed_process_is_named_by_its_signal(pool, reports, submission):
    pool.submit(submission(functions.kill_itself), reports)
    error, _ = only_failure(reports)
    assert isinstance(error, WorkerDiedError)
    assert error.exit_code == -signal.SIGKILL
    assert "SIGKILL" in str(error)
    runs_another(pool, reports, submission)


def test_bug_39_a_neighbour_of_a_crash_survives(pool, reports, submission, tmp_path):
    gate = tmp_path / "gate"
    pool.submit(submission(functions.wait_for_file, str(gate), id="neighbour"), reports)
    reports.wait("started", "neighbour")
    pool.submit(submission(functions.crash, id="culprit"), reports)
    only_failure(reports, "culprit")
    gate.touch()
    assert reports.wait("succeeded", "neighbour")[0][2] == "waited"


def test_bug_39_arguments_that_cannot_be_pickled(pool, reports, submission):
    pool.submit(submission(functions.add, threading.Lock(), 2), reports)
    error, _ = only_failure(reports)
    assert isinstance(error, TransferError)
    assert "arguments of functions:add" in str(error)
    runs_another(pool, reports, submission)


def test_bug_39_a_result_that_cannot_be_pickled(pool, reports, submission):
    pool.submit(submission(functions.return_lock), reports)
    error, _ = only_failure(reports)
    assert isinstance(error, TransferError)
    assert "result of functions:return_lock, a lock" in str(error)
    runs_another(pool, reports, submission)


@pytest.mark.parametrize("function", ["return_leaving", "raise_leaving"])
def test_what_ends_the_program_when_it_is_pickled_leaves_the_process(pool, reports, submission, function):
    pool.submit(submission(functions.pid, id="before"), reports)
    before = reports.wait("succeeded")[0][2]
    pool.submit(submission(getattr(functions, function)), reports)
    error, _ = only_failure(reports)
    assert isinstance(error, TransferError)
    assert "can't be pickled" in str(error)
    pool.submit(submission(functions.pid, id="after"), reports)
    assert reports.wait("succeeded", "after")[0][2] == before


@pytest.mark.parametrize(("function", "words"), [("raise_stubborn", "1 and 2"), ("raise_locked", "locked")])
def test_bug_39_an_exception_that_cannot_be_pickled(pool, reports, submission, function, words):
    pool.submit(submission(getattr(functions, function)), reports)
    error, traceback = only_failure(reports)
    assert isinstance(error, TransferError)
    assert words in str(error)
    assert f"in {function}" in traceback
    runs_another(pool, reports, submission)


def test_an_exception_comes_back_as_itself_with_its_traceback(pool, reports, submission):
    pool.submit(submission(functions.raise_value_error), reports)
    error, traceback = only_failure(reports)
    assert type(error) is ValueError
    assert str(error) == "from the other side"
    assert "in raise_value_error" in traceback


def test_a_lambda_cannot_be_sent(pool, reports, submission):
    pool.submit(submission(lambda: None), reports)
    error, _ = only_failure(reports)
    assert isinstance(error, TransferError)
    assert "module level" in str(error)


def test_bug_38_the_decorated_function_is_run_and_not_the_plain_one(pool, reports, submission):
    pool.submit(submission(functions.decorated, 4, id="decorated"), reports)
    pool.submit(submission(functions.plain, 4, id="plain"), reports)
    assert reports.wait("succeeded", "decorated")[0][2] == 8
    assert reports.wait("succeeded", "plain")[0][2] == 4


@pytest.mark.parametrize("function", [functions.double, functions.doubler])
def test_bug_40_coroutines_run_to_their_end(pool, reports, submission, function):
    pool.submit(submission(function, 4), reports)
    assert reports.wait("succeeded")[0][2] == 8


def test_bug_42_a_process_is_replaced_after_so_many_jobs(started, reports, submission):
    pool = started(ProcessPoolExecutor(1, {"max_tasks_per_child": 2}))
    for _ in range(5):
        pool.submit(submission(functions.pid), reports)
    pids = [told[2] for told in reports.wait("succeeded", count=5)]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


def test_an_initializer_runs_in_each_process(started, reports, submission):
    pool = started(ProcessPoolExecutor(1, {"initializer": functions.set_mark, "initargs": (5,)}))
    pool.submit(submission(functions.mark), reports)
    assert reports.wait("succeeded")[0][2] == 5


def test_shutting_down_ends_the_processes(reports, submission):
    pool = ProcessPoolExecutor(2)
    pool.start(None, "default")
    pool.submit(submission(functions.pid), reports)
    pid = reports.wait("succeeded")[0][2]
    pool.shutdown()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("value", [0, -1, "x", None, 1.5, True])
def test_numbers_of_workers_that_cannot_be(value):
    with pytest.raises(ConfigurationError, match="max_workers"):
        ProcessPoolExecutor(value)


def test_an_option_that_nothing_understands():
    with pytest.raises(ConfigurationError, match="did you mean 'max_tasks_per_child'"):
        ProcessPoolExecutor(1, {"max_task_per_child": 2})
    with pytest.raises(ConfigurationError, match="max_tasks_per_child"):
        ProcessPoolExecutor(1, {"max_tasks_per_child": 0})


def test_start_methods_and_numbers_are_read_as_configuration_files_write_them(started, reports, submission):
    pool = started(ProcessPoolExecutor("1", {"mp_context": "spawn", "max_tasks_per_child": "1"}))
    for _ in range(2):
        pool.submit(submission(functions.pid), reports)
    assert len({told[2] for told in reports.wait("succeeded", count=2)}) == 2
    with pytest.raises(ConfigurationError, match="did you mean 'spawn'"):
        ProcessPoolExecutor(1, {"mp_context": "spwan"})


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_of_every_start_method_end_at_once_at_shutdown(reports, submission, method):
    pool = ProcessPoolExecutor(2, {"mp_context": method})
    pool.start(None, "default")
    together = [submission(functions.pid) for _ in range(6)]
    for each in together:
        pool.submit(each, reports)
    reports.wait("done", count=6)
    began = time.monotonic()
    pool.shutdown()
    assert time.monotonic() - began < processes._EXIT_SECONDS  # so none of them had to be killed
    assert not multiprocessing.active_children()


def test_a_process_that_dies_idle_costs_no_job(started, reports, submission):
    pool = started(ProcessPoolExecutor(1))
    pool.submit(submission(functions.pid), reports)
    pid = reports.wait("succeeded")[0][2]
    os.kill(pid, signal.SIGKILL)
    pool.submit(submission(functions.pid, id="next"), reports)
    reports.wait("done", "next")
    # Where the kill had not come about yet, the call may have gone to the dying process: that one is told, once.
    ended = reports.of("succeeded", "next") + reports.of("failed", "next")
    assert len(ended) == 1
    assert ended[0][2] != pid
    runs_another(pool, reports, submission)


def test_an_initializer_that_fails_is_the_outcome_of_each_run(started, reports, submission):
    pool = started(ProcessPoolExecutor(1, {"initializer": functions.broken}))
    for number in range(2):
        pool.submit(submission(functions.pid, id=str(number)), reports)
        error, traceback = only_failure(reports, str(number))
        assert type(error) is RunError
        assert "initializer failed" in str(error)
        assert "no database" in str(error)
        assert "in broken" in traceback


def test_a_job_may_start_processes(pool, reports, submission):
    pool.submit(submission(functions.children), reports)
    assert reports.wait("succeeded")[0][2] == 0


def test_an_exception_that_cannot_be_changed_comes_back_as_itself(pool, reports, submission):
    pool.submit(submission(functions.raise_frozen), reports)
    error, traceback = only_failure(reports)
    assert error == functions.FrozenError(5)
    assert "in raise_frozen" in traceback


def test_an_exception_without_words_is_still_an_outcome(pool, reports, submission):
    pool.submit(submission(functions.raise_silent), reports)
    error, _ = only_failure(reports)
    assert isinstance(error, TransferError)
    assert "SilentError" in str(error)
    runs_another(pool, reports, submission)


def test_bug_38_a_reference_that_gives_another_function_is_not_followed(
    pool, reports, submission, monkeypatch
):
    given = submission(functions.plain, 4)
    monkeypatch.setattr(functions, "plain", functions.decorated)
    pool.submit(given, reports)
    error, _ = only_failure(reports)
    assert isinstance(error, TransferError)
    assert "functions:plain is another object" in str(error)
    monkeypatch.delattr(functions, "plain")
    pool.submit(given, reports)
    reports.wait("done", count=2)
    assert all(isinstance(told[2], TransferError) for told in reports.of("failed"))
    assert not reports.of("succeeded")


def test_importing_the_pool_loads_no_multiprocessing():
    program = "import sys, mainspring.executors.pool; print('multiprocessing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


AT_EXIT = """
    import sys, time
    from mainspring.schedulers.background import BackgroundScheduler
    from mainspring.events import EVENT_JOB_EXECUTED, EVENT_JOB_STARTED
    import threading

    def job(gate):
        open(gate, "w").close()
        threading.Event().wait(0.7)
        open(gate + ".ended", "w").close()

    if __name__ == "__main__":
        gate, wait = sys.argv[1:]
        scheduler = BackgroundScheduler(timezone="UTC", executors={"default": {"type": "processpool"}})
        scheduler.start()
        scheduler.add_job(job, args=[gate])
        import os
        while not os.path.exists(gate):
            threading.Event().wait(0.01)
        if wait == "no":
            scheduler.shutdown(wait=False)
"""


@pytest.mark.parametrize(("wait", "ends"), [("yes", True), ("no", False)])
def test_the_end_of_the_program_waits_for_a_running_job_unless_told_not_to(tmp_path, wait, ends):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(AT_EXIT))
    gate = tmp_path / "gate"
    ended = subprocess.run([sys.executable, program, gate, wait], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert gate.exists()
    assert gate.with_name("gate.ended").exists() is ends
    if ends:
        assert ended.stderr == ""


ORPHAN = """
    import os, sys, threading
    sys.path.insert(0, {folder!r})
    import functions
    from mainspring.schedulers.background import BackgroundScheduler
    from mainspring.events import EVENT_JOB_EXECUTED

    if __name__ == "__main__":
        scheduler = BackgroundScheduler(timezone="UTC", executors={{"default": {{"type": "processpool"}}}})
        scheduler.add_listener(lambda event: print(event.retval, flush=True), EVENT_JOB_EXECUTED)
        scheduler.start()
        scheduler.add_job(functions.pid)
        threading.Event().wait()
"""


def test_no_process_outlives_a_killed_parent(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(ORPHAN.format(folder=str(Path(__file__).parent))))
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
        # The worker holds the other end of this pipe: it is closed when the last process has ended.
        assert parent.stdout.read() == ""
    assert pid > 0

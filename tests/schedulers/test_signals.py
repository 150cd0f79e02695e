"""SIGINT and SIGTERM, sent to real programs."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread

import pytest

import mainspring
from mainspring import BackgroundScheduler, BlockingScheduler
from mainspring.clock import SystemClock
from mainspring.schedulers.signals import NOTICED_WITHIN_SECONDS, SIGNALS
from mainspring.schedulers.states import STATE_RUNNING
from stores import MONGODB, open_store

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180)]

HERE = Path(__file__).parent
PATIENCE = 60
SIGINT, SIGTERM = signal.SIGINT, signal.SIGTERM
#: By which the process ends, and what the program catches.
ENDS = {SIGINT: (-SIGINT, "KeyboardInterrupt"), SIGTERM: (143, "SystemExit 143")}


class Program:
    """One `signal_program.py`."""

    def __init__(self, tmp_path, kind="blocking", *, prefix=(), tty=False, **settings):
        self.go = tmp_path / "go"
        self.go.mkdir(exist_ok=True)
        self.log = (tmp_path / "log").open("w")
        settings = {"kind": kind, "go": str(self.go), "names": ["a"], "options": {}, **settings}
        self.names = settings["names"]
        paths = f"{HERE}:{HERE.parent}:{Path(mainspring.__path__[0]).parent}"
        self.tty, slave = pty.openpty() if tty else (None, subprocess.PIPE)
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(HERE / "signal_program.py"), json.dumps(settings)],
            stdin=slave if tty else None,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, "PYTHONPATH": paths, "QT_QPA_PLATFORM": "offscreen"},
            start_new_session=True,
            preexec_fn=_take_terminal if tty else None,
        )
        self.said = []
        self._lines = Queue()
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line.strip())
        self._lines.put(None)

    def hears(self, *beginnings):
        """Wait until it has said lines that begin so, in whatever order."""
        missing = [one for one in beginnings if not any(line.startswith(one) for line in self.said)]
        deadline = time.monotonic() + PATIENCE
        while missing:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0))
            except Empty:
                line = None
            assert line is not None, f"no {missing} in {self.said}\n{self.log_text()}"
            self.said.append(line)
            missing = [one for one in missing if not line.startswith(one)]
        return self

    def has_begun(self):
        return self.hears(*(f"begun {name}" for name in self.names))

    def lets(self, *names):
        for name in names or self.names:
            (self.go / name).touch()

    def logged(self, text):
        """Wait until it has logged this."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.log_text():
            assert time.monotonic() < deadline, self.log_text()
            time.sleep(0.01)

    def log_text(self):
        return Path(self.log.name).read_text()

    def send(self, number, *, group=False):
        (os.killpg if group else os.kill)(self.process.pid, number)

    def ends(self):
        """Its exit code, when it has ended."""
        code = self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        while (line := self._lines.get_nowait()) is not None:
            self.said.append(line)
        return code

    def close(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        self.process.stdout.close()
        self.log.close()
        if self.tty is not None:
            os.close(self.tty)


def _take_terminal():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def start(tmp_path):
    programs = []

    def begin(*args, **settings):
        programs.append(Program(tmp_path, *args, **settings))
        return programs[-1]

    yield begin
    for program in programs:
        program.close()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/jobs.sqlite"


def runs_at(url):
    """What the store knows, asked by somebody who runs nothing."""
    scheduler = BackgroundScheduler(
        timezone="UTC", jobstores={"default": open_store(url, "signals", lease=20)}
    )
    scheduler.start(paused=True)
    try:
        return {
            (run.job_id, run.attempt): run for run in scheduler.get_runs(limit=1000) if run.job_id != "tick"
        }
    finally:
        scheduler.shutdown()


def ticks(program):
    return program.said.count("tick")


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_a_signal_drains_and_then_reaches_the_program(start, url, number):
    program = start(url=url, names=["a", "b", "c"], workers=2)
    program.hears("begun", "starting")
    program.logged('Running job "hold"')
    # Two run; the third and the tick are claimed, and wait for a worker.
    program.send(number)
    program.logged("shutting down")
    program.lets("a", "b", "c")
    code, told = ENDS[number]
    assert program.ends() == code
    assert program.said[-1] == told
    begun = {line.split()[1] for line in program.said if line.startswith("begun")}
    assert {line.split()[1] for line in program.said if line.startswith("ended")} == begun
    runs = runs_at(url)
    for (job_id, _), run in runs.items():
        assert run.state == ("succeeded" if job_id in begun else "queued")


def test_what_is_claimed_and_not_begun_is_given_back(start, url):
    program = start(url=url, names=["a", "b", "c"], workers=1)
    program.hears("begun")
    deadline = time.monotonic() + PATIENCE
    while (
        sum("Removed job" in line for line in program.log_text().splitlines()) < 2
    ):  # claimed, so that it won't run again
        assert time.monotonic() < deadline
        time.sleep(0.01)
    program.send(SIGTERM)
    program.logged("Gave back")
    program.lets()
    assert program.ends() == 143
    (begun,) = [line.split()[1] for line in program.said if line.startswith("begun")]
    states = {job_id: run.state for (job_id, _), run in runs_at(url).items()}
    assert states.pop(begun) == "succeeded"
    assert set(states.values()) <= {"queued"}
    again = start(url=url, names=[])
    again.hears(*({"begun a", "begun b", "begun c"} - {f"begun {begun}"}))


@pytest.mark.parametrize("on_lost", ["record", "rerun"])
def test_a_second_signal_ends_it_at_once_and_what_was_given_up_is_recorded(start, url, on_lost):
    program = start(url=url, on_lost=on_lost).has_begun()
    program.send(SIGINT)
    program.logged("shutting down")
    program.send(SIGTERM)
    assert program.ends() == 143
    assert program.said[-1] == "SystemExit 143"
    runs = runs_at(url)
    assert runs["a", 1].outcome == "lost"
    assert "given up" in runs["a", 1].error
    assert ("a", 2) in runs if on_lost == "rerun" else ("a", 2) not in runs
    assert 'Run of job "hold" is given up' in program.log_text()


@pytest.mark.parametrize("obeys", [False, True])
def test_a_drain_takes_no_longer_than_it_may(start, url, obeys):
    program = start(url=url, options={"shutdown_timeout": 0.5}, obeys=obeys).has_begun()
    program.send(SIGTERM)
    assert program.ends() == 143
    assert runs_at(url)["a", 1].outcome == "lost"
    assert ("told a" in program.said) <= obeys


def test_handlers_of_the_program_stay(start):
    program = start(own_handler=True, ignored=True).has_begun()
    program.send(SIGINT)
    program.send(SIGTERM)
    program.hears("own handler")
    before = ticks(program)
    while ticks(program) < before + 2:
        program.said.append(program._lines.get(timeout=PATIENCE))
    assert "shutting down" not in program.log_text()


def test_it_can_be_turned_off(start):
    program = start(options={"handle_signals": False}).has_begun()
    program.send(SIGTERM)
    assert program.ends() == -SIGTERM


def test_a_background_scheduler_does_the_same_if_it_is_asked_to(start, url):
    program = start("background", url=url, options={"handle_signals": True}).has_begun()
    program.send(SIGTERM)
    program.logged("shutting down")
    program.lets()
    assert program.ends() == 143
    assert program.said[-1] == "SystemExit 143"
    assert runs_at(url)["a", 1].outcome == "succeeded"


def test_a_background_scheduler_leaves_signals_alone_otherwise(start):
    program = start("background").has_begun()
    program.send(SIGTERM)
    assert program.ends() == -SIGTERM


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_worker_processes_outlive_a_signal_to_all_of_the_group(start, url, number):
    program = start(url=url, processes=True, names=["a", "b"]).has_begun()
    program.send(number, group=True)
    program.logged("shutting down")
    program.lets()
    assert program.ends() == ENDS[number][0]
    assert {"ended a", "ended b"} <= set(program.said)
    assert {run.outcome for run in runs_at(url).values()} == {"succeeded"}


def test_worker_processes_end_with_a_program_that_a_signal_to_the_group_kills(start, url):
    program = start("background", url=url, processes=True).has_begun()
    (pid,) = [int(line.split()[2]) for line in program.said if line.startswith("begun a")]
    program.send(SIGTERM, group=True)
    assert program.ends() == -SIGTERM
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_second_signal_ends_worker_processes_too(start, url):
    program = start(url=url, processes=True).has_begun()
    program.send(SIGTERM, group=True)
    program.logged("shutting down")
    program.send(SIGTERM, group=True)
    assert program.ends() == 143
    assert runs_at(url)["a", 1].outcome == "lost"


def test_ctrl_c_at_a_terminal(start, url):
    program = start(url=url, processes=True, tty=True).has_begun()
    os.write(program.tty, b"\x03")
    program.logged("SIGINT: shutting down")
    program.lets()
    assert program.ends() == -SIGINT
    assert runs_at(url)["a", 1].outcome == "succeeded"


def test_as_the_first_process_of_a_container(start, url):
    unshare = shutil.which("unshare")
    prefix = [unshare or "unshare", "--pid", "--fork", "--kill-child"]
    if unshare is None or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("namespaces of processes can't be made here")
    program = start(url=url, prefix=prefix).has_begun()
    assert "begun a 1" in program.said
    (child,) = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
    os.kill(int(child), SIGTERM)
    program.logged("shutting down")
    program.lets()
    assert program.ends() == 143
    assert runs_at(url)["a", 1].outcome == "succeeded"


def test_while_it_starts(start):
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    program = start(url=url)
    program.hears("starting")
    program.logged("It is tried for")
    program.send(SIGTERM)
    assert program.ends() == 143
    assert program.said[-1] == "SystemExit 143"


def test_while_it_starts_paused_and_a_listener_hangs_there(start):
    program = start(paused=True, listener=True)
    program.hears("starting", "listening")
    program.send(SIGINT)
    assert program.ends() == -SIGINT


def test_while_the_program_shuts_down_by_itself(start, url):
    program = start("background", url=url, options={"handle_signals": True}, shuts_down=True)
    program.hears("shutting down")
    program.send(SIGTERM)
    program.logged("SIGTERM: shutting down")
    program.lets()
    assert program.ends() == 143
    assert "ended a" in program.said
    assert runs_at(url)["a", 1].outcome == "succeeded"


LOOPS = ["asyncio", "tornado", "gevent", "twisted", "qt"]


@pytest.mark.parametrize("kind", LOOPS)
def test_schedulers_of_event_loops_drain_too(start, url, kind):
    if kind == "qt":
        pytest.importorskip("PySide6")
    coroutines = kind == "gevent"  # whose functions would have to know of it
    program = start(kind, url=url, options={"handle_signals": True}, coroutines=coroutines).has_begun()
    program.send(SIGTERM)
    if kind != "twisted":  # whose reactor says nothing
        program.logged("shutting down")
    program.lets()
    code = program.ends()
    assert code == (143 if kind != "twisted" else 0), program.log_text()
    assert "ended a" in program.said
    assert runs_at(url)["a", 1].outcome == "succeeded"


@pytest.mark.soak
@pytest.mark.parametrize("kind", LOOPS)
def test_a_second_signal_ends_event_loops_at_once(start, url, kind):
    if kind == "qt":
        pytest.importorskip("PySide6")
    coroutines = kind == "gevent"
    program = start(kind, url=url, options={"handle_signals": True}, coroutines=coroutines).has_begun()
    program.send(SIGTERM)
    time.sleep(0.5)
    program.send(SIGTERM)
    program.ends()
    assert runs_at(url)["a", 1].outcome == "lost"


def test_ctrl_c_with_asyncio_is_asyncios_and_drains_where_the_scheduler_is_left(start, url):
    program = start("asyncio", url=url, coroutines=True).has_begun()
    program.send(SIGINT)
    program.hears("cleaned up")
    program.lets()
    assert program.ends() == -SIGINT
    assert runs_at(url)["a", 1].outcome == "succeeded"


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["postgres", "mariadb", "redis", MONGODB])
@pytest.mark.parametrize("times", [1, 2])
def test_on_each_store(start, request, kind, times):
    url = request.getfixturevalue(f"{kind}_url")
    program = start(url=url, names=["a", "b"]).has_begun()
    for _ in range(times):
        program.send(SIGTERM)
        program.logged("shutting down")
    if times == 1:
        program.lets()
    assert program.ends() == 143
    outcomes = {run.outcome for (job_id, attempt), run in runs_at(url).items() if attempt == 1}
    assert outcomes == {"succeeded" if times == 1 else "lost"}


# In this process


def test_handlers_are_put_back(make_scheduler):
    before = [signal.getsignal(number) for number in (SIGINT, SIGTERM)]
    first, second = make_scheduler(handle_signals=True), make_scheduler(handle_signals=True)
    first.start()
    second.start()
    assert signal.getsignal(SIGTERM) == SIGNALS._handle
    first.shutdown()
    assert signal.getsignal(SIGTERM) == SIGNALS._handle
    second.shutdown()
    assert [signal.getsignal(number) for number in (SIGINT, SIGTERM)] == before


def test_another_thread_than_the_main_one_gets_no_signals_and_says_so(make_scheduler, caplog):
    scheduler = make_scheduler(handle_signals=True)
    thread = Thread(target=scheduler.start)
    thread.start()
    thread.join()
    assert "handle_signals=True has no effect" in caplog.text
    assert signal.getsignal(SIGTERM) == signal.SIG_DFL


def test_a_program_that_goes_on_can_start_again_and_be_told_again(make_scheduler):
    scheduler = make_scheduler(handle_signals=True)
    for number, error in ((SIGINT, KeyboardInterrupt), (SIGTERM, SystemExit), (SIGINT, KeyboardInterrupt)):
        scheduler.start()
        with pytest.raises(error):
            signal.raise_signal(number)
            time.sleep(PATIENCE)
        assert not scheduler.running
        assert signal.getsignal(SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("kind", ["blocking", "asyncio", "tornado", "twisted", "qt"])
def test_a_signal_that_another_thread_takes_is_noticed(start, kind):
    """By a loop that waits for nothing."""
    if kind == "qt":
        pytest.importorskip("PySide6")
    program = start(kind, names=[], options={"handle_signals": True}, deaf=True).hears("added")
    program.logged("Scheduler started")
    program.send(SIGTERM)
    assert program.ends() == (143 if kind != "twisted" else 0), program.log_text()


@pytest.mark.parametrize("is_main", [True, False])
def test_the_main_thread_looks_for_signals_where_nothing_is_to_be_done(is_main):
    """One that another thread has taken, or that came just before the waiting, doesn't end it."""
    waited = []

    class Clock(SystemClock):
        def wait(self, event, timeout):
            waited.append(timeout)
            return len(waited) > 1

    scheduler = BlockingScheduler()
    scheduler.state = STATE_RUNNING
    scheduler._event, scheduler._clock = Event(), Clock()
    if is_main:
        scheduler._sleep(None)
    else:
        thread = Thread(target=scheduler._sleep, args=(None,))
        thread.start()
        thread.join()
    assert waited == [NOTICED_WITHIN_SECONDS if is_main else None] * 2

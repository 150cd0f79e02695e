"""The program that started this project: a URL fetched each minute by a scheduler that outlives the main thread.

Run unchanged under the alias, and with ``apscheduler`` replaced by ``mainspring`` in its imports; on every Python here;
until two minutes have passed for all of them at once; then ended, half of them by Ctrl-C and half by SIGTERM.

The program fetches from port 8000. So that nothing else on the machine is in the way, each process is told by
``http_proxy`` to send its requests to a server of its own, which sees the whole URL.
"""

import shutil
import signal
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
MINUTE = timedelta(minutes=1)
TRIGGER = "cron[month='*', day='*', day_of_week='*', hour='*', minute='*']"

CASES = [
    (version, form, ending)
    for version in ("3.11", "3.12", "3.13")
    for form in ("unchanged", "renamed")
    for ending in (signal.SIGINT, signal.SIGTERM)
]

pytestmark = [pytest.mark.every_python, pytest.mark.timeout(300), pytest.mark.xdist_group("seed")]


class Program:
    """The program, running, and a server for its requests."""

    def __init__(self, command, directory, environment):
        self.requests = []
        self.arrived = threading.Condition()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.output = (directory / "stdout", directory / "stderr")
        with self.output[0].open("wb") as stdout, self.output[1].open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                env={**environment, "http_proxy": f"http://127.0.0.1:{self.server.server_port}"},
                stdout=stdout,
                stderr=stderr,
            )
        self.started = datetime.now(UTC)

    def _handler(program):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"page")
                with program.arrived:
                    program.requests.append((datetime.now(UTC), self.path))
                    program.arrived.notify_all()

            def log_message(self, *arguments):
                pass

        return Handler

    @property
    def printed(self):
        return self.output[0].read_text()

    @property
    def complained(self):
        return self.output[1].read_text()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def programs(find_python, bare_environment, tmp_path_factory):
    """All cases, started at once so that they are waited for together."""
    running = {}
    # What is started by somebody who ignores Ctrl-C (a background job of a shell, a worker of pytest's) ignores it too.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    for version, form, ending in CASES:
        python = find_python(version)
        if python is None:
            continue
        directory = tmp_path_factory.mktemp(f"{form}-{version}-{ending.name}") / "programs"
        shutil.copytree(PROGRAMS, directory)
        command = [python]
        if form == "unchanged":
            command += ["-m", "mainspring.as_apscheduler"]
        else:
            for path in directory.rglob("*.py"):
                path.write_text(path.read_text().replace("apscheduler", "mainspring"))
        running[version, form, ending] = Program([*command, "add_listener.py"], directory, bare_environment)
    signal.signal(signal.SIGINT, ours)
    yield running
    for program in running.values():
        program.close()


def test_the_programs_are_the_seeds():
    """What is run here is what was handed in; a repair of it would be a test of something else."""
    text = (PROGRAMS / "add_listener.py").read_text() + (
        PROGRAMS / "slave_server" / "schedulers.py"
    ).read_text()
    assert "from apscheduler.schedulers.blocking import BlockingScheduler" in text
    assert "time_zone=tz" in text
    assert "mainspring" not in text


@pytest.mark.parametrize(
    ("version", "form", "ending"), CASES, ids=lambda value: getattr(value, "name", value)
)
def test_url_is_fetched_each_minute_and_a_signal_ends_it(programs, version, form, ending):
    if (version, form, ending) not in programs:
        pytest.skip(f"Python {version} is not on this machine")
    program = programs[version, form, ending]

    with program.arrived:
        assert program.arrived.wait_for(
            lambda: len(program.requests) >= 2 or program.process.poll() is not None, 150
        )
    assert program.process.poll() is None, program.complained
    first, second = (at.replace(second=0, microsecond=0) for at, _ in program.requests[:2])
    assert second == first + MINUTE
    # Long after the main thread has ended: it sleeps for one second.
    assert program.requests[1][0] - program.started > timedelta(seconds=55)
    for at, url in program.requests:
        assert url in {
            f"http://127.0.0.1:8000/?sid=1&version={(at - late).date()}" for late in (MINUTE * 0, MINUTE)
        }

    # Of the first minute, the listener may have heard nothing: it is added a second after the job.
    wait_until(lambda: told(second) in program.printed, program)
    assert program.printed.startswith((told(second), told(first) + told(second)))

    program.process.send_signal(ending)
    program.process.wait(30)
    assert "Traceback" not in program.complained
    assert "Exception ignored" not in program.complained

    # `time_zone=` is a misspelling, which APScheduler swallows.
    warned = [line for line in program.complained.splitlines() if "Warning" in line]
    assert any("time_zone" in line and "timezone" in line.replace("time_zone", "") for line in warned), (
        program.complained
    )
    assert program.complained.count("Warning") == len(warned) == 1


def told(minute):
    """The four lines of the seed's listener."""
    return f"1\n{minute:%Y-%m-%d %H:%M:%S}\n{minute + MINUTE:%Y-%m-%d %H:%M:%S}\n{TRIGGER}\n"


def wait_until(condition, program):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, program.printed + program.complained
        time.sleep(0.02)

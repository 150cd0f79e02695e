"""``mainspring top`` in a real terminal: tmux's, of 80 columns, beside a scheduler in another process; and in terminals that go away."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
from contextlib import suppress
from tempfile import TemporaryDirectory

import pytest

import servers
from mainspring.admin import Admin
from waiting import wait_for

pytestmark = [pytest.mark.one_python, pytest.mark.xdist_group("top")]  # they share a scheduler

PROGRAM = """
import sys
from mainspring import BlockingScheduler, current_run
from mainspring.jobstores.by_url import store_for

def import_orders():
    run = current_run()
    run.progress(30, 100, "rows")
    open("begun", "w").close()
    run.cancelled.wait(600)

if __name__ == "__main__":
    scheduler = BlockingScheduler(jobstores={"default": store_for(sys.argv[1])}, timezone="UTC")
    scheduler.add_job("program:import_orders", id="import-orders")
    scheduler.add_job("time:time", "cron", hour=3, id="nightly-report")
    scheduler.start()
"""

TOP = [sys.executable, "-m", "mainspring", "--timezone", "UTC", "--store"]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Of a store of which a process runs the jobs."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "program.py").write_text(PROGRAM)
    url = f"sqlite:///{folder}/jobs.sqlite"
    scheduler = subprocess.Popen([sys.executable, "program.py", url], cwd=folder)
    try:
        wait_for((folder / "begun").exists)
        yield url
    finally:
        scheduler.kill()
        scheduler.wait()


class Tmux:
    """A terminal, and what is to be seen in it."""

    def __init__(self, folder, *command):
        tmux = shutil.which("tmux")
        if tmux is None:
            servers.missing("tmux is not installed (apt-get install tmux)")
        self._place = TemporaryDirectory(prefix="tmux-")  # names of sockets are short
        self._tmux = [tmux, "-f", "/dev/null", "-S", f"{self._place.name}/socket"]
        # Without true colour, as many that are reached over ssh.
        self._run("new-session", "-d", "-c", str(folder), *["-x", "80", "-y", "24"], *command)

    def _run(self, *arguments):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLORTERM": ""}
        return subprocess.run(
            [*self._tmux, *arguments], env=environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def press(self, *keys):
        self._run("send-keys", *keys)

    def lines(self):
        return self._run("capture-pane", "-p").splitlines()

    def line(self, *parts):
        """The line that has these parts, once there is one."""
        return wait_for(
            lambda: next((line for line in self.lines() if all(part in line for part in parts)), None)
        )

    def close(self):
        self._run("kill-server")
        self._place.cleanup()


def test_in_a_terminal_of_80_columns_the_running_job_is_seen_and_a_job_paused_by_key(url, tmp_path):
    # By a shell, which has it go on when it was stopped.
    shell = (
        "sh",
        "-mc",
        '"$@"; clear; touch stopped; fg >/dev/null; echo $? >code; mv code ended; sleep 600',
        "sh",
    )
    terminal = Tmux(tmp_path, *shell, *TOP, url, "top", "--interval", "0.5s")
    try:
        assert terminal.line("import-orders ", "██░░░░░░  30 % rows")
        assert terminal.line("1 node · 1 running · 0 failed")
        assert terminal.line("nightly-report ", "at 03:00 every day, UTC")
        assert terminal.line("UPCOMING 1 ")
        assert terminal.line("NODES 1 ")
        assert max(map(len, terminal.lines())) <= 80
        terminal.press("2", "p")
        assert terminal.line("Pause nightly-report?")
        terminal.press("broken", "Enter")
        assert terminal.line("nightly-report is paused.")
        with Admin(url) as admin:
            paused = admin.job("nightly-report")
        assert (paused.state, paused.note) == ("paused", "broken")
        assert terminal.line("nightly-report ", "paused: broken")
        # Ctrl-Z, and on again: all is drawn anew.
        terminal.press("C-z")
        wait_for((tmp_path / "stopped").exists)
        assert terminal.line("mainspring top")
        assert terminal.line("nightly-report ", "paused: broken")
        terminal.press("q")
        wait_for((tmp_path / "ended").exists)
        assert (tmp_path / "ended").read_text() == "0\n"
    finally:
        terminal.close()


@pytest.fixture
def started(url):
    """Starts it in a terminal that is ours; its process, and the terminal's other end."""
    begun = []

    def start(*command):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen(
            [*command, "--store", url, "top", "--interval", "0.2s"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
            start_new_session=True,
        )
        begun.append((process, ours, theirs))
        seen = b""
        while b"import-orders" not in seen:
            seen += os.read(ours, 65536)
        # Black on black would be seen by nobody: what is asked for is the terminal's own.
        assert re.search(rb"\x1b\[(?:[0-9]+;)*(?:[349][0-8]|10[0-7])[;m]", seen) is None
        return process, ours, theirs

    yield start
    for process, *ends in begun:
        process.kill()
        process.wait()
        for end in ends:
            with suppress(OSError):
                os.close(end)


def test_it_ends_when_its_terminal_goes_away_even_if_hangups_are_ignored(started):
    process, ours, theirs = started(sys.executable, "-m", "mainspring")
    os.close(theirs)
    os.close(ours)
    assert process.wait(60) == 129


def test_it_ends_by_sigterm_where_its_terminal_takes_nothing_any_more(started):
    hurried = (
        "import sys; from mainspring.cli import main; from mainspring.cli.top import terminal;"
        "terminal._LOOK_SECONDS = terminal._PATIENCE_SECONDS = 0.2; sys.exit(main())"
    )
    process, _, theirs = started(sys.executable, "-c", hurried)
    before = termios.tcgetattr(theirs)[3]
    assert not before & termios.ECHO
    # Nobody reads: sooner or later a write of it waits for ever.
    wait_for(lambda: _takes_nothing(theirs))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert termios.tcgetattr(theirs)[3] & termios.ECHO


def _takes_nothing(terminal):
    return not select.select([], [terminal], [], 0)[1]


def test_by_sigterm_it_ends_with_the_terminal_as_it_was(started):
    process, ours, theirs = started(sys.executable, "-m", "mainspring")
    read = []
    reader = threading.Thread(target=_read_all, args=(ours, read), daemon=True)
    reader.start()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    wait_for(lambda: b"\x1b[?1049l" in b"".join(read))  # the other screen is left
    assert termios.tcgetattr(theirs)[3] & termios.ECHO


def _read_all(terminal, read):
    with suppress(OSError):
        while True:
            read.append(os.read(terminal, 65536))


def test_without_textual_it_says_which_extra_it_lacks(tmp_path):
    (tmp_path / "textual.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'textual'\", name='textual')\n"
    )
    answer = subprocess.run(
        [*TOP, "jobs.sqlite", "top"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (
        1,
        "",
        'Error: mainspring top needs Textual 8.2, which is not installed: pip install "mainspring[tui]"\n',
    )

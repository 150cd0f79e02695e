"""Processes of the tests' own: nodes, and who starts them again when they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

from diary import VARIABLE

import mainspring

HERE = Path(__file__).parent
#: The library of this process.
LIBRARY = Path(mainspring.__path__[0]).parent


def paths(library: Path = LIBRARY) -> str:
    """Where processes find what these tests are made of, and the library."""
    return f"{HERE}:{HERE.parent}:{library}"


PATHS = paths()
#: Seconds for which anything is waited for that will come, on however busy a machine.
PATIENCE = 40


def wait_for(condition, what: str, timeout: float = PATIENCE):
    """The first answer of `condition` that is something."""
    end = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < end, f"in {timeout} s there came no {what}"
        time.sleep(0.02)
    return found


class Node:
    """One process.

    Args:
        settings: of `fire_node.py`.
        environment: besides that of this process.
        library: another release's.
    """

    def __init__(
        self,
        settings: dict,
        diary: Path,
        environment: dict[str, str] | None = None,
        library: Path = LIBRARY,
    ) -> None:
        self.name = settings["node_name"]
        self.log = Path(settings["log"])
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "fire_node.py"), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {}), "PYTHONPATH": paths(library), VARIABLE: str(diary)},
        )
        self.pid = self.process.pid
        self.began = time.monotonic()
        self.died: float | None = None
        #: From when to when it could do nothing.
        self.mute: list[tuple[float, float]] = []
        self._answers: Queue[str] = Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def is_ready(self) -> bool:
        """Wait until it has started, or ended; whether it has started."""
        return self._answers.get(timeout=PATIENCE) == "ready\n"

    def wait_until_ready(self) -> Node:
        assert self.is_ready(), f"it ended: {self.log_text()}"
        return self

    def health(self, timeout: float = PATIENCE) -> dict | None:
        """What `health()` says there; ``None``: nothing in that time."""
        with suppress(Empty):
            while True:  # an answer to an earlier question
                self._answers.get_nowait()
        self.process.stdin.write("health\n")
        self.process.stdin.flush()
        try:
            return json.loads(self._answers.get(timeout=timeout))
        except Empty:
            return None

    def fork(self, job_id: str, seconds: float, how: str) -> int:
        """Have it fork a child that asks for that job for so long; the child's pid."""
        self.process.stdin.write(f"fork {job_id} {seconds} {how}\n")
        self.process.stdin.flush()
        while not (said := self._answers.get(timeout=PATIENCE)).startswith("forked"):
            assert said, f"it ended: {self.log_text()}"
        return int(said.split()[1])

    def log_text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def logged(self, *levels: str, since: float = 0.0) -> list[dict]:
        """The lines of its log of some levels, from a moment on."""
        text = self.log_text()
        lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [line for line in lines if line["level"] in levels and line["moment"] >= since]

    def has_told_the_end(self) -> bool:
        """Whether it says that the last outage is over: until then another one is the same to it, and only told of after a minute."""
        told = [
            line["message"]
            for line in self.logged("INFO", "WARNING", "ERROR")
            if any(
                words in line["message"]
                for words in ("; it has failed for ", ". It is waited for", " works again, after ")
            )
        ]
        return not told or " works again, after " in told[-1]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @contextmanager
    def paused(self):
        """Its machine is suspended."""
        begin = time.monotonic()
        self.send(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)
            self.mute.append((begin, time.monotonic()))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self.died = time.monotonic()

    def stop(self) -> None:
        """End it in good order."""
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0, self.log_text()
        self.died = time.monotonic()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        self._reading.join(PATIENCE)
        with suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()


@dataclass(frozen=True)
class Death:
    """A process that has ended without being told to."""

    pid: int
    code: int
    moment: float


class Supervisor:
    """Keeps a number of processes up, as systemd or Kubernetes do.

    Args:
        start: makes one more.
    """

    def __init__(self, start, count: int) -> None:
        self._start = start
        self.nodes: list[Node] = [start() for _ in range(count)]
        for node in self.nodes:
            node.wait_until_ready()
        self.deaths: list[Death] = []
        self.failed: BaseException | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        try:
            while not self._stopping.wait(0.02):
                for place, node in enumerate(self.nodes):
                    if (code := node.process.poll()) is not None:
                        node.died = time.monotonic()
                        self.deaths.append(Death(node.pid, code, node.died))
                        self.nodes[place] = self._start()
        except BaseException as error:  # it is raised where it is stopped
            self.failed = error

    def stop(self) -> None:
        """Let them be."""
        self._stopping.set()
        self._thread.join(PATIENCE)
        if self.failed is not None:
            raise self.failed

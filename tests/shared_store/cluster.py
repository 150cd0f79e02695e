"""Processes on one store, and a checker of what they did."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url

import mainspring
from mainspring.schedulers.background import BackgroundScheduler
from stores import open_store

HERE = Path(__file__).parent
#: Where processes of their own find what these tests are made of, and the same library as this one.
PATHS = f"{HERE}:{HERE.parent}:{Path(mainspring.__path__[0]).parent}"
PATIENCE = 60


class Node:
    """One process."""

    def __init__(self, url: str, tablename: str, log: Path, *prefix: str, **options: object) -> None:
        given = [f"{name}={value}" for name, value in options.items()]
        # A clock that is wrong is one that shows another time: it doesn't make waiting longer or shorter.
        environment = {**os.environ, "PYTHONPATH": PATHS, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(HERE / "node.py"), url, tablename, str(log), *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.log = Path(f"{log}.{self.process.pid}.log")

    def wait_until_ready(self) -> Node:
        said = self.process.stdout.readline()
        assert said == "ready\n", f"the node ended with {self.process.wait()}: {self.warnings()}"
        return self

    def warnings(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def stop(self) -> None:
        """End it in good order."""
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0, self.warnings()
        self.process.stdout.close()

    def close(self) -> None:
        self.process.wait(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()


def _can_be_written(file: Path) -> bool:
    """Whether nobody writes to a file of SQLite, nor waits for that."""
    with open(f"{file}-turn", "rb") as turn, closing(sqlite3.connect(file, timeout=0)) as connection:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            connection.execute("BEGIN IMMEDIATE")
        except (BlockingIOError, sqlite3.OperationalError):
            return False
    return True


class Cluster:
    """Nodes on one store. The scheduler of the test itself is one that never runs a job."""

    def __init__(self, url: str, tablename: str, folder: Path, lease: float = 3) -> None:
        #: How many times as long things take, and as few of them are done: SecantusDB, in MongoDB's place, is slow where many want
        #: the same.
        self.slowness = 6 if url.startswith("mongodb") else 1
        self.url, self.tablename, self.lease = url, tablename, lease * min(self.slowness, 4)
        self.log = folder / "runs"
        self.log.touch()
        self.nodes: list[Node] = []
        self.store = open_store(url, tablename, lease=60, keep_runs=10_000)
        self.scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": self.store})
        self.scheduler.start(paused=True)

    def start(self, count: int, *prefix: str, **options: object) -> list[Node]:
        """Start nodes at once, and wait until they run."""
        options.setdefault("lease", self.lease)
        started = [Node(self.url, self.tablename, self.log, *prefix, **options) for _ in range(count)]
        self.nodes += started
        for node in started:
            node.wait_until_ready()
        return started

    def pause(self, node: Node) -> None:
        """Stop a process, until it is told to go on; not while it has SQLite's file, or is the next to have it."""
        while True:
            node.send(signal.SIGSTOP)
            os.waitid(os.P_PID, node.process.pid, os.WSTOPPED)
            if not self.url.startswith("sqlite") or _can_be_written(Path(make_url(self.url).database)):
                return
            node.send(signal.SIGCONT)

    def add(
        self,
        count: int,
        over: float,
        *,
        func: str = "node:work",
        seconds: float = 0.0,
        prefix: str = "job",
        **options: object,
    ) -> list[str]:
        """Add one-shot jobs that are due one after another in the next `over` seconds."""
        begin = datetime.now(UTC) + self.store.clock_offset
        names = [f"{prefix}-{number}" for number in range(count)]
        self.scheduler.add_jobs(
            [
                {
                    "func": func,
                    "trigger": "date",
                    "run_date": begin + timedelta(seconds=over * number / count),
                    "args": [str(self.log), name, seconds],
                    "id": name,
                    **options,
                }
                for number, name in enumerate(names)
            ]
        )
        return names

    def outcomes(self) -> dict[tuple[str, datetime], list[str | None]]:
        """For each job and due time the outcomes of its attempts, in their order."""
        found: dict[tuple[str, datetime], list[str | None]] = {}
        runs = self.scheduler.get_runs(limit=1_000_000)
        for run in sorted(runs, key=lambda run: run.attempt):
            found.setdefault((run.job_id, run.scheduled_run_time), []).append(run.outcome)
        return found

    def wait_until_done(self, names: list[str], timeout: float) -> None:
        """Wait until each of these one-shot jobs has a run that has ended, and none is left."""
        end = time.monotonic() + timeout * self.slowness
        while True:
            is_over = time.monotonic() > end  # asked first: the last look is one after the deadline
            outcomes = self.outcomes()
            ended = {job_id for (job_id, _), found in outcomes.items() if None not in found}
            if ended >= set(names) and not self.store.list_records():
                return
            if is_over:
                break
            time.sleep(0.1)
        missing = sorted(set(names) - ended)
        raise AssertionError(
            f"{len(missing)} of {len(names)} have no outcome after {timeout} s: {missing[:5]}, "
            f"stored still: {len(self.store.list_records())}"
        )

    def began(self) -> Counter[str]:
        """How often the function of each job was called."""
        return Counter(line.split()[0] for line in self.log.read_text().splitlines() if " began " in line)

    def ended(self) -> Counter[str]:
        return Counter(line.split()[0] for line in self.log.read_text().splitlines() if " ended " in line)

    def check(self, names: list[str], *, lost_may_rerun: bool = False) -> Counter[str]:
        """Every job has exactly one outcome, and what its function did agrees with it; how often each outcome came."""
        outcomes = self.outcomes()
        began, ended = self.began(), self.ended()
        counted: Counter[str] = Counter()
        assert sorted(job_id for job_id, _ in outcomes) == sorted(names)
        for (job_id, _), found in outcomes.items():
            *before, last = found
            assert last in ("succeeded", "lost"), (job_id, found, list(self.scheduler.get_runs(job_id)))
            assert before == [] or (lost_may_rerun and set(before) == {"lost"}), (job_id, found)
            if last == "succeeded":
                assert ended[job_id] >= 1, job_id
            assert began[job_id] <= len(found), (job_id, found, began[job_id])
            counted[last] += 1
            counted["attempts lost"] += len(before)
        return counted

    def close(self) -> None:
        for node in self.nodes:
            if node.process.poll() is None:
                node.kill()
            node.process.stdin.close()
            node.process.stdout.close()
        self.scheduler.shutdown()

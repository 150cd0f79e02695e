"""gunicorn with ``--preload``: the application is loaded once, and four workers are forked from a process that has threads and connections."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

import mainspring
from servers import free_port
from stores import open_store

HERE = Path(__file__).parent
PATHS = f"{HERE}:{HERE.parent}:{Path(mainspring.__path__[0]).parent}"
PATIENCE = 90
WORKERS = 4

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180)]


class Gunicorn:
    """A server whose workers are forked from a process that has loaded the application."""

    def __init__(self, how: str, url: str, tablename: str, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "ran"
        self.said = folder / "said"
        environment = {
            **os.environ,
            "HOW": how,
            "STORE_URL": url,
            "STORE_TABLENAME": tablename,
            "STORE_LOG": str(self.log),
            "PYTHONPATH": PATHS,
        }
        command = [sys.executable, "-W", "ignore", "-m", "gunicorn", "--preload", "--workers", str(WORKERS)]
        command += [
            "--bind",
            f"127.0.0.1:{self.port}",
            "--config",
            "python:webapp_preloaded",
            "webapp_preloaded:app",
        ]
        with self.said.open("w") as said:
            self.process = subprocess.Popen(command, env=environment, stderr=said, stdout=said)

    def ask(self) -> dict:
        """What one of the workers answers."""
        end = time.monotonic() + PATIENCE
        while True:
            assert self.process.poll() is None, self.said.read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=40) as answer:
                    return json.load(answer)
            except OSError:
                assert time.monotonic() < end, self.said.read_text()
                time.sleep(0.05)

    def ask_all(self, wanted: int = WORKERS, besides: frozenset[int] = frozenset()) -> dict[int, dict]:
        """What so many of them answer, by their pids."""
        found: dict[int, dict] = {}
        end = time.monotonic() + PATIENCE
        while len(found) < wanted:
            answer = self.ask()
            if answer["pid"] not in besides:
                found[answer["pid"]] = answer
            assert time.monotonic() < end, f"only {sorted(found)} answered"
        return found

    def ran(self) -> Counter[int]:
        """How many runs there were in which process."""
        return Counter(int(line.split()[0]) for line in self.log.read_text().splitlines())

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def gunicorn(request, tablename, tmp_path):
    how, kind = request.param
    url = f"sqlite:///{tmp_path}/jobs.sqlite" if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    server = Gunicorn(how, url, tablename, tmp_path)
    server.store = open_store(url, tablename)
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait()
    server.store.shutdown()


def kinds(how: str, *in_ci: str):
    return [
        pytest.param((how, kind), id=kind, marks=() if kind in in_ci else pytest.mark.soak)
        for kind in ("sqlite", "postgres", "mariadb", "redis")
    ]


def outcomes_of(gunicorn: Gunicorn) -> Counter:
    runs = gunicorn.store.list_runs("tick", None, None, 100_000)
    assert max(Counter(run.scheduled_run_time for run in runs).values()) == 1
    return Counter(run.outcome for run in runs)


@pytest.mark.parametrize("gunicorn", kinds("master", "sqlite"), indirect=True)
def test_workers_ask_and_the_master_runs(gunicorn):
    answers = gunicorn.ask_all()
    master = gunicorn.process.pid
    for answer in answers.values():
        assert (answer["parent"], answer["running"], answer["state"]) == (master, False, "forked")
        assert (answer["outcome"], answer["ran_in"], answer["refused"]) == ("succeeded", master, master)
        assert "tick" in answer["jobs"]
    # A worker that ends is replaced by one that is forked from a master that has been at work for a while.
    victim = min(answers)
    os.kill(victim, signal.SIGTERM)
    (new,) = gunicorn.ask_all(1, frozenset(answers)).values()
    assert new["state"] == "forked"
    before = gunicorn.ran()[master]
    end = time.monotonic() + PATIENCE
    while gunicorn.ran()[master] < before + 5:
        assert time.monotonic() < end, "the master stands still"
        time.sleep(0.05)
    assert set(gunicorn.ran()) == {master}
    assert len(gunicorn.store._backend.cluster_status(0).living) == 1
    assert gunicorn.end() == 0, gunicorn.said.read_text()
    assert not {"lost", "failed"} & set(outcomes_of(gunicorn))
    assert "Traceback" not in gunicorn.said.read_text(), gunicorn.said.read_text()


@pytest.mark.parametrize("gunicorn", kinds("workers"), indirect=True)
def test_each_worker_starts_the_scheduler_for_itself(gunicorn):
    answers = gunicorn.ask_all()
    for pid, answer in answers.items():
        assert (answer["running"], answer["state"], answer["refused"]) == (True, "running", None)
        assert answer["outcome"] == "succeeded"
        assert answer["ran_in"] in answers, pid
    living = gunicorn.store._backend.cluster_status(0).living
    assert len({node.name for node in living}) == len(living) == WORKERS
    end = time.monotonic() + PATIENCE
    while len(gunicorn.ran()) < 2:
        assert time.monotonic() < end, "only one worker takes part"
        time.sleep(0.05)
    assert gunicorn.end() == 0, gunicorn.said.read_text()
    assert "failed" not in outcomes_of(gunicorn)


RECIPE = (HERE.parents[1] / "docs" / "forks.md").read_text()


@pytest.mark.parametrize("how", [pytest.param("on_starting", marks=pytest.mark.soak), "post_fork"])
def test_the_recipe_of_the_documentation_does_what_it_says(tmp_path, how):
    application, settings, other = [part.partition("```")[0] for part in RECIPE.split("```python\n")[1:4]]
    if how == "post_fork":
        settings = settings[: settings.index("def on_starting")] + other
    (tmp_path / "app.py").write_text(application)
    (tmp_path / "gunicorn.conf.py").write_text(settings.replace("workers = 4", "workers = 2"))
    port = free_port()
    said = tmp_path / "said"
    with said.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": PATHS},
            stdout=output,
            stderr=output,
        )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            assert server.poll() is None, said.read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=40) as answer:
                    assert (
                        answer.read().decode() == {"on_starting": "forked 42", "post_fork": "running 42"}[how]
                    )
                break
            except OSError:
                assert time.monotonic() < end, said.read_text()
                time.sleep(0.05)
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0, said.read_text()
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()

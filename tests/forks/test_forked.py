"""A process that was forked while a scheduler ran in its parent: what it can do, and what it leaves alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import mainspring
from mainspring import forks
from mainspring.jobstores.contract import RunStore
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.schedulers.left_behind import FACTS, LOOKS, REFUSED
from stores import open_store

HERE = Path(__file__).parent
PATHS = f"{HERE}:{HERE.parent}:{Path(mainspring.__path__[0]).parent}"
PATIENCE = 150

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here"),
]


def run(name: str, *arguments: object) -> tuple[list[str], str]:
    """What one of the programs says, and its errors. What it leaves running is ended."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(HERE / "programs.py"), name, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": PATHS},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, errors = process.communicate()
        errors += "\nand it hung"
    return said.splitlines(), errors


def kinds(*in_ci: str):
    marks = {"mongodb": [pytest.mark.xdist_group("mongodb")]}
    return [
        pytest.param(
            kind,
            marks=[
                *marks.get(kind, []),
                *([] if kind in in_ci else [pytest.mark.soak]),
                pytest.mark.one_python,
            ],
        )
        for kind in ("sqlite", "postgres", "mariadb", "redis", "mongodb")
    ]


@pytest.fixture
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path}/jobs.sqlite"


@pytest.mark.parametrize("url", kinds("sqlite"), indirect=True)
def test_children_do_all_that_can_be_done_with_jobs_and_the_parent_runs_them(url, tablename, tmp_path):
    count = 4
    said, errors = run("share", url, tablename, tmp_path, count)
    assert said == [
        *(f"{number} 0" for number in range(count)),
        "living 1",
        "ok True None",
        "ran by {True}",
    ], errors


def test_what_is_in_memory_is_seen_as_it_was_and_not_changed(tmp_path):
    said, errors = run("memory", tmp_path)
    assert said == ["0 0 0", "['later'] True"], errors
    log = (tmp_path / "log").read_text()
    assert log.count("what is seen of it here is as it was then") == 1
    assert log.count("jobs of job store 'default' are run by process") == 2


def test_however_a_child_ends_the_parents_jobs_go_on(sqlite, tmp_path):
    said, errors = run("endings", sqlite, tmp_path)
    assert said == ["0"] * 5 + ["True", "True"], errors
    assert not errors


@pytest.mark.one_python
@pytest.mark.parametrize(
    ("kind", "how", "executor"),
    [
        ("memory", "returns", "thread"),
        ("sqlite", "raises", "thread"),
        ("sqlite", "exits", "debug"),
        *(
            pytest.param(kind, how, executor, marks=pytest.mark.soak)
            for kind, how, executor in (
                ("memory", "exits", "debug"),
                ("sqlite", "returns", "thread"),
                ("sqlite", "exits", "thread"),
            )
        ),
    ],
)
def test_a_job_that_forks_ends_once(sqlite, tmp_path, kind, how, executor):
    said, errors = run("job_that_forks", "memory" if kind == "memory" else sqlite, how, executor, tmp_path)
    assert said == ["{'\"parent\"'} 3", "3 ['0', '0', '0']", "{'True'}"], errors
    assert not errors


@pytest.mark.parametrize("url", kinds("sqlite"), indirect=True)
def test_a_child_that_starts_the_scheduler_is_another_node(url, tmp_path):
    said, errors = run("both_run", url, tmp_path)
    assert said == ["0", "True", "True", "True"], errors


@pytest.mark.one_python
def test_a_child_has_a_loop_of_its_own(sqlite):
    said, errors = run("on_a_loop", sqlite)
    assert said == ["0", "ended"], errors


def test_a_store_that_serves_one_process_is_left_alone():
    said, errors = run("theirs")
    assert said == ["0 1"], errors


def test_no_lock_that_another_thread_held_is_held_in_the_child(tmp_path):
    said, errors = run("locks", tmp_path)
    assert said == ["True 0"], errors


def test_a_fork_comes_into_the_middle_of_no_call_of_sqlite(tmp_path):
    """SQLite has locks of the process: a child that is forked while one is held can open no file any more."""
    said, errors = run("sqlite_in_threads", tmp_path)
    assert said == ["{0}"], errors


def test_every_method_of_a_store_is_looked_at_or_refused_where_it_is_a_copy():
    names = {name for name in vars(RunStore) if not name.startswith("_")}
    assert FACTS | LOOKS | REFUSED.keys() == names
    assert len(FACTS) + len(LOOKS) + len(REFUSED) == len(names)


def test_what_a_child_asks_is_not_taken_for_its_parents(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/jobs.sqlite", "jobs")
    named = open_store(f"sqlite:///{tmp_path}/jobs.sqlite", "jobs", node_name="web")
    store._default_name = store._node_context.node_name = (
        "host-1"  # as if it had been made in another process
    )
    store._node_context.token = 7
    store.leave_to_parent()
    named.leave_to_parent()
    assert str(os.getpid()) in store._node_context.node_name
    assert store._node_context.token == 0
    assert named._node_context.node_name == "web"


@pytest.mark.one_python
def test_redis_remembers_no_answer_of_the_parents_for_a_child(redis_url, tablename):
    store = open_store(redis_url, tablename)
    server = store._backend.server
    name, pool = server._name, server.client.connection_pool
    store.leave_to_parent()
    server.leave_to_parent()
    assert server._name != name
    assert server.client.connection_pool is not pool
    for name in ("host", "port", "db", "socket_timeout"):
        assert server.client.connection_pool.connection_kwargs[name] == pool.connection_kwargs[name]
    assert server.client.ping()
    store.shutdown()


def test_what_is_given_up_is_called_in_no_child(monkeypatch):
    class Part:
        def leave_to_parent(self) -> None: ...

    monkeypatch.setattr(forks, "_inherited", {})  # parts of other tests may be given up meanwhile
    part = Part()
    forks.leaves_to_parent(part)
    assert len(forks._inherited) == 1
    del part
    assert len(forks._inherited) == 0


def test_a_part_that_fails_keeps_no_other_from_being_made_anew(monkeypatch):
    class Broken:
        def leave_to_parent(self) -> None:
            raise ValueError("broken")

    monkeypatch.setattr(forks, "_inherited", {})
    monkeypatch.setattr(forks, "UNDIVIDED", forks.Undivided())
    broken, store = Broken(), MemoryJobStore()
    lock = store._lock
    forks.leaves_to_parent(broken)
    forks.leaves_to_parent(store)
    with pytest.raises(ValueError, match="broken"):
        forks._in_child()
    assert store._lock is not lock


@pytest.mark.parametrize("how", ["ctrl-c", "own handler"])
@pytest.mark.parametrize(
    ("where", "done", "state"),
    [
        ("child", "2 begun ended begun ended others", "forked"),
        ("child of C", "2 begun ended begun ended", "forked"),
        ("parent", "0 others", "running"),
    ],
)
def test_a_signal_cuts_nothing_short_that_is_done_at_a_fork_and_is_handled_then(how, where, done, state):
    said, errors = run("interrupted", where, how)
    handled = " handled" if how == "own handler" else ""
    assert said == [f"{done}{handled} told {state} set()"], errors
    assert not errors


def test_a_fork_waits_for_what_is_undivided_and_keeps_others_out(monkeypatch):
    monkeypatch.setattr(forks, "_FORK_SECONDS", 0.05)
    undivided = forks.Undivided()
    with undivided:
        undivided.fork_begins()  # this thread is inside itself: it isn't waited for for ever
        undivided.fork_ended()
    assert undivided._inside == 0
    undivided.fork_begins()
    with undivided:  # nor does anybody wait for ever for a fork
        assert undivided._inside == 1
    undivided.fork_ended()
    assert (undivided._inside, undivided._forking) == (0, 0)

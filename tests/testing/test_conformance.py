"""The contracts as tests: each method has a promise, and a store that breaks it is found."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from datetime import timedelta
from pathlib import Path

import pytest

from mainspring.jobstores.contract import ClaimedBatch, RunStore
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.jobstores.shared.audit import AuditLog
from mainspring.jobstores.shared.backend import Adoptions, Backend, ClusterStatus, Collected, StoredJobs
from mainspring.jobstores.shared.claims import Claim, Claimed, QueueClaim
from mainspring.jobstores.shared.predecessor import Marks
from mainspring.jobstores.shared.rollups import RollUps
from mainspring.jobstores.shared.runs import Finished
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.testing.conformance import BACKEND_PROMISES, START, STORE_PROMISES, backend
from mainspring.testing.conformance.backend import Nodes
from mainspring.testing.conformance.promises import drawn

pytestmark = pytest.mark.one_python


def says(value):
    """A method that does nothing, and says that it has."""
    return lambda *args, **kwargs: value


def never(*args, **kwargs):
    raise ConnectionError("it is closed")


def loses_all(store, *args):
    store.remove_all()
    SQLAlchemyJobStore.leave(store, 5.0)


#: By method: on which store, and what is in the place of it.
BROKEN_STORES = {
    "kind": (MemoryJobStore, "abacus"),
    "live_records": (SQLAlchemyJobStore, True),
    "claim_limit": (MemoryJobStore, 0),
    "poll_interval": (MemoryJobStore, timedelta(seconds=1)),
    "serves_one_process": (MemoryJobStore, False),
    "success_log": (SQLAlchemyJobStore, deque()),
    "clock_offset": (SQLAlchemyJobStore, timedelta(hours=1)),
    "store_time": (MemoryJobStore, says(START)),
    "trouble": (MemoryJobStore, "it is tired"),
    "namespace": (MemoryJobStore, " "),
    "has_told": (MemoryJobStore, says(True)),
    "warnings": (MemoryJobStore, says([""])),
    "start": (SQLAlchemyJobStore, says(None)),
    "shutdown": (SQLAlchemyJobStore, loses_all),
    "leave": (SQLAlchemyJobStore, loses_all),
    "add_records": (MemoryJobStore, says([])),
    "get_record": (MemoryJobStore, says(None)),
    "list_records": (MemoryJobStore, says([])),
    "find_equal": (SQLAlchemyJobStore, says(None)),
    "change": (MemoryJobStore, lambda store, job_id, change: change(store.get_record(job_id))),
    "remove": (MemoryJobStore, says(None)),
    "remove_all": (MemoryJobStore, says(None)),
    "claim": (MemoryJobStore, says(ClaimedBatch([], more=False))),
    "finish": (MemoryJobStore, says(False)),
    "progress": (MemoryJobStore, says(None)),
    "write_outcomes": (SQLAlchemyJobStore, lambda store: store._said.clear()),
    "report_progress": (SQLAlchemyJobStore, says(None)),
    "has_waiting": (MemoryJobStore, False),
    "give_back": (MemoryJobStore, says(START)),
    "release": (SQLAlchemyJobStore, says(None)),
    "next_time": (MemoryJobStore, says(None)),
    "earliest": (MemoryJobStore, says(None)),
    "parked": (MemoryJobStore, says([])),
    "retry_parked": (MemoryJobStore, says(None)),
    "enqueue": (MemoryJobStore, lambda store, runs: list(runs)),
    "cancel": (MemoryJobStore, says(True)),
    "set_group": (MemoryJobStore, says(None)),
    "remove_group": (MemoryJobStore, says(True)),
    "list_groups": (MemoryJobStore, says([])),
    "list_runs": (MemoryJobStore, says([])),
    "get_run": (MemoryJobStore, says(None)),
}

NOTHING_CLAIMED = Claimed(QueueClaim([], {}), Claim([], {}, [], None), Finished(), None)

#: By method: what is in the place of it.
BROKEN_BACKENDS = {
    "go_by": says(None),
    "ask_first": never,
    "prepare": says(None),
    "lacks": says("all of it"),
    "ask_time": never,
    "close": never,
    "flaw": says("something"),
    "predecessor": says("somebody"),
    "listen": lambda heard: Deaf(),
    "register": says((1, 0.0)),
    "renew": says(True),
    "known_nodes": says([]),
    "list_nodes": says([]),
    "declare_dead": says(True),
    "sign_off": says(None),
    "cluster_status": says(ClusterStatus([], False, None, ())),
    "next_time": says(None),
    "poll": says((None, None)),
    "unclaimable": says([]),
    "claim": says(NOTHING_CLAIMED),
    "give_back": says(True),
    "release": says(None),
    "finish": says(Finished()),
    "report_progress": says(None),
    "collect_lost": says(Collected((), {}, None)),
    "prunable": says(0),
    "prune": says(None),
    "enqueue": list,
    "cancel": says(True),
    "get_run": says(None),
    "list_runs": says([]),
    "set_group": says(None),
    "remove_group": says(True),
    "list_groups": says([]),
    "jobs.add": says([]),
    "jobs.get": says(None),
    "jobs.list_jobs": says([]),
    "jobs.find_equal": says(None),
    "jobs.earliest": says(None),
    "jobs.change": says(None),
    "jobs.list_ending": says([]),
    "jobs.write_ending": says(True),
    "jobs.remove": says(None),
    "jobs.remove_all": says(None),
    "adoptions.marks": says(Marks({}, False)),
    "adoptions.adopt": says(True),
    "audit.write": says(None),
    "audit.entries": says([]),
    "audit.prune": says(None),
    "rollups.entries": says([]),
    "rollups.prune": says(None),
}


class Deaf:
    def stop(self):
        pass


def methods_of(contract, prefix=""):
    """What a contract asks for, by its name."""
    names = {*vars(contract), *getattr(contract, "__annotations__", {})}
    return {prefix + name for name in names if not name.startswith("_")}


def promised(promises):
    return {method for promise in promises for method in promise.methods}


def broken_promises(promises, method, make):
    """The names of the promises about a method that don't hold."""
    broken = []
    for promise in promises:
        if method in promise.methods:
            try:
                promise.check(make())
            except (Exception, pytest.fail.Exception):
                broken.append(promise.name)
    return broken


def test_each_method_of_the_contract_of_stores_has_a_promise():
    assert promised(STORE_PROMISES) == methods_of(RunStore) == set(BROKEN_STORES)


def test_each_method_of_the_contract_of_backends_has_a_promise():
    parts = {"node_context", "jobs", "adoptions", "audit", "rollups", "outage", "pads_ids"}
    methods = (
        (methods_of(Backend) - parts)
        | methods_of(StoredJobs, "jobs.")
        | methods_of(Adoptions, "adoptions.")
        | methods_of(AuditLog, "audit.")
        | methods_of(RollUps, "rollups.")
    )
    assert promised(BACKEND_PROMISES) == methods == set(BROKEN_BACKENDS)


@pytest.mark.parametrize("method", BROKEN_STORES)
def test_a_store_that_breaks_a_promise_is_found(method, tmp_path):
    kind, value = BROKEN_STORES[method]
    broken = type("Broken", (kind,), {method: value})
    made = []

    def make(used):
        store = used(f"sqlite:///{tmp_path}/{len(made)}.sqlite") if kind is SQLAlchemyJobStore else used()
        kind.start(store, None, "default")
        made.append(store)
        return store

    assert broken_promises(STORE_PROMISES, method, lambda: make(kind)) == []
    assert broken_promises(STORE_PROMISES, method, lambda: make(broken)) != []
    for store in made:
        store._held = 0
        kind.leave(store, 5.0)


@pytest.mark.parametrize("method", BROKEN_BACKENDS)
def test_a_backend_that_breaks_a_promise_is_found(method, tmp_path, monkeypatch):
    monkeypatch.setattr(backend, "_HEARD_WITHIN", 0.2)
    made = []

    def make(*, is_broken):
        made.append(0)
        url = f"sqlite:///{tmp_path}/{len(made)}.sqlite"

        def make_backend():
            whole = part = SQLAlchemyJobStore(url)._backend
            *parts, name = method.split(".")
            for one in parts:
                part = getattr(part, one)
            if is_broken:
                monkeypatch.setattr(part, name, BROKEN_BACKENDS[method])
            return whole

        return Nodes(make_backend)

    assert broken_promises(BACKEND_PROMISES, method, lambda: make(is_broken=False)) == []
    assert broken_promises(BACKEND_PROMISES, method, lambda: make(is_broken=True)) != []


PAGE = Path(__file__).parents[2] / "docs" / "stores" / "writing.md"


@pytest.mark.parametrize(("kind", "promises"), [("stores", STORE_PROMISES), ("backends", BACKEND_PROMISES)])
def test_the_page_lists_what_is_promised(kind, promises):
    assert PAGE.read_text().split(f"<!-- promises of {kind} -->\n")[1].split("\n<!-- end")[0] == drawn(
        promises
    )


def test_the_store_of_the_page_passes(tmp_path):
    example = PAGE.read_text().split("```python\n")[1].split("```")[0]
    (tmp_path / "test_counting_store.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{len(STORE_PROMISES)} passed" in done.stdout

"""How the store in MongoDB keeps to its documents: what is written on which condition, and what is looked for by which index."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement
from unittest.mock import Mock

import pymongo
import pytest
from pymongo import monitoring
from pymongo.collection import Collection

from mainspring import AfterJob, Retry
from mainspring.errors import ConfigurationError
from mainspring.jobstores.mongodb import MongoDBJobStore, backend
from mainspring.jobstores.mongodb.documents import ENDED, QUEUED, RUNNING
from mainspring.model import QueuedRun, RunKey, RunResult
from mainspring.testing.conformance import claim, ids, record, submission
from mainspring.triggers.date import DateTrigger
from stores import open_store

PAST = datetime(2026, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.xdist_group("mongodb")


@pytest.fixture
def make_store(mongodb_url, tablename, started):
    return lambda **options: started(open_store(mongodb_url, tablename, **options))


@pytest.fixture
def store(make_store):
    return make_store()


class Meddling:
    """Does something in the very moment before a claim is written."""

    def __init__(self, monkeypatch, store, work):
        write, own = Collection.bulk_write, threading.get_ident()
        self.left = 1

        def bulk_write(collection, *args, **options):
            if self.left and collection == store.collection and threading.get_ident() == own:
                self.left -= 1
                work()
            return write(collection, *args, **options)

        monkeypatch.setattr(Collection, "bulk_write", bulk_write)


def runs(store, job_id=None):
    found = store.list_runs(job_id, None, None, 1000)
    return sorted(
        (run.job_id, int((run.scheduled_run_time - PAST).total_seconds()), run.attempt, run.outcome)
        for run in found
    )


# Claims


def test_each_job_of_a_statement_gets_what_is_its_own(store):
    jobs = [record(f"$job.{n}", n % 7, every=60 + n) for n in range(60)]
    jobs += [record(f"once{n}", n % 5) for n in range(60)]
    store.add_records(jobs, None)
    assert len(claim(store, 10, 200).decisions) == 120
    assert runs(store) == sorted(
        [(f"$job.{n}", n % 7, 1, None) for n in range(60)] + [(f"once{n}", n % 5, 1, None) for n in range(60)]
    )
    due = {one.id: one.next_run_time for one in store.list_records()}
    assert due == {f"$job.{n}": PAST + timedelta(seconds=n % 7 + 60 + n) for n in range(60)}
    found = {document["_id"]: document for document in store.collection.find()}
    assert {document["version"] for document in found.values()} == {1}
    assert all(
        [one["name"].startswith(f"{name}/") for one in document["active"]] == [True]
        for name, document in found.items()
    )


@pytest.mark.parametrize("change", ["changed", "claimed", "removed", "added again"])
def test_a_job_that_is_not_as_it_was_read_is_not_claimed_and_its_neighbours_are(
    store, make_store, monkeypatch, change
):
    other = make_store()
    store.add_records([record(name, every=10) for name in "abc"], None)

    def meddle():
        if change == "changed":
            other.change("b", lambda old: old.changed(name="other"))
        elif change == "claimed":
            assert {one.job.id for one in claim(other, 1).decisions} == {"a", "b", "c"}
        else:
            other.remove("b")
        if change == "added again":
            other.add_records([record("b", every=10)], None)

    meddling = Meddling(monkeypatch, store, meddle)
    taken = {one.job.id for one in claim(store, 1).decisions}
    assert meddling.left == 0
    assert taken == (set() if change == "claimed" else {"a", "c"})
    assert (
        len({(job, due) for job, due, _, _ in runs(store)})
        == len(runs(store))
        == (3 if change == "claimed" else 2)
    )
    if change in ("changed", "added again"):
        assert [one.job.id for one in claim(store, 1).decisions] == ["b"]


def test_what_a_claim_has_put_down_is_kept_by_the_next_claim_and_by_a_change(store, make_store, monkeypatch):
    other = make_store()
    store.add_records([record("a", every=10), record("b", every=10)], None)
    claim(store, 0)
    for node in (store, other):  # as if they died there
        monkeypatch.setattr(node._backend._claiming, "move_outboxes", lambda which: [])
    assert len(claim(store, 10).decisions) == 2
    assert len(claim(other, 20).decisions) == 2
    assert runs(store) == [("a", 0, 1, None), ("b", 0, 1, None)]
    other.change("b", lambda old: old.changed(name="other"))
    assert runs(store, "b") == [("b", 0, 1, None), ("b", 10, 1, "skipped"), ("b", 20, 1, "skipped")]
    monkeypatch.undo()
    other.collection.update_one({"_id": "a"}, {"$set": {"updated": "2026-01-01 00:00:00.000000"}})
    other._backend._looked_at -= 11
    other._backend.cluster_status(0)
    assert runs(store, "a") == [("a", 0, 1, None), ("a", 10, 1, "skipped"), ("a", 20, 1, "skipped")]
    assert not store.collection.find_one({"outbox": {"$exists": True}})


def test_the_identifier_of_a_run_is_not_used_for_one_of_a_job_that_is_added_again(store):
    for attempt in (1, 2, 3):
        store.add_records([record("a"), record("b", every=10)], None)
        decisions = claim(store, 1).decisions
        assert [(one.job.id, one.attempt) for one in sorted(decisions, key=lambda one: one.job.id)] == [
            ("a", attempt),
            ("b", attempt),
        ]
        store.finish([submission(one) for one in decisions])
        store._outcomes.write()
        store.remove("b")
    assert [(job, attempt) for job, _, attempt, _ in runs(store)] == [
        (job, n) for job in "ab" for n in (1, 2, 3)
    ]


# Indexes


class Filters(monitoring.CommandListener):
    """Keeps by what collections are searched."""

    def __init__(self):
        self.seen = set()

    def started(self, event):
        name, command = event.command_name, event.command
        wanted = [command["filter"]] if name == "find" else []
        wanted += [command["query"]] if name in ("distinct", "findAndModify") else []
        wanted += [one["q"] for one in command.get("updates", ()) if name == "update"]
        wanted += [one["q"] for one in command.get("deletes", ()) if name == "delete"]
        if name == "aggregate" and "$match" in command["pipeline"][0]:
            wanted.append(command["pipeline"][0]["$match"])
        for where in wanted:
            names = {one for one in where if (one, where[one]) != ("_id", {"$type": "string"})}
            names |= {*command.get("sort", ())}
            self.seen.add((command[name], tuple(sorted(names)), str(where.get("state"))))

    def succeeded(self, event):
        pass

    failed = succeeded


def test_nothing_that_is_done_again_and_again_looks_at_all_documents(mongodb_url, tablename):
    filters = Filters()
    with pymongo.MongoClient(mongodb_url, event_listeners=[filters]) as client:
        store = MongoDBJobStore("mainspring_tests", tablename, client)
        store.start(None, "default")
        filters.seen.clear()
        store.add_records([record("a"), record("b", every=10, overlap="buffer_one")], None)
        store.add_records([record("c", 5)], None)
        store.add_records(
            [record("c", 6), record("d", every=10)], lambda old, new: new._replace(version=old.version + 1)
        )
        store.change("b", lambda old: old.changed(name="other"))
        store.enqueue([QueuedRun("d", PAST - timedelta(days=1), 1, PAST, "asked")])
        decisions = [*claim(store, 7).decisions, *claim(store, 17).decisions]
        store.report_progress(submission(decisions[0]), "half")
        store._flush_progress()
        store.finish([submission(one) for one in decisions])
        store._outcomes.write()
        store.cancel(RunKey("b", PAST, 1))
        store.find_equal(record("x", every=10))
        store.next_time()
        store._backend.cluster_status(store._node_context.token)
        store._outcomes.prune()
        store.list_runs(None, None, None, 10)
        store.get_run(RunKey("b", PAST, 1))
        store.remove("b")
        stem = tablename.removesuffix("_jobs")
        indexed = {
            tablename: {"_id", "next_run_time", "active.token", "found_by"},
            f"{stem}_runs": {"_id", "job_id", "scheduled", "rolled_up_at"},
        }
        seen = {one for one in filters.seen if one[0] in indexed}
        assert len(seen) > 20
        scans = [
            (collection, names)
            for collection, names, state in seen
            if not indexed[collection] & {*names}
            and not (collection.endswith("_runs") and (state == "queued" or not names))
        ]
        assert scans == []
        store._held = 0
        store.shutdown()


def test_jobs_are_found_by_what_they_have_become(store):
    store.add_records([record("a", every=10), record("b", 5)], None)
    assert store.find_equal(record("x", every=10)) == "a"
    assert store.collection.find_one({"_id": "b"}).get("found_by") is None
    store.change(
        "b",
        lambda old: old.changed(
            trigger=AfterJob("a"), next_run_time=None, options=replace(old.options, priority=3)
        ),
    )
    found = store.collection.find_one({"_id": "b"})["found_by"]
    assert sorted(found) == ["after a", "calls builtins:print", "follower", "priority"]
    store._backend.cluster_status(0)
    assert store._backend.jobs.has_priorities
    store.change(
        "b",
        lambda old: old.changed(
            trigger=DateTrigger(PAST), next_run_time=PAST, options=replace(old.options, priority=0)
        ),
    )
    store._backend.cluster_status(0)
    assert not store._backend.jobs.has_priorities
    assert store.collection.find_one({"_id": "b"})["found_by"] == []


def test_runs_in_the_hands_of_nobody_are_found_though_no_node_comes_or_goes(store):
    store.add_records([record("a", every=10)], None)
    token = store._node_context.token
    assert not store._backend.cluster_status(token).has_orphans
    claim(store, 0)
    store.collection.update_one({"_id": "a"}, {"$set": {"active.0.token": token + 1000}})
    assert not store._backend.cluster_status(token).has_orphans  # they are not looked for each time
    store._backend._looked_at -= 11
    assert store._backend.cluster_status(token).has_orphans
    assert store._backend.cluster_status(token).has_orphans  # until they are seen to


def test_a_job_is_kept_whose_waiting_run_was_taken_and_failed_while_it_was_looked_for(
    make_store, monkeypatch
):
    store, other = make_store(), make_store()

    def fail(node):
        (decision,) = claim(node, 1).decisions
        ended = submission(decision)
        ended.add_result(RunResult(PAST, "failed", PAST, PAST, "OSError: no luck", retry_at=PAST))
        node.finish([ended])
        return node._outcomes.write

    store.add_records([record("a", retry=Retry(5, delay=0))], None)
    writes_first = fail(store)
    distinct, looked = Collection.distinct, []

    def distinct_late(collection, *args, **options):
        if looked:
            return distinct(collection, *args, **options)
        looked.append(args)
        other._agenda.note_queue_due(PAST)
        writes_second = fail(other)
        found = distinct(collection, *args, **options)
        writes_second()
        return found

    monkeypatch.setattr(Collection, "distinct", distinct_late)
    writes_first()
    assert looked
    assert runs(other) == [("a", 0, 1, "failed"), ("a", 0, 2, "failed"), ("a", 0, 3, None)]
    assert other.collection.find_one({"_id": "a"}) is not None
    other._agenda.note_queue_due(PAST)
    (third,) = claim(other, 1).decisions
    assert third.attempt == 3


# Versions


def test_what_version_1_has_kept_is_brought_up_to_date(make_store):
    store = make_store()
    store.add_records([record("a", every=10), record("b", 5, priority=2)], None)
    store.add_records([record("c", 5)], None)
    store.change("c", lambda old: old.changed(trigger=AfterJob("a"), next_run_time=None))
    store.remove("c")
    store.add_records([record("c", 5)], None)
    store.change("c", lambda old: old.changed(trigger=AfterJob("a"), next_run_time=None))
    jobs = store.collection
    jobs.update_many({}, {"$unset": {"mark": "", "found_by": ""}, "$set": {"claims": 0}})
    jobs.drop_index("found_by_1")
    jobs.create_indexes([pymongo.IndexModel(name) for name in ("func", "priority")])
    store._server.runs.drop_index("state_1_available_1")
    store._server.runs.create_index([("state", 1), ("available", 1)])
    store._server.notes.update_one({"_id": "schema"}, {"$set": {"version": 1}})
    store._membership.sign_off()  # a node that is at work keeps others from changing what it uses
    other = make_store()
    assert other._server.notes.find_one({"_id": "schema"})["version"] == 2
    assert set(jobs.index_information()) == {"_id_", "next_run_time_1", "active.token_1", "found_by_1"}
    assert store._server.runs.index_information()["state_1_available_1"]["partialFilterExpression"]
    assert all(isinstance(document["mark"], int) and "claims" not in document for document in jobs.find())
    other._backend.cluster_status(0)
    assert other._backend.jobs.has_priorities
    assert ids(other.list_records()) == ["a", "b", "c"]
    (decision,) = claim(other, 0).decisions
    other.finish([submission(decision)])
    other._outcomes.write()
    assert {run.job_id for run in other.list_runs(None, None, None, 10)} >= {"a"}


# What a client says


@pytest.mark.parametrize(
    ("given", "written", "read"),
    [
        ({}, {"w": "majority"}, "majority"),
        ({"journal": True}, {"w": "majority", "j": True}, "majority"),
        ({"w": 1}, {"w": 1}, "local"),
        ({"w": "majority", "wTimeoutMS": 2000}, {"w": "majority", "wtimeout": 2000}, "majority"),
    ],
)
@pytest.mark.parametrize("is_client", [False, True])
def test_a_majority_has_what_was_written_unless_the_client_says_otherwise(given, written, read, is_client):
    client = pymongo.MongoClient(connect=False, **given)
    store = MongoDBJobStore(client=client) if is_client else MongoDBJobStore(connect=False, **given)
    for collection in (store.collection, store._server.runs):
        assert collection.write_concern.document == written
        assert collection.read_concern.level == read
    store._server.close()
    client.close()


@pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning")
def test_a_client_that_hears_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="its client says w=0: leave w out"):
        MongoDBJobStore(host="mongodb://localhost/?w=0", connect=False)


def test_a_client_is_closed_once_however_often_the_store_is_shut_down(mongodb_url, tablename, monkeypatch):
    closed = []
    close = pymongo.MongoClient.close
    monkeypatch.setattr(pymongo.MongoClient, "close", lambda client: (closed.append(client), close(client)))
    store = open_store(mongodb_url, tablename)
    client = store._backend.server.client
    store.shutdown()
    store.shutdown()
    assert closed == [client]


@pytest.mark.parametrize("states", list(combinations_with_replacement([QUEUED, RUNNING, ENDED], 4)))
def test_a_run_is_found_whatever_becomes_of_it_between_two_looks(monkeypatch, states):
    """Each look sees the next of the states: in the job's document while it is active, else in its own."""
    looked = iter(states)
    made = object.__new__(backend.MongoDBBackend)
    made.server = Mock()
    made.server.run.side_effect = lambda look: look()

    def find_one(query):
        state = next(looked)
        return {"state": state} if state in query["state"]["$in"] else None

    made.server.runs.find_one.side_effect = find_one
    monkeypatch.setattr(
        made, "_active_run", lambda _: {"state": RUNNING} if next(looked) == RUNNING else None
    )
    monkeypatch.setattr(backend, "run_record", lambda document: document)
    assert made.get_run(RunKey("a", PAST, 1)) is not None

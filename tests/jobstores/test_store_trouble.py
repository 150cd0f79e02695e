"""What a store in a database does when the database doesn't answer, answers and isn't heard, or holds damaged rows."""

from __future__ import annotations

import fcntl
import itertools
import json
import logging
import os
import sqlite3
import threading
import time
from base64 import b64encode
from pickle import dumps

import psycopg
import pymysql
import pytest
from sqlalchemy import create_engine, text

from lost_answers import see_calls_answered
from mainspring.errors import ConfigurationError, ConflictingIdError, JobLookupError, SerializationError
from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore, limits
from mainspring.jobstores.sqlalchemy.database import Database, StoreBusyError
from mainspring.jobstores.sqlalchemy.engines import engine_for
from mainspring.jobstores.sqlalchemy.writer_queue import WriterQueue
from mainspring.model import JobOptions, RunResult
from mainspring.testing import EventRecorder
from mainspring.testing.conformance import (
    SECOND,
    START,
    claim,
    deciding,
    ids,
    record,
    refuse,
    submission,
)
from mainspring.triggers.base import BaseTrigger
from waiting import wait_for

LOST = {
    "sqlite": lambda: sqlite3.OperationalError("disk I/O error"),
    "postgresql": lambda: psycopg.OperationalError("server closed the connection unexpectedly"),
    "mysql": lambda: pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query"),
}
REFUSED = {
    "sqlite": lambda: sqlite3.OperationalError("database is locked"),
    "postgresql": lambda: psycopg.errors.DeadlockDetected("deadlock detected"),
    "mysql": lambda: pymysql.err.OperationalError(1213, "Deadlock found when trying to get lock"),
}


def kind_of(url: str) -> str:
    return url.partition(":")[0].partition("+")[0]


@pytest.fixture
def make_store(database_url, tablename, started):
    return lambda **options: started(SQLAlchemyJobStore(database_url, tablename=tablename, **options))


@pytest.fixture
def store(make_store):
    return make_store()


class Commits:
    """Has commits of a store fail: the next ones, before or after they have taken effect."""

    def __init__(self, store, monkeypatch, when, make_error):
        self.left = 0
        self.failed = 0
        dialect = store.engine.dialect
        commit = dialect.do_commit
        own = threading.get_ident()

        def do_commit(connection):
            if self.left and threading.get_ident() == own:
                self.left -= 1
                self.failed += 1
                if when == "after":
                    commit(connection)
                raise make_error()
            commit(connection)

        monkeypatch.setattr(dialect, "do_commit", do_commit)


@pytest.fixture(params=["before", "after"])
def commits(store, request, monkeypatch, database_url):
    return Commits(store, monkeypatch, request.param, LOST[kind_of(database_url)])


@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_that_is_lost_loses_and_doubles_nothing(store, commits, times):
    def failing(work, *args):
        commits.left, commits.failed = times, 0
        result = work(*args)
        assert commits.failed >= 1
        commits.left = 0
        return result

    failing(store.add_records, [record("a", every=10), record("b", 5)], None)
    assert ids(store.list_records()) == ["a", "b"]
    failing(
        store.add_records,
        [record("b", 6), record("c", 7)],
        lambda old, new: new._replace(version=old.version + 1),
    )
    assert [(one.id, one.version) for one in store.list_records()] == [("a", 0), ("b", 1), ("c", 0)]
    changed = failing(store.change, "a", lambda old: old.changed(name="other"))
    assert (changed.name, changed.version) == ("other", 1)
    assert store.get_record("a") == changed
    failing(store.remove, "c")
    assert store.get_record("c") is None
    batch = failing(claim, store, 8)
    assert [(one.job.id, one.submit) for one in batch.decisions] == [
        ("a", [START]),
        ("b", [START + 6 * SECOND]),
    ]
    assert claim(store, 8).decisions == []
    first, second = batch.decisions
    runs = {(run.job_id, run.outcome) for run in store.list_runs(None, None, None, 10)}
    assert runs == {("a", None), ("b", None)}
    assert failing(store.give_back, second, START + 8 * SECOND) is not None
    assert ids(store.list_records()) == ["b", "a"]
    store.finish([submission(first)])
    failing(store._outcomes.write)
    (run,) = store.list_runs(None, None, None, 10)
    assert (run.job_id, run.outcome) == ("a", "lost")  # the submission told of no outcome


def test_a_call_is_answered_as_if_no_answer_had_been_lost(store, commits):
    see_calls_answered(store, commits)


def test_a_conflict_is_still_one_when_an_answer_is_lost(store, commits):
    store.add_records([record("a")], None)
    commits.left = 1
    with pytest.raises(ConflictingIdError):
        store.add_records([record("b"), record("a")], None)
    assert ids(store.list_records()) == ["a"]
    commits.left = 1
    with pytest.raises(JobLookupError):
        store.change("b", lambda old: old)


def test_a_deadlock_is_tried_again(store, monkeypatch, database_url):
    commits = Commits(store, monkeypatch, "before", REFUSED[kind_of(database_url)])
    commits.left = 3
    store.add_records([record("a")], None)
    assert commits.failed == 3
    commits.left = 2
    assert len(claim(store, 1).decisions) == 1


def test_a_lost_connection_has_the_others_made_anew_and_none_left_open(store):
    if store.engine.name == "sqlite":
        pytest.skip("SQLite's connections are not lost: its file is there or not")
    database = store._backend.database

    def backend(connection):
        return connection.connection.driver_connection

    with database.reading() as connection:
        old = backend(connection)
        database.forget_connections()
        assert connection.execute(text("SELECT 1")).scalar() == 1  # who uses one now may go on
    with database.reading() as connection:
        assert backend(connection) is not old
        assert old.closed if store.engine.name == "postgresql" else not old.open


@pytest.mark.parametrize("database_url", ["postgres", "mariadb"], indirect=True)
def test_a_transaction_that_goes_on_after_the_server_has_ended_it_is_made_again(
    store, monkeypatch, database_url
):
    store.add_records([record("a")], None)
    monkeypatch.setattr(limits, "IDLE_TIMEOUT", 1)
    frozen = Database(engine_for(database_url, {}), owns_engine=True)
    rename = store.jobs_t.update().where(store.jobs_t.c.id == "a")
    others = []

    def change():
        with frozen.writing() as connection:
            connection.execute(rename.values(name="mine"))
            if not others:  # until its lock has been taken from it
                others.append(store.change("a", lambda old: old.changed(name="other")))
            connection.execute(rename.values(executor="other"))
        return True

    assert frozen.run(change)
    frozen.close()
    assert others[0].name == "other"
    after = store.get_record("a")
    assert (after.name, after.options.executor) == ("mine", "other")


def test_what_is_wrong_with_a_statement_is_not_tried_again(store):
    with store.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {store.jobs_t.name}"))
    begin = time.monotonic()
    with pytest.raises(Exception, match=store.jobs_t.name):
        store.list_records()
    assert time.monotonic() - begin < 15


def test_racing_claims_take_every_job_once(make_store):
    stores = [make_store(node_name=f"n{number}") for number in range(4)]
    stores[0].add_records([record(f"j{number}", number * 0.001, every=1000) for number in range(300)], None)
    taken = [[] for _ in stores]
    barrier = threading.Barrier(len(stores))

    def work(at):
        barrier.wait()
        empty = 0
        while empty < 5:
            decisions = claim(stores[at], 10, limit=7).decisions
            empty = 0 if decisions else empty + 1
            taken[at] += decisions

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = [decision.job.id for part in taken for decision in part]
    assert sorted(names) == sorted(f"j{number}" for number in range(300))
    assert len(stores[0].list_runs(None, "running", None, 1000)) == 300


def test_a_job_is_changed_by_one_of_two_at_a_time(make_store):
    stores = [make_store(), make_store()]
    stores[0].add_records([record("a", every=1, max_instances=1)], None)
    barrier = threading.Barrier(2)

    def work(store):
        barrier.wait()
        for _ in range(20):
            store.change(
                "a", lambda old: old.changed(options=JobOptions(max_instances=old.options.max_instances + 1))
            )

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].get_record("a").options.max_instances == 41
    assert stores[1].get_record("a").version == 40


class Calling(BaseTrigger):
    """A trigger that calls the store which asks it."""

    store = None

    def get_next_fire_time(self, previous_fire_time, now):
        type(self).store.list_records()

    def to_dict(self):
        return {"version": 1}

    @classmethod
    def from_dict(cls, values):
        return cls()


def test_a_trigger_may_call_its_store(store):
    Calling.store = store
    store.add_records([record("a")._replace(trigger=Calling())], None)
    (decision,) = claim(store, 1).decisions  # it is asked while the store waits for nothing
    assert list(decision.submit) == [START]
    assert store.list_records() == []


def test_what_calls_a_store_that_waits_for_it_is_told_so(store):
    store.add_records([record("a")], None)
    with pytest.raises(StoreBusyError), store._backend.database.writing():
        store.get_record("a")
    assert ids(store.list_records()) == ["a"]


def test_a_job_that_is_moved_back_is_run_again_as_another_attempt(store):
    store.add_records([record("a", every=10), record("b", every=10)], None)
    first, other = claim(store, 1).decisions
    store.finish([submission(first), submission(other)])
    store.change("a", lambda old: old.rescheduled(START))
    (again,) = claim(store, 2).decisions
    assert (again.submit, again.attempt, submission(again).attempt) == ([START], 2, 2)
    store.remove("b")
    store.add_records([record("b"), record("c")], None)
    decisions = {one.job.id: one.attempt for one in claim(store, 3).decisions}
    assert decisions == {"b": 2, "c": 1}
    runs = {(run.job_id, run.attempt) for run in store.list_runs(None, None, None, 10)}
    assert runs == {("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1)}


@pytest.mark.parametrize(
    "words", ["a\0b", "a\ud800b", "ä日本🙂", "%s ' \" \\\\ [] {}", "x" * 200_000], ids=range(5)
)
def test_outcomes_with_any_text_are_written(store, words):
    store.add_records([record("good"), record("bad", 0.1)], None)
    good, bad = (submission(one) for one in claim(store, 1).decisions)
    good.results.append(RunResult(START, "succeeded", START, START, None, {"said": words, words: None}))
    bad.results.append(RunResult(bad.run_times[0], "failed", START, START, f"ValueError: {words}"))
    store.finish([good, bad])
    store._outcomes.write()
    runs = {run.job_id: run for run in store.list_runs(None, None, None, 5)}
    assert (runs["good"].outcome, runs["bad"].outcome) == ("succeeded", "failed")
    assert runs["bad"].error.startswith("ValueError: ")
    if words.startswith(("ä", "%")):
        assert runs["bad"].error == f"ValueError: {words}"
        assert json.loads(runs["good"].result)["said"] == words


# Rows that can't be read


DAMAGE = [
    ("trigger", "nonsense", "the trigger is no JSON"),
    ("trigger", '{"version": 99, "type": "date"}', "upgrade this one"),
    ("trigger", '{"version": 1, "type": "tomorrow"}', "unknown type of trigger"),
    ("arguments", "[]", "the arguments"),
    ("arguments", '{"version": 99}', "upgrade this one"),
    ("options", "{", "can't be read"),
    ("options", '{"max_instances": 0}', "max_instances"),
    ("tags", '"nightly"', "tags must be a list"),
]


def damage(store, column, value, job_id="a"):
    with store.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE {store.jobs_t.name} SET {_quoted(store, column)} = :value WHERE id = :id"),
            {"value": value, "id": job_id},
        )


def _quoted(store, column):
    return store.engine.dialect.identifier_preparer.quote(column)


def raw_rows(store):
    with store.engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM {store.jobs_t.name} ORDER BY id")).all()


@pytest.mark.parametrize("text_of_time", ["", "2026-00-00", "nonsense"])
def test_a_next_run_time_that_is_none_keeps_no_other_job_from_running(tmp_path, text_of_time, make_scheduler):
    store = SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")  # other databases take nothing but times
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    for name in ("a", "b"):
        scheduler.add_job(print, "date", run_date="2090-01-01", id=name)
    damage(store, "next_run_time", text_of_time)
    before = raw_rows(store)[0]
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.modify_job("b", next_run_time="2026-01-01")
    heard.wait_for(EVENT_JOB_EXECUTED, "b")
    assert scheduler.get_jobs() == []
    (parked,) = scheduler.get_parked_jobs()
    assert parked.job_id == "a"
    assert parked.reason.startswith("its row can't be read: ")
    assert raw_rows(store)[0] == before


@pytest.mark.parametrize(
    ("column", "value", "words"), DAMAGE, ids=[f"{one}{n}" for n, (one, _, _) in enumerate(DAMAGE)]
)
def test_a_damaged_row_is_parked_and_stays_as_it_is(store, column, value, words):
    store.add_records([record("a", every=10), record("b", every=10)], None)
    damage(store, column, value)
    before = raw_rows(store)[0]
    parked, sound = sorted(claim(store, 1).decisions, key=lambda one: one.job.id)
    assert parked.job.id == "a"
    assert parked.reason.startswith("its row can't be read")
    assert words in parked.reason
    assert sound.submit
    assert ids(store.list_records()) == ["b"]
    assert [one.job_id for one in store.parked()] == ["a"]
    with pytest.raises(SerializationError, match="its row can't be read"):
        store.get_record("a")
    assert raw_rows(store)[0] == before
    store.remove("a")
    assert ids(store.list_records()) == ["b"]


def test_a_damaged_row_can_be_replaced(store):
    store.add_records([record("a", every=10)], None)
    damage(store, "trigger", "nonsense")
    claim(store, 1)
    store.add_records([record("a", every=20)], lambda old, new: new)
    assert store.parked() == []
    assert ids(store.list_records()) == ["a"]


def test_a_function_that_is_not_here_is_left_for_those_who_have_it(store):
    store.add_records([record("a", every=10)], None)
    damage(store, "func", "not_deployed_yet:work")
    (decision,) = claim(store, 1).decisions
    assert decision.reason == "no function 'not_deployed_yet:work' here"
    assert ids(store.list_records()) == ["a"]
    damage(store, "func", "builtins:print")
    store.retry_parked()
    (decision,) = claim(store, 1).decisions
    assert decision.submit == [START]


def test_a_job_for_another_nodes_executor_is_not_touched(store):
    store.add_records([record("a", every=10, executor="gpu"), record("b", every=10)], None)
    (decision,) = claim(store, 1).decisions
    assert decision.job.id == "b"
    assert store.get_record("a").next_run_time == START


def test_a_job_that_no_node_has_an_executor_for_is_told_of_whenever_it_is_tried(store):
    store.add_records([record("a", every=1000, executor="gpu")], None)
    assert claim(store, 1).decisions == []  # another node may have it
    (decision,) = claim(store, 12, decide_with=lambda job, now, running: refuse(job, now, running)).decisions
    assert decision.reason == "no executor 'gpu' here"
    assert [job.job_id for job in store.parked()] == ["a"]
    (parked,) = store.parked()
    assert claim(store, 12, decide_with=refuse).decisions == []
    (again,) = claim(store, 25, decide_with=refuse).decisions
    assert again.retry_at - (START + 25 * SECOND) > parked.retry_at - (START + 12 * SECOND)
    assert store.get_record("a").next_run_time == START
    # A node that has it runs it, and it isn't parked any more.
    now = START + 30 * SECOND
    other = store.claim(now, deciding(now), 10, {"default", "gpu"})
    assert [one.job.id for one in other.decisions] == ["a"]
    claim(store, 45)
    assert store.parked() == []


def test_jobs_that_are_parked_do_not_keep_others_from_running(store):
    store.add_records([record(f"p{number}") for number in range(30)], None)
    assert len(claim(store, 1, limit=10, decide_with=refuse).decisions) == 10
    assert len(claim(store, 1, limit=10, decide_with=refuse).decisions) == 10
    store.add_records([record("late", 1)], None)
    names = [one.job.id for one in claim(store, 1, limit=20).decisions]
    assert "late" in names
    assert len(names) == 11


class Harmful:
    """What a row may hold that somebody else has written: unpickled, it calls something."""

    called = False

    def __reduce__(self):
        return _harm, ()


def _harm():
    Harmful.called = True


@pytest.mark.parametrize(
    "options", [{}, {"serializer": "json"}, {"signing_key": "secret"}], ids=["auto", "json", "signed"]
)
@pytest.mark.parametrize("signature", [None, "00" * 32])
def test_a_hostile_row_executes_nothing(make_store, options, signature):
    store = make_store(**options)
    store.add_records([record("a", every=10)], None)
    pickled = {"$type": "pickle", "value": b64encode(dumps(Harmful())).decode()}
    if signature is not None:
        pickled["signature"] = signature
    damage(store, "arguments", json.dumps({"version": 1, "args": [pickled], "kwargs": {}}))
    Harmful.called = False
    (decision,) = claim(store, 1).decisions
    assert decision.reason.startswith("its row can't be read")
    assert store.list_records() == []
    assert not Harmful.called


def test_arguments_that_json_cannot_hold_are_refused_where_pickles_are_not_wanted(make_store):
    store = make_store(serializer="json")
    with pytest.raises(SerializationError, match=r"args\[0\]"):
        store.add_records([record("a")._replace(args=(threading.Event,))], None)
    assert store.list_records() == []


def test_signed_arguments_are_read_with_their_key_alone(make_store, database_url, tablename):
    store = make_store(signing_key="secret")
    value = {1: frozenset({2})}
    store.add_records([record("a", every=10)._replace(args=(logging.Formatter, value))], None)
    assert store.get_record("a").args == (logging.Formatter, value)
    other = make_store(signing_key="another")
    (decision,) = claim(other, 1).decisions
    assert "not signed with this job store's signing_key" in decision.reason
    assert store.get_record("a").args == (logging.Formatter, value)


# Tables


def test_a_table_of_apschedulers_is_left_alone(database_url, tablename):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                f"CREATE TABLE {tablename} (id VARCHAR(191) PRIMARY KEY, next_run_time FLOAT, job_state BLOB)".replace(
                    "BLOB", "BYTEA" if engine.name == "postgresql" else "BLOB"
                )
            )
        )
    engine.dispose()
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    with pytest.raises(ConfigurationError, match=r"It is APScheduler's\. Give another tablename"):
        store.start(None, "default")
    store.engine.dispose()


def test_tables_of_a_newer_release_are_left_alone(store, database_url, tablename):
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE {tablename.removesuffix('_jobs')}_schema SET version = 99"))
    other = SQLAlchemyJobStore(database_url, tablename=tablename)
    with pytest.raises(ConfigurationError, match="Upgrade this node"):
        other.start(None, "default")
    other.engine.dispose()


def test_rows_can_be_read_by_people(store):
    store.add_records([record("a", every=10)._replace(args=("x",), kwargs={"when": START})], None)
    with store.engine.connect() as connection:
        row = connection.execute(store.jobs_t.select()).one()
    assert (row.id, row.name, row.func, row.executor, row.state) == (
        "a",
        "a",
        "builtins:print",
        "default",
        "scheduled",
    )
    assert row.trigger_text == "interval[0:00:10]"
    assert json.loads(row.trigger)["type"] == "interval"
    assert json.loads(row.arguments)["args"] == ["x"]
    assert json.loads(row.options)["max_instances"] == 1
    assert row.next_run_time == START
    assert row.created == row.updated


@pytest.mark.parametrize("job_id", ["a b", "A", "ä", "日本", "a'b\"c", "%s", "a\\b", "x" * 191], ids=range(8))
def test_ids_are_kept_exactly(store, job_id):
    store.add_records([record(job_id, every=10), record("a", 5)], None)
    (decision, _) = sorted(claim(store, 6).decisions, key=lambda one: one.job.id == "a")
    assert decision.job.id == job_id
    assert store.get_record(job_id).next_run_time == START + 10 * SECOND
    store.finish([submission(decision)])
    store._outcomes.write()
    assert [run.outcome for run in store.list_runs(job_id, None, None, 5)] == ["lost"]


def test_an_id_that_is_too_long_is_refused(store):
    with pytest.raises(ValueError, match="may have 191 characters"):
        store.add_records([record("x" * 192)], None)


def test_who_wants_to_write_to_sqlite_is_not_passed_over_by_those_who_write_again_and_again(tmp_path):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    databases = [Database(engine_for(url, {}), owns_engine=True) for _ in range(4)]
    writes = []

    def write(number):
        with databases[number].writing() as connection:
            connection.execute(text("UPDATE counted SET writes = writes + 1"))
            writes.append(number)

    def share_of_those_who_write_again():
        ended = threading.Event()

        def write_again_and_again(number):
            while not ended.is_set():
                write(number)

        others = [threading.Thread(target=write_again_and_again, args=(number,)) for number in (1, 2, 3)]
        for other in others:
            other.start()
        began = len(writes)
        for _ in range(50):
            write(0)
        ended.set()
        for other in others:
            other.join()
        pairs = list(itertools.pairwise(writes[began:]))
        return sum(one == following for one, following in pairs) / len(pairs)

    with databases[0].writing() as connection:
        connection.execute(text("CREATE TABLE counted AS SELECT 0 AS writes"))
    # Without an order, whoever has just written is next in more than nine of ten cases. With it that happens only where the machine
    # lets no other thread come as far as to stand in line, which a busy one does for seconds now and then.
    wait_for(lambda: share_of_those_who_write_again() < 0.6, timeout=90)
    with databases[0].reading() as connection:
        assert connection.execute(text("SELECT writes FROM counted")).scalar_one() == len(writes)
    for database in databases:
        database.close()


def test_who_is_next_to_write_to_sqlite_and_does_not_go_on_keeps_no_others_from_it_for_longer_than_their_patience(
    tmp_path,
):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    database = Database(engine_for(url, {"connect_args": {"timeout": 0.3}}), owns_engine=True)

    def write():
        with database.writing() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS written (by_whom TEXT)"))

    def waiting():
        return [thread for thread in threading.enumerate() if thread.name == "mainspring-line"]

    write()
    stopped = os.open(f"{tmp_path}/jobs.sqlite-turn", os.O_RDWR)
    fcntl.flock(stopped, fcntl.LOCK_EX)
    begin = time.monotonic()
    write()
    assert time.monotonic() - begin >= 0.3
    (thread,) = waiting()
    write()
    assert waiting() == [thread]  # and the next ones don't wait, nor leave threads behind
    os.close(stopped)
    thread.join(30)
    assert not thread.is_alive()
    again = os.open(f"{tmp_path}/jobs.sqlite-turn", os.O_RDWR)
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the thread didn't keep what it had waited for
    os.close(again)
    database.close()


def test_a_process_that_is_forked_while_another_thread_writes_keeps_nobody_waiting(tmp_path, monkeypatch):
    file = f"{tmp_path}/jobs.sqlite"
    opened, open_file = [], os.open
    monkeypatch.setattr(os, "open", lambda *args: opened.append(open_file(*args)) or opened[-1])
    with WriterQueue(file).turn(30):
        inherited = os.dup(opened[0])  # which is what a fork does
    monkeypatch.undo()
    other = os.open(f"{file}-turn", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
    os.close(inherited)


def test_an_sqlite_that_is_too_old_is_refused(monkeypatch):
    monkeypatch.setattr(sqlite3.dbapi2, "sqlite_version_info", (3, 32, 3))
    monkeypatch.setattr(sqlite3.dbapi2, "sqlite_version", "3.32.3")
    with pytest.raises(ConfigurationError, match=r"must be 3\.33 or newer, this Python has 3\.32\.3"):
        SQLAlchemyJobStore("sqlite://")

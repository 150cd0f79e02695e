"""Rows that somebody without a key has made or changed, and references that may not be loaded."""

from __future__ import annotations

import json
import logging
import pickle
import sys
from base64 import b64encode
from datetime import UTC, datetime
from os import system
from types import ModuleType

import pytest
from sqlalchemy import text

from mainspring.allowed import AllowedReferences
from mainspring.errors import ConfigurationError, SerializationError, UnsignedJobError
from mainspring.events import EVENT_JOB_PARKED
from mainspring.jobstores.redis import RedisJobStore
from mainspring.jobstores.shared.row_locks import RowLocks
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.model import JobOptions, RunResult
from mainspring.retry import Retry
from mainspring.serializers.arguments import ArgumentSerializer
from mainspring.serializers.signing import ENVIRONMENT, SigningKeys, sealed, unsealed
from mainspring.testing import EventRecorder
from mainspring.testing.conformance import START, claim, ids, record, submission
from mainspring.triggers.excluding import ExcludingTrigger
from mainspring.triggers.interval import IntervalTrigger
from stores import open_store

HERE = __name__
done: list[object] = []


def work(*args, **kwargs):
    done.append((args, kwargs))


def holiday(day):
    return False


def around(*_):
    raise NotImplementedError


class Hours(IntervalTrigger):
    pass


class Payload:
    def __init__(self):
        self.value = 1


borrowed = system


def job(job_id="a", **values):
    made = record(job_id, every=10)
    return made._replace(func=work, func_ref=f"{HERE}:work", **values)


@pytest.fixture
def make_store(store_url, tablename, started):
    return lambda name=tablename, **options: started(open_store(store_url, name, **options))


def columns(store):
    return ("name", "func", "trigger", "arguments", "executor", "options", "tags")


def stored(store, job_id):
    """A job's row as text, as it is in the database."""
    if isinstance(store, SQLAlchemyJobStore):
        with store.engine.connect() as connection:
            row = connection.execute(store.jobs_t.select().where(store.jobs_t.c.id == job_id)).one()
        return dict(row._mapping)
    if isinstance(store, RedisJobStore):
        found = store.redis.hgetall(f"{store._backend.server.base}:job:{job_id}")
        return {key.decode(): value.decode() for key, value in found.items()}
    return store.collection.find_one({"_id": job_id})


def write(store, job_id, values):
    """Write into a job's row, as somebody with access to the database may."""
    if isinstance(store, SQLAlchemyJobStore):
        with store.engine.begin() as connection:
            connection.execute(store.jobs_t.update().where(store.jobs_t.c.id == job_id).values(values))
    elif isinstance(store, RedisJobStore):
        store.redis.hset(f"{store._backend.server.base}:job:{job_id}", mapping=values)
    else:
        store.collection.update_one({"_id": job_id}, {"$set": values})


def as_stored(store, text_):
    """JSON as the store keeps it."""
    return text_ if isinstance(store, SQLAlchemyJobStore | RedisJobStore) else json.loads(text_)


def parked_reason(store):
    (decision,) = claim(store, 1).decisions
    assert not decision.submit
    return decision.reason


def test_a_signed_job_runs_again_and_again_and_changes(make_store):
    store = make_store(signing_key="one secret")
    trigger = ExcludingTrigger(Hours(seconds=10, timezone=UTC), [holiday])
    options = JobOptions(tags=("x", "ü"), metadata='{"rate": 1.0, "note": "ö"}', priority=3)
    kept = job(trigger=trigger, args=(1, {2}, datetime(2026, 1, 1, tzinfo=UTC)), options=options)
    store.add_records([kept], None)
    read = store.get_record("a")
    assert (read.args, read.options.tags) == (kept.args, kept.options.tags)
    store.change("a", lambda old: old._replace(name="another", version=old.version + 1))
    assert store.get_record("a").name == "another"
    assert store.find_equal(job("other", args=(1,))) is None
    assert ids(store.list_records()) == ["a"]


CHANGES = {
    "function": {"func": "os:system"},
    "executor": {"executor": "another"},
    "name": {"name": "another"},
    "arguments": {"arguments": '{"version":1,"args":["rm -rf /"],"kwargs":{}}'},
}


@pytest.mark.parametrize("what", [*CHANGES, "trigger", "options", "tags"])
def test_a_changed_row_is_parked_and_nothing_of_it_is_loaded(make_store, what):
    store = make_store(signing_key="one secret")
    store.add_records([job(args=("ls",), options=JobOptions(tags=("t",)))], None)
    changes = CHANGES.get(what)
    if what == "arguments":  # with the signature that it had
        row = stored(store, "a")["arguments"]
        changes = {"arguments": row.replace('"ls"', '"rm -rf /"')}
    elif changes is None:
        written = {
            "trigger": '{"type":"interval","version":1,"class":"no_such_module:Trigger","seconds":1}',
            "options": '{"around_run":["no_such_module:hook"],"max_instances":3}',
            "tags": '["other"]',
        }
        changes = {what: as_stored(store, written[what])}
    write(store, "a", changes)
    if what == "executor":
        with pytest.raises(SerializationError, match="not signed with this job store's signing_key"):
            store.get_record("a")
        return
    assert "not signed with this job store's signing_key" in parked_reason(store)
    assert store.list_records() == []
    assert [one.job_id for one in store.parked()] == ["a"]
    store.remove("a")


def test_parts_of_two_signed_rows_make_no_third(make_store):
    store = make_store(signing_key="one secret")
    first = job(args=("ls",), options=JobOptions(tags=("t",)))
    other = job(
        "b",
        name="other",
        args=("rm",),
        trigger=IntervalTrigger(seconds=20, timezone=UTC),
        options=JobOptions(tags=("u",), executor="another", max_instances=3),
    )._replace(func=holiday, func_ref=f"{HERE}:holiday")
    store.add_records([first, other], None)
    own, theirs = stored(store, "a"), stored(store, "b")
    signature = unsealed(theirs["arguments"])[1]
    strange = [{name: theirs[name]} for name in columns(store)]
    strange += [
        {name: theirs[name] for name in columns(store)},
        {name: theirs[name] for name in ("func", "arguments")},
        {"arguments": sealed(unsealed(own["arguments"])[0], signature)},
        {"arguments": sealed(own["arguments"], signature)},  # it has two
        {"arguments": unsealed(own["arguments"])[0]},  # it has none
    ]
    for changes in strange:
        write(store, "a", changes)
        with pytest.raises(SerializationError, match="not signed"):
            store.get_record("a")
        write(store, "a", {name: own[name] for name in columns(store)})
        assert store.get_record("a").args == ("ls",)
    # A whole row of the job's own past is as good as it was then, as the docs say.
    store.change("a", lambda old: old._replace(args=("pwd",), version=old.version + 1))
    assert store.get_record("a").args == ("pwd",)
    write(store, "a", {name: own[name] for name in columns(store)})
    assert store.get_record("a").args == ("ls",)


def test_a_row_of_the_past_is_worth_nothing_when_its_key_is_gone(make_store):
    make_store(signing_key="the old one").add_records([job(args=("ls",))], None)
    store = make_store(signing_key=["the new one", "the old one"])
    row = stored(store, "a")
    past = {name: row[name] for name in columns(store) if name in row}
    store.sign_jobs()
    newest = make_store(signing_key="the new one")
    assert newest.get_record("a").args == ("ls",)
    write(newest, "a", past)
    with pytest.raises(SerializationError, match="not signed with this job store's signing_key"):
        newest.get_record("a")


def test_a_row_without_a_signature_is_parked(make_store):
    make_store(signing_key=()).add_records([job()], None)
    assert "it is not signed" in parked_reason(make_store(signing_key=["one secret"]))


def test_a_row_doesnt_verify_under_another_id_or_in_another_store(make_store, tablename):
    store = make_store(signing_key="one secret")
    store.add_records([job("a", args=("for a",)), job("b", args=("for b",))], None)
    there = make_store(f"{tablename}_there"[-40:], signing_key="one secret")
    there.add_records([job("a", args=("for a",))], None)
    row = {key: value for key, value in stored(store, "a").items() if key in columns(store)}
    write(store, "b", row)
    write(there, "a", row)
    for one, job_id in ((store, "b"), (there, "a")):
        with pytest.raises(SerializationError, match="not signed with this job store's signing_key"):
            one.get_record(job_id)
    assert store.get_record("a").args == ("for a",)


def test_keys_are_rotated(make_store):
    old = make_store(signing_key="the old one")
    old.add_records([job("a"), job("b")], None)
    both = make_store(signing_key=["the new one", b"the old one"])
    assert ids(both.list_records()) == ["a", "b"]
    listed = both.sign_jobs(dry_run=True)
    assert sorted(listed) == [(one, one, f"{HERE}:work", "old key") for one in ("a", "b")]
    version = both.get_record("a").version
    assert sorted(both.sign_jobs()) == sorted(listed)
    assert both.get_record("a").version == version + 1, "who read the row before writes nothing over it"
    assert both.sign_jobs() == []
    assert ids(make_store(signing_key="the new one").list_records()) == ["a", "b"]
    assert old.list_records() == []


def test_jobs_of_before_are_signed_by_one_call(make_store, monkeypatch):
    before = make_store(signing_key=())
    before.add_records([job("a", args=(Payload(),)), job("b")], None)
    monkeypatch.setenv(ENVIRONMENT, "from-outside another")
    store = make_store()
    assert store.list_records() == []
    write(store, "b", {"func": "no_such_module_yet:function"})
    sys.modules.pop("antigravity", None)
    listed = {one.job_id: one for one in store.sign_jobs(dry_run=True)}
    assert {job_id: (one.function, one.state) for job_id, one in listed.items()} == {
        "a": (f"{HERE}:work", "unsigned"),
        "b": ("no_such_module_yet:function", "unsigned"),
    }
    assert store.list_records() == []
    assert [one.job_id for one in store.sign_jobs(job_ids=["a"])] == ["a"]
    assert ids(store.list_records()) == ["a"]
    assert store.get_record("a").args[0].value == 1
    assert [one.job_id for one in store.sign_jobs(dry_run=True)] == ["b"]
    assert ids(before.list_records()) == ["a", "b"]  # who has no key reads them still


def test_jobs_that_stay_for_what_is_tried_again_are_signed_too(make_store):
    before = make_store(signing_key=())
    stays = record("a", retry=Retry(2, delay=1))._replace(func=work, func_ref=f"{HERE}:work")
    before.add_records([stays], None)
    (decision,) = claim(before, 0).decisions
    failed = submission(decision)
    failed.add_result(RunResult(START, "failed", START, START, "no", retry_at=START))
    before.finish([failed])
    before._outcomes.write()
    store = make_store(signing_key="one secret")
    assert store.list_records() == []
    assert [(one.job_id, one.state) for one in store.sign_jobs(dry_run=True)] == [("a", "unsigned")]
    assert [one.job_id for one in store.sign_jobs()] == ["a"]
    assert store.sign_jobs(dry_run=True) == []
    assert store.list_records() == []  # it is over, for all who look at jobs
    store._agenda.note_queue_due(START)
    (again,) = claim(store, 10).decisions
    assert (again.submit, again.attempt, again.job.func) == ([START], 2, work)


def test_what_was_changed_is_signed_only_if_that_is_asked_for(make_store):
    store = make_store(signing_key="one secret")
    store.add_records([job("a")], None)
    write(store, "a", {"name": "changed"})
    assert store.sign_jobs() == []
    assert store.list_records() == []
    assert [one.state for one in store.sign_jobs(changed=True, dry_run=True)] == ["changed"]
    store.sign_jobs(changed=True)
    assert [one.name for one in store.list_records()] == ["changed"]


def test_to_sign_takes_a_key(make_store):
    with pytest.raises(ConfigurationError, match=ENVIRONMENT):
        make_store(signing_key=()).sign_jobs()


# Which functions


PATTERNS = [f"{HERE}:*"]


@pytest.mark.parametrize("key", [(), "one secret"])
def test_only_what_may_be_loaded_is_kept(make_store, key):
    store = make_store(functions=PATTERNS, signing_key=key)
    allowed = job(
        trigger=ExcludingTrigger(Hours(seconds=10, timezone=UTC), [holiday]),
        args=(Payload(), {1}),
        options=JobOptions(around_run=(f"{HERE}:around",)),
    )
    store.add_records([allowed], None)
    assert store.get_record("a").args[0].value == 1
    others = {
        "os:getcwd": job("b")._replace(func_ref="os:getcwd"),
        "os:getpid": job("b", options=JobOptions(around_run=("os:getpid",))),
        "calendar:isleap": job(
            "b", trigger=ExcludingTrigger(IntervalTrigger(seconds=10), [sys.modules["calendar"].isleap])
        ),
        "decimal:Context": job("b", args=(sys.modules["decimal"].Context,)),
        f"{HERE}:borrowed": job("b")._replace(func_ref=f"{HERE}:borrowed"),
        f"{HERE}:sys.exit": job("b")._replace(func_ref=f"{HERE}:sys.exit"),
    }
    for reference, other in others.items():
        with pytest.raises(SerializationError, match="may not be loaded") as raised:
            store.add_records([other], None)
        assert repr(reference) in str(raised.value)
    assert ids(store.list_records()) == ["a"]


@pytest.mark.parametrize("what", ["func", "around", "trigger", "exclusion", "holidays", "nested", "pickle"])
def test_what_may_not_be_loaded_is_not_imported(make_store, what, tmp_path, monkeypatch):
    (tmp_path / "hostile_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    store = make_store(functions=PATTERNS)
    store.add_records([job()], None)
    hostile = "hostile_module:thing"
    interval = {"type": "interval", "version": 1, "seconds": 10}
    excluding = {"type": "excluding", "version": 1, "trigger": interval}
    calendar = {"calendar": {"holidays": hostile, "weekend": [5, 6]}}
    written = {
        "func": ("func", hostile),
        "around": ("options", as_stored(store, json.dumps({"around_run": [hostile]}))),
        "trigger": ("trigger", as_stored(store, json.dumps({**interval, "class": hostile}))),
        "exclusion": ("trigger", as_stored(store, json.dumps({**excluding, "exclusions": [{"function": hostile}]}))),
        "holidays": ("trigger", as_stored(store, json.dumps({**excluding, "exclusions": [calendar]}))),
        "nested": (
            "trigger",
            as_stored(
                store, json.dumps({"type": "or", "version": 1, "triggers": [interval, {**interval, "class": hostile}]})
            ),
        ),
        "pickle": ("arguments", json.dumps({"version": 1, "args": [
            {"$type": "pickle", "value": b64encode(b"\x80\x04chostile_module\nthing\n.").decode()}
        ], "kwargs": {}})),
    }  # fmt: skip
    column, value = written[what]
    write(store, "a", {column: value})
    reason = parked_reason(store)
    assert "'hostile_module:thing' may not be loaded: functions= of this job store allows" in reason
    assert "hostile_module" not in sys.modules
    assert store.list_records() == []


def test_patterns():
    allowed = AllowedReferences("json:dumps, collections.*:* logging:*")
    for reference in (
        "json:dumps",
        "collections.abc:Mapping",
        "logging:Logger.info",
        "collections.nothing:x",
        "logging:nothing",
    ):
        allowed.admit(reference)
    for reference in (
        "json:loads",
        "json:dumps.__call__",
        "collections:Counter",
        "logging.handlers:SocketHandler",
        "logging:os.system",
        "logging:os",
        "logging:sys.modules",
        "",
    ):
        with pytest.raises(SerializationError, match="may not be loaded"):
            allowed.admit(reference)
    with pytest.raises(ConfigurationError, match=r"did you mean 'myapp\.jobs:\*'"):
        AllowedReferences(["myapp.jobs"])
    with pytest.raises(ConfigurationError, match="patterns of references"):
        AllowedReferences(3)
    with pytest.raises(SerializationError, match="allows nothing"):
        AllowedReferences([]).admit("os:system")


IN_A_MODULE = """
import functools, logging, os, subprocess
from os import system
from types import ModuleType
from subprocess import Popen

def work(): pass
class Own(Popen):
    def __del__(self, *_): pass  # it is no process
    def method(self): pass
    @classmethod
    def of(cls): pass
    class Inner:
        def method(self): pass
class Text(str): pass
own = functools.partial(work)
cached = functools.lru_cache(work)
borrowed = functools.partial(functools.partial(system), "ls")
kept = functools.lru_cache(system)
log = logging.getLogger()
alias = subprocess
"""


@pytest.fixture
def victim(monkeypatch):
    """A module that has imported what is dangerous, as many have."""
    made = ModuleType("victim.jobs")
    made.__dict__.update(__builtins__=__builtins__)
    exec(IN_A_MODULE, made.__dict__)
    made.instance = made.Own.__new__(made.Own)
    package = ModuleType("victim")
    package.jobs = made
    monkeypatch.setitem(sys.modules, "victim", package)
    monkeypatch.setitem(sys.modules, "victim.jobs", made)
    return made


@pytest.mark.usefixtures("victim")
def test_a_star_lets_in_what_a_module_has_made():
    allowed = AllowedReferences("victim.*:*")
    for path in [
        "work",
        "Own",
        "Own.method",
        "Own.of",
        "Own.Inner.method",
        "Text",
        "own",
        "cached",
        "instance.method",
    ]:
        allowed.admit(f"victim.jobs:{path}")
    named = AllowedReferences("victim.*:* victim.jobs:system.__call__ victim.__main__:*")
    named.admit("victim.jobs:system.__call__")  # at its word
    named.admit("victim.__main__:work")


@pytest.mark.parametrize(
    "reference",
    [
        *(
            f"victim.jobs:{path}"
            for path in [
                "system",
                "system.__call__",
                "Popen",
                "Popen.__call__",
                "Popen.__init__",
                "Popen.communicate",
                "Own.communicate",
                "Own.__call__",
                "borrowed",
                "borrowed.func",
                "borrowed.__call__",
                "kept",
                "kept.__wrapped__",
                "work.__globals__",
                "work.__globals__.get",
                "work.__call__",
                "work.__get__",
                "instance.communicate",
                "instance.__class__",
                "Own.mro",
                "Own.__base__",
                "Own.__subclasses__",
                "Text.join",
                "Text.format",
                "log.info",
                "alias.run",
                "os.system",
                "logging.os.system",
                "__builtins__",
                "__builtins__.exec",
                "__loader__",
                "__spec__.loader",
                "system:work",
            ]
        ),
        "victim.__main__:work",
        "VICTIM.jobs:work",
        "victim.jobs:x:work",
        "os:system.victim.jobs:work",
        "os:system\nvictim.jobs:work",
        " victim.jobs:work",
        "..victim.jobs:work",
        "victim\u2024jobs:work",
    ],
)
@pytest.mark.usefixtures("victim")
def test_a_star_lets_in_nothing_that_is_reached_by_detours(reference):
    with pytest.raises(SerializationError, match="may not be loaded"):
        AllowedReferences("victim.*:*").admit(reference)


def test_a_star_matches_no_colon(tmp_path, monkeypatch):
    (tmp_path / "hostile_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SerializationError, match="may not be loaded"):
        AllowedReferences("*.jobs:*").admit("hostile_module:x.jobs:y")


# Keys


def test_keys_come_from_the_environment(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert SigningKeys.of(None) is None
    assert SigningKeys.of([]) is None
    monkeypatch.setenv(ENVIRONMENT, " new  old ")
    keys = SigningKeys.of(None)
    assert SigningKeys.of("new").signature(b"m") == keys.signature(b"m")
    assert keys.signed_by(SigningKeys.of(b"old").signature(b"m"), b"m") == 1
    assert keys.signed_by(SigningKeys.of("new").signature(b"m"), b"m") == 0
    assert keys.signed_by(SigningKeys.of("other").signature(b"m"), b"m") is None
    assert keys.signed_by("\ud800", b"m") is None
    assert SigningKeys.of(()) is None
    for wrong in (3, [3], ["a", None]):
        with pytest.raises(TypeError, match="text or bytes"):
            SigningKeys.of(wrong)
    for empty in ("", b"", ["a", ""]):
        with pytest.raises(ConfigurationError, match="empty"):
            SigningKeys.of(empty)


def test_texts_that_run_into_one_another_are_not_the_same():
    locks = RowLocks(SigningKeys.of("one secret"), scope="here")
    row = {
        "id": "ab", "name": "c", "func": "m:f", "trigger": "{}", "arguments": "{}", "executor": "d", "options": "{}", "tags": None,
    }  # fmt: skip
    locks.close(row)

    def read(scope="here", **changes):
        given = {**row, **changes}
        return RowLocks(locks.keys, scope=scope).open(
            given["id"], given["name"], given["func"], given["trigger"], given["arguments"], given["executor"], given["options"], given["tags"]
        )  # fmt: skip

    assert read() == "{}"
    assert read(trigger=" { } ") == "{}"
    assert read(tags="[]") == "{}"
    for changes in (
        {"id": "a", "name": "bc"},
        {"executor": "d{}"},
        {"options": '{"a": 1}'},
        {"scope": "there"},
    ):
        with pytest.raises(UnsignedJobError, match="not signed with"):
            read(**changes)


# Pickles


def test_pickles_are_read_as_apscheduler_reads_them_where_that_is_wanted():
    value = b64encode(pickle.dumps(Reduced())).decode()
    text_ = json.dumps({"version": 1, "args": [{"$type": "pickle", "value": value}], "kwargs": {}})
    done.clear()
    assert ArgumentSerializer("pickle").loads("a", text_) == ((None,), {})
    assert done == [((1,), {})]
    with pytest.raises(SerializationError):
        ArgumentSerializer("auto").loads("a", text_)
    with pytest.raises(SerializationError, match="not signed"):
        ArgumentSerializer("pickle", SigningKeys.of("k")).loads("a", text_)


class Reduced:
    def __reduce__(self):
        return work, (1,)


def test_under_the_alias_pickles_are_apschedulers(run_python):
    code = "from mainspring.serializers.arguments import ArgumentSerializer; print(ArgumentSerializer()._is_careful)"
    assert run_python("-c", code) == "True"
    assert run_python("-c", f"import mainspring.as_apscheduler; {code}") == "False"
    assert run_python("-m", "mainspring.as_apscheduler", "-c", code) == "False"


@pytest.fixture
def run_python():
    import subprocess

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=True
        ).stdout.strip()

    return run


def test_a_database_of_another_name_is_another_store(tmp_path, started):
    here = started(SQLAlchemyJobStore(f"sqlite:///{tmp_path}/here.sqlite", signing_key="one secret"))
    here.add_records([job("a")], None)
    here.shutdown()
    (tmp_path / "elsewhere").mkdir()
    for place, is_read in (("elsewhere/here.sqlite", True), ("there.sqlite", False)):
        (tmp_path / place).write_bytes((tmp_path / "here.sqlite").read_bytes())
        store = started(SQLAlchemyJobStore(f"sqlite:///{tmp_path}/{place}", signing_key="one secret"))
        assert ids(store.list_records()) == (["a"] if is_read else [])


def test_no_signature_is_needed_to_see_what_waits(tmp_path):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    before = SQLAlchemyJobStore(url)
    before.start(None, "default")
    before.add_records([job("a")], None)
    before.shutdown()
    store = SQLAlchemyJobStore(url, signing_key="one secret")
    assert [one.job_id for one in store.sign_jobs()] == ["a"]
    with store.engine.connect() as connection:
        (written,) = connection.execute(text("SELECT arguments FROM mainspring_jobs")).one()
    assert written.startswith('{"version":1,"args":[],"kwargs":{},"signature":"')
    store.engine.dispose()


def test_a_changed_job_is_told_of_once_and_seen(make_scheduler, store_url, tablename, caplog):
    store = open_store(store_url, tablename, signing_key="one secret")
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    recorder = EventRecorder()
    scheduler.add_listener(recorder, EVENT_JOB_PARKED)
    scheduler.add_job(work, "interval", seconds=1, id="a")
    write(store, "a", {"name": "another\nname"})
    recorder.wait_until(lambda: len(recorder.of(EVENT_JOB_PARKED)) >= 2)
    told = [
        one
        for one in caplog.records
        if "can't be run for now" in one.getMessage() and one.levelno >= logging.WARNING
    ]
    assert len(told) == 1
    assert told[0].exc_info is None
    assert "not signed with this job store's signing_key" in told[0].getMessage()
    assert "\n" not in told[0].getMessage()
    assert scheduler.health().parked_jobs == 1
    (parked,) = scheduler.get_parked_jobs()
    assert parked.job_id == "a"
    assert scheduler.get_jobs() == []

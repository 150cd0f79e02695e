"""Files for `import_jobs` that aren't what `export_jobs` writes."""

from __future__ import annotations

import copy
import io
import json
import pickle
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.errors import ConflictingIdError, SerializationError
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import SettableClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def exported() -> dict:
    scheduler = BackgroundScheduler(timezone="UTC", clock=SettableClock(START))
    scheduler.start(paused=True)
    scheduler.add_job("os.path:join", "interval", hours=1, args=["a", ("b",)], id="a", jitter=3)
    scheduler.add_job("os.path:join", "cron", hour=3, args=["x"], kwargs={}, id="b", tags=["t"])
    text = io.StringIO()
    scheduler.export_jobs(text)
    scheduler.shutdown()
    return json.loads(text.getvalue())


FILE = exported()


def changed(path, value):
    content = copy.deepcopy(FILE)
    *parts, last = path
    place = content
    for part in parts:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(content)


def pickled(data: bytes) -> dict:
    return {"__apscheduler_pickle__": b64encode(data).decode()}


DEEP = "[" * 100_000 + "]" * 100_000
MALFORMED = {
    "nothing": ("", "no JSON"),
    "a list": ("[]", "JSON object"),
    "no list of jobs": ('{"version": 1, "jobs": 3}', "a list"),
    "cut off": (json.dumps(FILE)[:-20], "no JSON"),
    "nested deeply": (f'{{"version": 1, "jobs": {DEEP}}}', "no JSON"),
    "a digit too many": (f'{{"version": 1, "jobs": [{"9" * 5000}]}}', "no JSON"),
    "a key twice": (json.dumps(FILE).replace('"version": 1', '"version": 1, "version": 1', 1), "twice"),
    "another version": (changed(["version"], [1]), "version 1"),
    "a job that is no object": (changed(["jobs", 1], "b"), "job 2"),
    "no id": (changed(["jobs", 1, "id"], ...), "job 2.*no 'id'"),
    "an id of another kind": (changed(["jobs", 1, "id"], ["b"]), r"job 2.*'id' should be text"),
    "an empty id": (changed(["jobs", 1, "id"], ""), "job 2"),
    "an id twice": (changed(["jobs", 1, "id"], "a"), "job 2, 'a', has the id of one before it"),
    "no name": (changed(["jobs", 1, "name"], None), r"job 2, 'b'.*'name' should be text"),
    "a function that isn't there": (changed(["jobs", 1, "func"], "os.path:nothing"), "job 2, 'b'.*os.path:nothing"),
    "a module that isn't there": (changed(["jobs", 1, "func"], "nothing.here:x"), "job 2, 'b'.*nothing"),
    "no reference": (changed(["jobs", 1, "func"], "x"), "job 2, 'b'.*not a reference"),
    "not a function": (changed(["jobs", 1, "func"], "os.path:sep"), "job 2, 'b'.*can't be called"),
    "no trigger": (changed(["jobs", 1, "trigger"], "daily"), "job 2, 'b'.*'trigger' should be a trigger"),
    "arguments of another kind": (changed(["jobs", 1, "args"], "xyz"), "'args' should be a list"),
    "named arguments of another kind": (changed(["jobs", 1, "kwargs"], [1]), "'kwargs' should be"),
    "a time of another kind": (changed(["jobs", 1, "next_run_time"], "soon"), "'next_run_time' should be"),
    "a time without a zone": (
        changed(["jobs", 1, "next_run_time"], pickled(pickle.dumps(datetime(2026, 1, 1)))),
        "'next_run_time' has no time zone",
    ),
    "an option that can't be": (changed(["jobs", 1, "max_instances"], -3), "job 2, 'b'.*max_instances"),
    "options of another kind": (changed(["jobs", 1, "mainspring"], 3), "job 2, 'b'"),
    "a newer job": (changed(["jobs", 1, "version"], 99), "newer release"),
    "a version of another kind": (changed(["jobs", 1, "version"], "new"), "job 2, 'b'"),
    "no pickle": (changed(["jobs", 1, "args"], [{"__apscheduler_pickle__": 3}]), "job 2, 'b'.*'args'"),
    "a damaged pickle": (changed(["jobs", 1, "args"], [pickled(b"\x80\x04K")]), "job 2, 'b'.*'args'"),
    "a class that isn't there": (
        changed(["jobs", 1, "trigger"], {"__apscheduler_class__": "nothing:X", "__apscheduler_state__": {}}),
        "job 2, 'b'.*'trigger'",
    ),
    "a function as a class": (
        changed(["jobs", 1, "trigger"], {"__apscheduler_class__": "os:getcwd", "__apscheduler_state__": {}}),
        "job 2, 'b'.*'trigger'",
    ),
    "a class of another kind": (
        changed(["jobs", 1, "trigger"], {"__apscheduler_class__": 3, "__apscheduler_state__": {}}),
        "job 2, 'b'.*'trigger'",
    ),
    "a class without its state": (
        changed(["jobs", 1, "trigger"], {"__apscheduler_class__": FILE["jobs"][0]["trigger"]["__apscheduler_class__"]}),
        "job 2, 'b'.*'trigger'",
    ),
    "a state of another kind": (
        changed(["jobs", 1, "trigger", "__apscheduler_state__"], [1, 2]),
        "job 2, 'b'.*'trigger'",
    ),
}  # fmt: skip


@pytest.fixture(params=["before the start", "started"])
def target(request, make_scheduler):
    return make_scheduler(clock=SettableClock(START), start=request.param == "started")


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_file_says_where_and_what_and_nothing_is_imported(target, what, tmp_path):
    text, expected = MALFORMED[what]
    path = tmp_path / "these_jobs.json"
    path.write_text(text)
    with pytest.raises(SerializationError, match=rf"these_jobs\.json: .*{expected}") as raised:
        target.import_jobs(path)
    assert len(str(raised.value)) < 1000
    assert target.get_jobs() == []


def test_a_file_that_is_no_text(target, tmp_path):
    path = tmp_path / "these_jobs.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SerializationError, match="no JSON"):
        target.import_jobs(path)


def test_a_job_that_the_store_refuses_keeps_all_others_out(make_scheduler, tmp_path):
    target = make_scheduler(
        jobstores={
            "default": {
                "type": "sqlalchemy",
                "url": f"sqlite:///{tmp_path}/jobs.sqlite",
                "functions": "posixpath:*",
            }
        },
        start=True,
    )
    with pytest.raises(SerializationError, match="os:getcwd"):
        text = changed(["jobs", 1, "func"], "os:getcwd").replace("os.path:join", "posixpath:join")
        target.import_jobs(io.StringIO(text))
    assert target.get_jobs() == []
    target.add_job("posixpath:join", "interval", hours=1, args=["a"], id="b")
    for job in (content := copy.deepcopy(FILE))["jobs"]:
        job["func"] = "posixpath:join"
    with pytest.raises(ConflictingIdError):
        target.import_jobs(io.StringIO(json.dumps(content)))
    assert [job.id for job in target.get_jobs()] == ["b"]
    target.import_jobs(io.StringIO(json.dumps(content)), replace_existing=True)
    assert sorted(job.id for job in target.get_jobs()) == ["a", "b"]


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


PLACES = [path for path in places(FILE) if path]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(
        ["os:getcwd", "mainspring.triggers.interval:IntervalTrigger", "builtins:object", "2026-01-01", "nothing:x"]
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["__apscheduler_class__", "__apscheduler_state__", "__apscheduler_pickle__", "options", "tally", "a"]),
        inner,
        max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=200)
@given(st.sampled_from(PLACES), VALUES | st.just(...))
def test_whatever_is_changed_in_a_file_is_imported_or_refused_in_words(path, value):
    scheduler = BackgroundScheduler(timezone="UTC", clock=SettableClock(START))
    scheduler.start(paused=True)
    try:
        try:
            scheduler.import_jobs(io.StringIO(changed(path, value)))
        except SerializationError:
            assert scheduler.get_jobs() == []
        else:
            for job in scheduler.get_jobs():
                assert repr(job)
                assert str(job)
    finally:
        scheduler.shutdown()


def test_what_cant_be_exported_says_so(make_scheduler, tmp_path):
    source = make_scheduler(start=True)
    ring: list[object] = []
    ring.append(ring)
    path = tmp_path / "jobs.json"
    for value in (ring, 10**5000):
        source.add_job(print, "interval", hours=1, args=[value], id="a", replace_existing=True)
        with pytest.raises(SerializationError, match="job 'a' can't be exported"):
            source.export_jobs(path)
        assert not path.exists()

"""Whatever a job's function hands in, its run ends with an outcome, and the node goes on: on every store, with the same words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import hostile_work as work
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_work import eventually

from mainspring import MemoryJobStore
from mainspring.errors import ConfigurationError, SerializationError
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from pickle_store import PickleStore

# What depends on the Python is in `tests/test_storable.py`.
pytestmark = pytest.mark.one_python

PAST = datetime(2026, 1, 1, tzinfo=UTC)
OF_ONE_PROCESS = (MemoryJobStore, PickleStore)


def outcome_of(scheduler, job):
    """The record of the run of a job, once it has ended."""
    run_id = f"{job.id}/2026-01-01T00:00:00.000000Z/1"
    found = []

    def has_ended():
        found[:] = [scheduler.get_run(run_id)]
        return found[0] is not None and found[0].outcome is not None

    eventually(has_ended, 60)
    return found[0]


def ended(scheduler, func, *args, **options):
    """The record of one run of a function, once another job that came after it has been run too."""
    job = scheduler.add_job(func, "date", run_date=PAST, args=args, misfire_grace_time=None, **options)
    kept = outcome_of(scheduler, job)
    after = scheduler.add_job(work.receive, "date", run_date=PAST)
    assert outcome_of(scheduler, after).outcome == "succeeded"
    for text in (kept.error, kept.result, kept.traceback, kept.log):
        assert text is None or len(text.encode()) <= 1024 * 1024
    return kept


def test_results_are_kept_as_far_as_they_can_be(scheduler, heard):
    kept = {name: ended(scheduler, work.give, name, id=f"give {at}") for at, name in enumerate(work.RESULTS)}
    assert {record.outcome for record in kept.values()} == {"succeeded"}
    read = {name: json.loads(record.result) for name, record in kept.items()}
    assert read["no UTF-8"] == work.NO_UTF8
    assert read["NUL"] == "a\0b"
    assert read["split pair"][0] == {"$type": "text", "value": ["\ud83d", "\ude00"]}
    for name in ("large", "many parts", "bytes"):
        assert read[name]["$type"] == "shortened"
        assert 900_000 < len(kept[name].result.encode()) <= 1024 * 1024
    assert read["long number"]["value"].startswith("0x")
    assert read["no number"][0] == {"$type": "float", "value": "nan"}
    assert read["hostile"][0]["value"] == "<Hostile: ZeroDivisionError in its __repr__>"
    (event,) = [one for one in heard.events if one.code == EVENT_JOB_EXECUTED and one.job_id == "give 3"]
    assert len(event.retval) == 1_500_000  # whole


def test_progress_is_kept_as_far_as_it_can_be(scheduler):
    kept = {name: ended(scheduler, work.say, name, id=f"say {at}") for at, name in enumerate(work.PROGRESS)}
    assert {record.outcome for record in kept.values()} == {"succeeded"}
    assert kept["no UTF-8"].progress == (1, 2, work.NO_UTF8)
    assert kept["NUL"].progress == (1, 2, "a\0b")
    assert "[cut: of 200,000 characters]" in kept["large"].progress[2]
    assert kept["numbers"].progress == (None, None, "x")
    assert "ZeroDivisionError" in kept["hostile"].progress[2]
    assert ended(scheduler, work.set_attributes, id="set").progress is None


def test_errors_and_tracebacks_are_kept_as_far_as_they_can_be(scheduler, heard):
    kept = {
        name: ended(scheduler, work.fail_with, name, id=f"fail {at}") for at, name in enumerate(work.PROGRESS)
    }
    assert {record.outcome for record in kept.values()} == {"failed"}
    assert kept["no UTF-8"].error == "ValueError: caf\\udce9.txt"
    assert kept["NUL"].error == "ValueError: a\ufffdb"
    assert len(kept["large"].error.encode()) <= 4096
    assert "[cut: of 200,0" in kept["large"].error
    traceback = kept["large"].traceback
    assert traceback.startswith("Traceback")
    assert "the beginning and the end are kept" in traceback
    assert len(traceback.encode()) <= 64 * 1024
    assert kept["hostile"].error == "NamelessError: (its text can't be had: SystemExit)"
    (event,) = [one for one in heard.events if one.code == EVENT_JOB_ERROR and one.job_id == "fail 2"]
    assert len(str(event.exception)) == 200_000  # whole


def test_logs_are_kept_as_far_as_they_can_be(scheduler):
    for at, name in enumerate(("no UTF-8", "NUL", "large")):
        kept = ended(scheduler, work.log, name, id=f"log {at}", capture_log=True)
        assert kept.log.endswith("line 1499")
        assert "earlier lines are not kept]" in kept.log
        assert len(kept.log.encode()) <= 64 * 1024


def test_a_result_that_never_says_what_it_is_holds_up_its_own_run_alone(scheduler):
    work.endless.clear()
    try:
        kept = ended(scheduler, work.never_say, id="never", timeout=0.1)
        assert kept.outcome == "timed_out"
    finally:
        work.endless.set()


def test_arguments_arrive_as_they_were_sent(scheduler):
    args = [
        "film\udcff.mkv",
        ["\udcff", {"\udc80": ("\udcff",)}],
        "\ud83d\ude00",
        "\0",
        10**6000,
        {"$type": "\udcff"},
    ]
    kwargs = {"name": "\udcff.mkv", "nested": {"\udcff": {"\udcff"}}}
    work.received.clear()
    scheduler.add_job(
        work.receive,
        "date",
        run_date=PAST,
        args=args,
        kwargs=kwargs,
        metadata={"\udcff": ["\udcff\0"]},
        id="a",
    )
    eventually(lambda: work.received)
    assert work.received == [(tuple(args), kwargs)]


def test_metadata_is_kept_as_it_was_given(scheduler):
    job = scheduler.add_job(work.receive, "interval", hours=1, metadata={"\udcff": ["\udcff\0", 1]})
    assert scheduler.get_job(job.id).metadata == {"\udcff": ["\udcff\0", 1]}
    job.pause(note="not before \udcff") if hasattr(job, "note") else None
    assert scheduler.get_jobs()[0].id == job.id


@pytest.mark.parametrize(
    "given_",
    [
        {"id": "a\udcff"},
        {"name": "a\udcff"},
        {"tags": ["\udcff"]},
        {"group": "\udcff"},
        {"executor": "\udcff"},
    ],
)
def test_what_is_kept_as_plain_text_is_refused_where_it_can_not_be(scheduler, make_store, given_):
    if make_store in OF_ONE_PROCESS:
        pytest.skip("what is in memory may have any text")
    with pytest.raises(ValueError, match="characters that databases can't keep"):
        scheduler.add_job(work.receive, "interval", hours=1, **given_)
    job = scheduler.add_job(work.receive, "interval", hours=1)
    with pytest.raises(ValueError, match="characters that databases can't keep"):
        scheduler.add_jobs(
            [
                {"func": work.receive, "trigger": "interval", "hours": 1},
                {"func": work.receive, "trigger": "interval", "hours": 1, **given_},
            ]
        )
    assert [one.id for one in scheduler.get_jobs()] == [job.id]


def test_no_job_has_an_id_that_no_store_can_keep(scheduler):
    assert scheduler.get_job("a\udcff") is None
    assert scheduler.get_runs("a\udcff") == []
    assert scheduler.get_jobs(tag="\udcff") == scheduler.get_jobs(search="\udcff") == []
    with pytest.raises(KeyError):
        scheduler.remove_job("a\udcff")
    with pytest.raises(KeyError):
        scheduler.pause_job("a\udcff")


def test_limits_are_options(make_scheduler, make_store):
    limits = {"result": 300, "progress": 300, "log": 300, "traceback": 300, "error": 300}
    scheduler = make_scheduler(jobstores={"default": make_store()}, run_limits=limits, start=True)
    assert len(ended(scheduler, work.give, "large").result.encode()) <= 300
    assert len(ended(scheduler, work.say, "large").progress[2].encode()) <= 300
    kept = ended(scheduler, work.fail_with, "large")
    assert len(kept.error.encode()) <= 300
    assert len(kept.traceback.encode()) <= 300
    assert len(ended(scheduler, work.log, "no UTF-8", capture_log=True).log.encode()) <= 300


@pytest.mark.parametrize("limits", [{"result": 10}, {"result": "much"}, {"results": 1000}, {"log": True}, 5])
def test_limits_that_can_not_be_are_refused(make_scheduler, limits):
    with pytest.raises(ConfigurationError, match="run_limits"):
        make_scheduler(run_limits=limits)


def test_limits_may_come_from_a_configuration_file(make_scheduler):
    scheduler = make_scheduler({"apscheduler.run_limits.result": "5000"})
    assert scheduler._reporter.limits.result == 5000
    assert scheduler._reporter.limits.progress == 4096


def _values():
    texts = st.text(st.characters(exclude_categories=()), max_size=20)
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(10**4400, 10**4401),
        st.floats(),
        texts,
        st.binary(max_size=20),
        st.builds(work.Hostile),
        st.builds(work.OddText, texts),
        st.just(work.NO_UTF8 * 5000),
    )
    return st.recursive(
        leaves,
        lambda parts: st.one_of(
            st.lists(parts, max_size=4),
            st.dictionaries(texts, parts, max_size=4),
            st.tuples(parts, parts),
            st.dictionaries(st.one_of(st.integers(), st.tuples(texts)), parts, max_size=3),
        ),
        max_leaves=12,
    )


def test_random_values_stop_no_store(scheduler):
    counts = iter(range(1_000_000))

    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
    @given(value=_values(), text=st.text(st.characters(exclude_categories=()), max_size=200))
    def run(value, text):
        work.RESULTS["random"] = lambda: value
        work.PROGRESS["random"] = lambda: (1, None, text)
        at = next(counts)
        jobs = [
            scheduler.add_job(func, "date", run_date=PAST, args=["random"], id=f"{func.__name__} {at}")
            for func in (work.give, work.say, work.fail_with)
        ]
        records = [outcome_of(scheduler, job) for job in jobs]
        assert [record.outcome for record in records] == ["succeeded", "succeeded", "failed"]
        for record in scheduler.get_runs(limit=10):
            for kept in (record.result, record.error, record.traceback):
                assert kept is None or kept.encode()

    run()


def test_a_job_that_is_too_large_is_refused_by_its_name(scheduler, make_store):
    if make_store in OF_ONE_PROCESS:
        pytest.skip("what is in memory may be large")
    store = scheduler._stores["default"]
    store._node_context.request_limit = 100_000  # as of a server that takes no more
    with pytest.raises(SerializationError, match="job 'large' is too large: its row takes 200,"):
        scheduler.add_jobs(
            [
                {"func": work.receive, "trigger": "interval", "hours": 1, "id": "small"},
                {
                    "func": work.receive,
                    "trigger": "interval",
                    "hours": 1,
                    "id": "large",
                    "args": ["x" * 200_000],
                },
            ]
        )
    assert scheduler.get_jobs() == []

"""What the real rq-scheduler has put into a real Redis."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from mainspring import CronTrigger
from mainspring.errors import ReadingError
from mainspring.moving import read_rq_scheduler
from mainspring.moving.rq_scheduler import _GRAMMAR

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180), pytest.mark.xdist_group("rq_scheduler")]

OTHERS = Path(__file__).parent / "others"
HOSTILE = Path("/tmp/mainspring-hostile-rq-job")
START = datetime(2999, 3, 1, 12, tzinfo=UTC)
TEXTS = [
    "30 9 * * mon-fri",
    "0 0 13 * 5",
    "0 0 * * 7",
    "0 0 * * */2",
    "0 0 */10 * *",
    "0 0 L * *",
    "*/7 8-18 * * *",
    "@daily",
    "@hourly",
    "0 12 1-7 * 1",
    "5,50 0 * 2-4 *",
]
_database = {}


@pytest.fixture
def filled(redis_url, run_beside):
    """A Redis with jobs, and the times of cron strings."""
    url = f"{redis_url.rstrip('/0').rstrip('/')}/7"
    if url not in _database:
        client = redis.Redis.from_url(url)
        client.flushdb()
        client.close()
        _database[url] = json.loads(run_beside("rq", "rq_program.py", url, *TEXTS))
    return url, _database[url]


@pytest.fixture
def plan(filled, monkeypatch):
    monkeypatch.syspath_prepend(str(OTHERS))
    yield read_rq_scheduler(filled[0], timezone="UTC", now=datetime.now(UTC))
    sys.modules.pop("rq_work", None)


def test_jobs_of_every_kind_are_read(plan):
    interval = plan["interval"]
    assert (interval.func, interval.args) == ("rq_work:work", ({"a": [2]},))
    assert interval.kwargs == {"y": datetime(2999, 3, 1, 12)}
    assert interval.options["timeout"] == 30
    assert interval.options["max_runs"] == 5
    assert interval.trigger.upcoming(START, 2) == [START, START + timedelta(seconds=90)]
    assert "queue 'low'" in interval.notes[0]
    assert not plan["forever"].notes
    assert plan["once"].next_run_time(plan.now) == START
    assert plan["overdue"].is_paused
    assert plan["and"].options["max_runs"] == 2
    assert plan["of-class"].func == "rq_work:Thing.of_class"
    assert plan["builtin"].func == "builtins:print"
    assert plan["retried"].options["retry"].attempts == 4
    assert "[10, 60]" in plan["retried"].notes[0]
    assert [note for note in plan.notes if "rq:scheduled:native" in note]


def test_methods_keep_their_instance(plan):
    job = plan["of-instance"]
    assert job.func == "rq_work:Thing.work"
    assert (job.args[0].number, job.args[1]) == (5, 2)


def test_a_pickle_that_calls_something_is_left_out_and_calls_nothing(plan):
    """The attack: a pickle in Redis that runs a command when it is read."""
    assert not HOSTILE.exists()
    reasons = {one.place: one.reason for one in plan.left_out}
    assert "can't be read" in reasons["rq:job:hostile"]
    assert "only its time" in reasons["rq:job:gone"]


def test_cron_strings_fire_when_rq_schedulers_own_reader_says(filled):
    for text, theirs in filled[1].items():
        trigger = CronTrigger._from_text(text, _GRAMMAR, "UTC")
        ours = trigger.upcoming(datetime(2026, 3, 1, 10, 17, 31, tzinfo=UTC), 50)
        assert [time.replace(tzinfo=None).isoformat() for time in ours[: len(theirs)]] == theirs, text


def test_another_zone_than_rq_schedulers_is_noticed(filled, plan):
    assert not [note for note in plan["cron"].notes if "none of its times" in note]
    elsewhere = read_rq_scheduler(filled[0], timezone="Asia/Tokyo")
    assert [note for note in elsewhere["cron"].notes if "none of its times in Asia/Tokyo" in note]


def test_it_is_applied_twice(plan, make_scheduler, tmp_path):
    from mainspring import SQLAlchemyJobStore

    scheduler = make_scheduler(jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")})
    scheduler.start(paused=True)
    plan = plan.without("of-instance")  # an object can't be kept as JSON
    plan.apply(scheduler)
    before = [(job.id, job.next_run_time) for job in scheduler.get_jobs()]
    plan.apply(scheduler, replace_existing=True)
    assert [(job.id, job.next_run_time) for job in scheduler.get_jobs()] == before


def test_what_is_no_redis_says_so():
    with pytest.raises(ReadingError, match="expected the URL of a Redis"):
        read_rq_scheduler("localhost")
    with pytest.raises(ReadingError, match="can't be read"):
        read_rq_scheduler("redis://:secret@127.0.0.1:1/0")
    with pytest.raises(TypeError, match="decode_responses"):
        read_rq_scheduler(redis.Redis(decode_responses=True))

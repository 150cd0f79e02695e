"""Jobs as rows and back; without a database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import SerializationError, TransientJobError
from mainspring.jobstores.contract import ALL_JOBS, JobQuery
from mainspring.jobstores.shared import rows
from mainspring.jobstores.shared.rows import COLUMNS, Unreadable
from mainspring.model import JobCounters
from mainspring.serializers.arguments import ArgumentSerializer
from mainspring.storable import LONGEST_KEY
from mainspring.testing.conformance import SECOND, START, record
from mainspring.triggers.after import WAITS, AfterJob
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.cron import CronTrigger

BERLIN = ZoneInfo("Europe/Berlin")
ARGUMENTS = ArgumentSerializer()


class Worker:
    def work(self):
        pass


def written(job, **options):
    return rows.writable(job, ARGUMENTS, **options)


def read(row, **options):
    return rows.read(tuple(row[name] for name in COLUMNS), ARGUMENTS, BERLIN, **options)


JOB = record("a", 5, every=60, tags=("blue", "red"), priority=3, executor="pool", max_runs=9)._replace(
    name="the name", args=(1, "two"), kwargs={"three": 3}, version=4, counters=JobCounters(2, 1, "a note")
)


def test_what_is_written():
    row = written(JOB)
    assert json.loads(row.pop("arguments"))
    assert json.loads(row.pop("options"))["max_runs"] == 9
    assert json.loads(row.pop("trigger"))["type"] == "interval"
    assert row == {
        "id": "a",
        "name": "the name",
        "func": "builtins:print",
        "trigger_text": str(JOB.trigger),
        "next_run_time": START + 5 * SECOND,
        "executor": "pool",
        "state": "scheduled",
        "tags": '["blue", "red"]',
        "priority": 3,
        "follows": None,
        "tally": '{"runs": 2, "failures": 1, "note": "a note"}',
        "version": 4,
    }


def test_what_is_not_there_is_not_written():
    row = written(record("a", paused=True))
    assert (row["state"], row["next_run_time"], row["tags"], row["tally"]) == ("paused", None, None, None)


def test_a_job_is_read_as_it_was_written():
    assert read(written(JOB)) == JOB
    assert written(read(written(JOB))) == written(JOB)
    paused = record("a", paused=True)
    assert read(written(paused)) == paused


class Doubling(BaseTrigger):
    """A program's own, which has no plain form."""

    def get_next_fire_time(self, previous_fire_time, now):
        return now


def test_a_trigger_without_a_plain_form_is_kept_where_pickles_are():
    arguments = ArgumentSerializer("pickle")
    row = rows.writable(JOB._replace(trigger=Doubling()), arguments)
    back = rows.read(tuple(row[name] for name in COLUMNS), arguments, BERLIN)
    assert isinstance(back.trigger, Doubling)
    assert back._replace(trigger=JOB.trigger) == JOB


def test_whom_a_job_follows_is_a_column():
    follower = record("b")._replace(trigger=AfterJob("a"), next_run_time=WAITS)
    assert written(follower)["follows"] == "a"
    assert read(written(follower)).trigger.job_id == "a"


def test_a_method_of_an_object_is_written_with_its_object_and_one_of_a_class_without():
    class Arguments:
        may_pickle = False

        def dumps(self, job_id, args, kwargs):
            return repr((job_id, args, kwargs))

    worker = Worker()
    job = record("a")._replace(func=worker.work, func_ref=f"{__name__}:Worker.work", args=(1,))
    assert rows.writable(job, Arguments())["arguments"] == repr(("a", (worker, 1), {}))
    of_class = job._replace(func=datetime.fromtimestamp)
    assert rows.writable(of_class, Arguments())["arguments"] == repr(("a", (1,), {}))


def test_a_function_may_have_a_reference_by_now():
    assert written(record("a")._replace(func_ref=None))["func"] == "builtins:print"
    with pytest.raises(TransientJobError, match=r"\(a\)"):
        written(record("a")._replace(func=lambda: None, func_ref=None))


def test_ids_and_names_that_are_too_long():
    longest = "i" * LONGEST_KEY
    assert written(record(longest))["id"] == longest
    with pytest.raises(ValueError, match="the id of a stored job may have 191 characters, got 192: 'iiii"):
        written(record(longest + "i"))
    assert written(record("a")._replace(name="n" * 1001))["name"] == "n" * 1000


@pytest.mark.parametrize("length", [0, 1000, 10_000])
def test_a_row_that_is_too_large_is_refused_and_one_that_is_not_is_not(length):
    job = record("a")._replace(args=("x" * length,))
    texts = [value for value in written(job).values() if isinstance(value, str)]
    size = sum(len(text.encode()) + text.count('"') + text.count("\\") for text in texts)
    assert written(job, row_limit=size) == written(job)
    largest = "arguments" if length else "trigger"
    with pytest.raises(SerializationError) as caught:
        written(job, row_limit=size - 1)
    sizes = {
        name: len(text) + text.count('"') for name, text in written(job).items() if isinstance(text, str)
    }
    assert str(caught.value) == (
        f"job 'a' is too large: its row takes {size:,} bytes, of them its {max(sizes, key=sizes.get)} {max(sizes.values()):,}, and this "
        f"database takes {size - 1:,} at a time. Keep the data elsewhere, and give the job what it is found by"
    )
    assert length == 0 or max(sizes, key=sizes.get) == largest


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id": "a\0"}, "the id"),
        ({"name": "n\udcff"}, "the name"),
        ({"executor": "e\0"}, "the executor"),
        ({"group": "g\udcff"}, "the group"),
        ({"tags": ("fine", "t\0")}, "a tag"),
    ],
)
def test_what_is_kept_as_plain_text_must_be_text(changes, what):
    fields = {name: value for name, value in changes.items() if name in {"id", "name"}}
    options = {name: value for name, value in changes.items() if name not in fields}
    job = record("a", **options)._replace(**fields)
    (value,) = changes.values()
    shown = value if isinstance(value, str) else value[-1]
    with pytest.raises(ValueError, match="characters that databases can't keep") as caught:
        rows.refuse_unstorable(job)
    assert str(caught.value).startswith(f"{what} of job {job.id!r} has characters")
    assert f": {shown!r}. Arguments" in str(caught.value)


@pytest.mark.parametrize("text", ["", "plain", "Käse", "日本", "\U0001f600", "a\nb"])
def test_other_text_is_kept(text):
    job = record(f"a{text}", tags=(text or "t",), group=text or None, executor=text or "e")._replace(
        name=text
    )
    rows.refuse_unstorable(job)
    assert read(written(job)) == job


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("trigger", "no json", "the trigger is no JSON: "),
        ("trigger", '{"type": "unheard of", "version": 1}', "unheard of"),
        ("options", "[]", "the options should be a dict: []"),
        ("options", "{", "its row can't be read"),
        ("tags", "no", "its row can't be read"),
        ("tally", '{"else": 1}', "else"),
        ("next_run_time", "no time", "no time"),
        ("arguments", "no", "its row can't be read"),
    ],
)
def test_a_damaged_row_says_what_could_be_read_of_it(column, value, words):
    found = read({**written(JOB), column: value})
    assert isinstance(found, Unreadable)
    assert found.reason.startswith("its row can't be read: ")
    assert isinstance(found.record.trigger, BaseTrigger)  # whoever lists it asks for one
    assert words in found.reason
    assert isinstance(found.error, Exception)
    known = (
        found.record.id,
        found.record.name,
        found.record.func_ref,
        found.record.func,
        found.record.version,
    )
    assert known == ("a", "the name", "builtins:print", None, 4)
    assert found.record.options.executor == "pool"
    assert found.record.next_run_time == (None if column == "next_run_time" else START + 5 * SECOND)
    assert (found.record.args, found.record.kwargs) == ((), {})


def test_a_function_that_is_not_here_is_none():
    assert read({**written(JOB), "func": "nowhere:work"}).func is None
    assert read({**written(JOB), "func": "nowhere:work"}).func_ref == "nowhere:work"


def test_functions_of_rows_that_are_read_together_are_looked_for_once():
    functions = {"builtins:print": len}
    assert read(written(JOB), functions=functions).func is len
    functions = {}
    assert read(written(JOB), functions=functions).func is print
    assert functions == {"builtins:print": print}


def test_a_job_is_due_in_the_zone_of_its_trigger_or_else_of_the_scheduler():
    cron = CronTrigger(hour=3, timezone="Asia/Tokyo")
    assert read(written(record("a")._replace(trigger=cron))).next_run_time.tzinfo.key == "Asia/Tokyo"
    assert read(written(record("a"))).next_run_time.tzinfo.utcoffset(None) == timedelta(0)
    follower = record("b")._replace(trigger=AfterJob("a"), next_run_time=START)
    assert read(written(follower)).next_run_time.tzinfo is BERLIN


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (START, "2026-01-01 00:00:00.000000"),
        (START + timedelta(microseconds=7), "2026-01-01 00:00:00.000007"),
        (START - timedelta(microseconds=1), "2025-12-31 23:59:59.999999"),
        (datetime(2026, 1, 1, 1, tzinfo=BERLIN), "2026-01-01 00:00:00.000000"),
        (datetime(1960, 5, 6, 7, 8, 9, 10, tzinfo=UTC), "1960-05-06 07:08:09.000010"),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "9999-12-31 23:59:59.999999"),
    ],
)
def test_times_are_texts_in_utc_and_read_as_they_were(moment, text):
    assert rows.time_text(moment) == text
    assert rows.time_text(moment, "T") == text.replace(" ", "T")
    assert rows.read_time(text) == rows.read_time(text.replace(" ", "T")) == moment
    assert rows.read_time(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "given",
    [
        START,
        START.replace(tzinfo=None),
        START.astimezone(BERLIN),
        "2026-01-01 00:00:00",
        "2026-01-01T01:00:00+01:00",
        "2026-01-01T00:00:00.000000+00:00",
        "2026-01-01T00:00:00Z",
    ],
)
def test_times_are_read_in_whatever_form_a_driver_gives_them(given):
    assert rows.read_time(given) == START
    assert rows.read_time(given).tzinfo is not None


def test_no_time_is_none():
    assert rows.read_time(None) is None


def test_jobs_are_listed_soonest_first_and_what_can_not_be_read_last():
    later = record("b", 10)
    early = record("c", 5)._replace(
        next_run_time=(START + 5 * SECOND).astimezone(timezone(timedelta(hours=9)))
    )
    same, paused, other = record("a", 10), record("e", paused=True), record("d", paused=True)
    damaged = Unreadable(record("x"), "no", ValueError())
    listed = rows.in_order([later, damaged, paused, early, other, same], ALL_JOBS)
    assert listed == [early, same, later, other, paused, damaged]
    assert rows.in_order([later, damaged, early], JobQuery(limit=1)) == [early, damaged]
    assert [rows.due_timestamp(one) for one in (early, paused)] == [START.timestamp() + 5, 0.0]


@pytest.mark.parametrize(
    ("changes", "equal"),
    [
        ({}, True),
        ({"name": "another"}, True),
        ({"args": (2, "two")}, False),
        ({"kwargs": {}}, False),
        ({"trigger": CronTrigger(hour=3, timezone="UTC")}, False),
    ],
)
def test_which_stored_job_is_equal_to_one_that_is_added(changes, equal):
    text = written(JOB)["arguments"]
    assert rows.is_equal(JOB._replace(**changes), JOB, text, ARGUMENTS) is equal
    assert not rows.is_equal(Unreadable(JOB, "no", ValueError()), JOB, text, ARGUMENTS)


def test_tags_alone_may_be_too_large():
    with pytest.raises(SerializationError, match="of them its tags"):
        written(record("a", tags=("x" * 100_000,)), row_limit=50_000)


def test_arguments_that_cannot_be_compared_are_said_to_be_the_jobs():
    with pytest.raises(SerializationError, match=f"of job {JOB.id!r} can't be written"):
        rows.is_equal(JOB._replace(kwargs={1: 2}), JOB, "", ARGUMENTS)


@pytest.mark.parametrize(
    ("job", "what"),
    [
        (record("a "), "the id of job 'a ' ends with a space"),
        (record("a", executor="pool "), "the executor of job 'a' ends with a space"),
        (record("a", group="g "), "the group of job 'a' ends with a space"),
        (
            record("a")._replace(trigger=AfterJob("b ")),
            "the job that is followed by that of job 'a' ends with a space",
        ),
    ],
    ids=["id", "executor", "group", "followed"],
)
def test_names_that_end_with_a_space_are_refused_by_what_they_name(job, what):
    with pytest.raises(
        ValueError, match=r"take '.* ' and '.*[a-z]' for the same: leave the space out"
    ) as raised:
        rows.refuse_padded(job)
    assert str(raised.value).startswith(what)

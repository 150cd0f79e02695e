"""Adding, changing and looking at jobs, before and after the start."""

import io
import os
import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import ConfigurationError, ConfigurationWarning, ConflictingIdError, JobLookupError
from mainspring.events import EVENT_JOB_EXECUTED, EVENT_JOB_MODIFIED
from mainspring.job import Job
from mainspring.testing import SettableClock
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)


def nothing():
    pass


def takes(one, *, two=2):
    return one, two


@pytest.fixture
def waiting(make_scheduler):
    """A scheduler that was started, and whose time stands still."""
    return make_scheduler(clock=SettableClock(START), start=True)


def test_a_job_has_the_attributes_it_was_given(waiting):
    trigger = IntervalTrigger(minutes=5)
    job = waiting.add_job(
        takes,
        trigger,
        args=[1],
        kwargs={"two": 3},
        id="i",
        name="n",
        misfire_grace_time=30,
        coalesce=False,
        max_instances=4,
        executor="default",
    )
    assert (job.id, job.name, job.func, job.args, job.kwargs) == ("i", "n", takes, (1,), {"two": 3})
    assert (job.misfire_grace_time, job.coalesce, job.max_instances, job.executor) == (
        30,
        False,
        4,
        "default",
    )
    assert job.next_run_time == START + timedelta(minutes=5)
    assert job.func_ref.endswith(":takes")
    assert not job.pending


def test_defaults(waiting):
    job = waiting.add_job(nothing, "interval", minutes=5)
    assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)
    assert job.name == "nothing"
    assert len(job.id) == 32
    assert (job.args, job.kwargs) == ((), {})


def test_a_job_without_trigger_runs_at_once(scheduler, heard):
    scheduler.start()
    job = scheduler.add_job(takes, args=[1])
    assert heard.wait_for(EVENT_JOB_EXECUTED, job.id)[0].retval == (1, 2)
    assert isinstance(job.trigger, DateTrigger)


@pytest.mark.parametrize(
    ("trigger", "arguments", "expected"),
    [
        ("date", {"run_date": "2026-05-01 10:00:00"}, datetime(2026, 5, 1, 10, tzinfo=UTC)),
        ("date", {"run_date": date(2026, 5, 1)}, datetime(2026, 5, 1, tzinfo=UTC)),
        ("interval", {"hours": 2}, START + timedelta(hours=2)),
        ("interval", {"hours": 2, "start_date": "2025-12-31 23:00:00"}, START + timedelta(hours=1)),
        ("cron", {"hour": 9}, datetime(2026, 1, 1, 9, tzinfo=UTC)),
        ("cron", {"day": "last"}, datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_triggers_by_name(waiting, trigger, arguments, expected):
    assert waiting.add_job(nothing, trigger, **arguments).next_run_time == expected


def test_a_trigger_without_zone_takes_the_schedulers(make_scheduler):
    scheduler = make_scheduler(clock=SettableClock(START), timezone="Asia/Shanghai", start=True)
    job = scheduler.add_job(nothing, CronTrigger(hour=0))
    assert job.next_run_time == datetime(2026, 1, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert str(job.trigger.timezone) == "Asia/Shanghai"


def test_text_references(scheduler, heard, tmp_path):
    scheduler.start()
    job = scheduler.add_job("os.path:join", args=["a", "b"])
    assert job.func is os.path.join
    assert heard.wait_for(EVENT_JOB_EXECUTED, job.id)[0].retval == os.path.join("a", "b")


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"func": 1}, TypeError, "callable or a text reference"),
        ({"func": "os.path"}, ValueError, "colon"),
        ({"func": "no_such_module:f"}, LookupError, "no_such_module"),
        ({"func": "os:no_such_thing"}, LookupError, "no_such_thing"),
        ({"func": takes}, ValueError, "missing: one"),
        ({"func": takes, "args": [1, 2]}, ValueError, "args has 2 values, at most 1"),
        ({"func": takes, "args": [1], "kwargs": {"one": 1}}, ValueError, "both in args and in kwargs: one"),
        ({"func": takes, "args": [1], "kwargs": {"three": 1}}, ValueError, "unknown in kwargs: three"),
        ({"func": nothing, "args": "text"}, TypeError, "not text"),
        ({"func": nothing, "kwargs": [1]}, TypeError, "mapping"),
        ({"func": nothing, "id": 5}, TypeError, "id must be text"),
        ({"func": nothing, "name": ""}, TypeError, "name must be text"),
        ({"func": nothing, "max_instances": 0}, TypeError, "max_instances"),
        ({"func": nothing, "max_instances": True}, TypeError, "max_instances"),
        ({"func": nothing, "misfire_grace_time": -1}, TypeError, "negative"),
        ({"func": nothing, "misfire_grace_time": "5"}, TypeError, "number of seconds or a timedelta"),
        ({"func": nothing, "trigger": 5}, TypeError, "trigger must be"),
        ({"func": nothing, "trigger": "crom"}, LookupError, "did you mean 'cron'"),
        ({"func": nothing, "trigger": "interval", "second": 5}, TypeError, "did you mean 'seconds'"),
        (
            {"func": nothing, "trigger": "interval", "seconds": 5, "max_instance": 2},
            TypeError,
            "'max_instances'",
        ),
        ({"func": nothing, "trigger": "interval"}, ValueError, "longer than zero"),
        (
            {"func": nothing, "trigger": "interval", "seconds": -5},
            ValueError,
            "longer than zero, got seconds=-5",
        ),
        (
            {"func": nothing, "trigger": "cron", "hour": "25"},
            ValueError,
            "higher than the field's highest value 23",
        ),
        ({"func": nothing, "next_run_time": 5}, TypeError, "next_run_time"),
        ({"func": nothing, "next_run_time": "soon"}, ValueError, "next_run_time"),
        ({"func": nothing, "jobstore": "defualt"}, KeyError, "did you mean 'default'"),
    ],
)
def test_values_that_cannot_be(waiting, values, error, words):
    with pytest.raises(error) as caught:
        waiting.add_job(**values)
    assert words in str(caught.value)
    assert waiting.get_jobs() == []


def test_a_misspelt_parameter_beside_a_trigger_object_is_reported(make_scheduler):
    scheduler = make_scheduler(clock=SettableClock(START), start=True)
    with pytest.warns(ConfigurationWarning, match="did you mean 'misfire_grace_time'"):
        scheduler.add_job(nothing, IntervalTrigger(hours=1), misfire_grace_tiem=3)
    strict = make_scheduler(clock=SettableClock(START), strict=True, start=True)
    with pytest.raises(ConfigurationError, match="did you mean 'misfire_grace_time'"):
        strict.add_job(nothing, IntervalTrigger(hours=1), misfire_grace_tiem=3)


@pytest.mark.parametrize("grace", [0, 0.5, 30, timedelta(minutes=2), None])
def test_grace_times_of_every_kind(waiting, grace):
    job = waiting.add_job(nothing, "interval", hours=1, misfire_grace_time=grace)
    expected = grace.total_seconds() if isinstance(grace, timedelta) else grace
    assert job.misfire_grace_time == expected


def test_an_id_is_taken_once(waiting):
    waiting.add_job(nothing, "interval", hours=1, id="a")
    with pytest.raises(ConflictingIdError) as caught:
        waiting.add_job(nothing, "interval", hours=1, id="a")
    assert isinstance(caught.value, KeyError)
    assert "replace_existing" in str(caught.value)


def test_replacing(waiting):
    waiting.add_job(takes, "interval", hours=1, id="a", args=[1])
    waiting.add_job(takes, "interval", minutes=1, id="a", args=[2], replace_existing=True)
    (job,) = waiting.get_jobs()
    assert job.args == (2,)
    assert job.next_run_time == START + timedelta(minutes=1)


def test_pausing_and_resuming(waiting):
    job = waiting.add_job(nothing, "interval", hours=1, id="a")
    job.pause()
    assert job.next_run_time is None
    assert waiting.get_job("a").next_run_time is None
    assert "paused" in str(job)
    waiting._clock.set_wall(START + timedelta(hours=5, minutes=30))
    waiting.resume_job("a")
    assert job.next_run_time == START + timedelta(hours=6)


def test_resuming_a_job_whose_trigger_has_ended_removes_it(waiting):
    waiting.add_job(nothing, "interval", hours=1, end_date=START + timedelta(hours=2), id="a")
    waiting.pause_job("a")
    waiting._clock.set_wall(START + timedelta(hours=5))
    assert waiting.resume_job("a") is None
    assert waiting.get_job("a") is None


def test_adding_paused(waiting):
    job = waiting.add_job(nothing, "interval", hours=1, next_run_time=None)
    assert job.next_run_time is None
    job.resume()
    assert job.next_run_time == START + timedelta(hours=1)


def test_modifying(waiting, heard):
    waiting.add_listener(heard)
    job = waiting.add_job(takes, "interval", hours=1, args=[1], id="a")
    same = job.modify(name="new", args=[7], max_instances=9, misfire_grace_time=2.5)
    assert same is job
    assert (job.name, job.args, job.max_instances, job.misfire_grace_time) == ("new", (7,), 9, 2.5)
    assert heard.wait_for(EVENT_JOB_MODIFIED, "a")
    job.modify(next_run_time="2026-03-01 12:00:00")
    assert job.next_run_time == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"id": "b"}, ValueError, "may not be changed"),
        ({"nme": "b"}, AttributeError, "did you mean 'name'"),
        ({"args": [1, 2, 3]}, ValueError, "at most 1"),
        ({"max_instances": "x"}, TypeError, "max_instances"),
        ({"trigger": "cron"}, TypeError, "trigger must be a trigger object"),
    ],
)
def test_changes_that_cannot_be(waiting, changes, error, words):
    job = waiting.add_job(takes, "interval", hours=1, args=[1], id="a")
    with pytest.raises(error, match=words):
        job.modify(**changes)
    assert (job.name, job.args) == ("takes", (1,))


def test_a_rescheduled_job_has_the_new_triggers_time(waiting):
    job = waiting.add_job(nothing, "interval", hours=1)
    job.reschedule("cron", hour=15)
    assert job.next_run_time == datetime(2026, 1, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize("method", ["remove_job", "pause_job", "resume_job", "reschedule_job", "modify_job"])
@pytest.mark.parametrize("started", [True, False])
def test_jobs_that_do_not_exist(make_scheduler, method, started):
    scheduler = make_scheduler(start=started)
    with pytest.raises(JobLookupError) as caught:
        getattr(scheduler, method)("nobody")
    assert isinstance(caught.value, KeyError)
    assert "nobody" in str(caught.value)
    assert scheduler.get_job("nobody") is None


def test_removing(waiting):
    job = waiting.add_job(nothing, "interval", hours=1, id="a")
    job.remove()
    assert waiting.get_jobs() == []
    with pytest.raises(JobLookupError):
        job.remove()


def test_removing_all_of_one_store(waiting):
    waiting.add_jobstore("memory", "second")
    waiting.add_job(nothing, "interval", hours=1)
    waiting.add_job(nothing, "interval", hours=1, jobstore="second", id="kept")
    waiting.remove_all_jobs("default")
    assert [job.id for job in waiting.get_jobs()] == ["kept"]
    assert [job.id for job in waiting.get_jobs("second")] == ["kept"]
    waiting.remove_all_jobs()
    assert waiting.get_jobs() == []


def test_pending_jobs_can_be_changed_like_others(scheduler):
    job = scheduler.add_job(takes, "interval", hours=1, args=[1], id="a")
    job.modify(args=[2])
    scheduler.reschedule_job("a", trigger="interval", minutes=1)
    assert scheduler.get_job("a").args == (2,)
    assert job.pending
    assert "next run at" in str(job)
    job.pause()
    scheduler.start(paused=True)
    assert job.next_run_time is None
    assert job.trigger.interval == timedelta(minutes=1)


def test_pending_jobs_are_found_by_what_they_will_be(scheduler):
    scheduler.add_job(nothing, "interval", hours=1, id="scheduled")
    scheduler.add_job(nothing, "interval", hours=1, id="added paused", next_run_time=None)
    scheduler.add_job(nothing, "interval", hours=1, id="paused").pause()
    resumed = scheduler.add_job(nothing, "interval", hours=1, id="resumed", next_run_time=None)
    resumed.resume()

    def found(state):
        return {job.id for job in scheduler.get_jobs(state=state)}

    for _ in ("pending", "stored"):
        assert found("paused") == {"added paused", "paused"}
        assert found("scheduled") == {"scheduled", "resumed"}
        if not scheduler.running:
            scheduler.start(paused=True)


def test_a_pending_job_that_was_paused_and_resumed_runs(scheduler, heard):
    job = scheduler.add_job(nothing, id="a")
    job.pause()
    job.resume()
    scheduler.start()
    assert heard.wait_for(EVENT_JOB_EXECUTED, "a")


def test_jobs_come_soonest_first_and_paused_last(waiting):
    waiting.add_job(nothing, "interval", hours=3, id="c")
    waiting.add_job(nothing, "interval", hours=1, id="a", next_run_time=None)
    waiting.add_job(nothing, "interval", hours=2, id="b")
    assert [job.id for job in waiting.get_jobs()] == ["b", "c", "a"]


def test_the_decorator_returns_the_function(scheduler, heard):
    done = threading.Event()

    @scheduler.scheduled_job("interval", hours=1, id="a", next_run_time=datetime.now(UTC))
    def job():
        done.set()

    scheduler.start()
    assert done.wait(30)
    assert callable(job)
    assert scheduler.get_job("a").func is job


def test_many_at_once(waiting):
    jobs = waiting.add_jobs(
        [
            {"func": takes, "args": [n], "trigger": "interval", "minutes": n + 1, "id": str(n)}
            for n in range(100)
        ]
    )
    assert [job.id for job in jobs] == [str(n) for n in range(100)]
    assert waiting.get_job("41").next_run_time == START + timedelta(minutes=42)


@pytest.mark.parametrize("started", [True, False])
def test_many_at_once_are_all_added_or_none(make_scheduler, started):
    scheduler = make_scheduler(start=started)
    scheduler.add_job(nothing, "interval", hours=1, id="taken")
    with pytest.raises(ConflictingIdError):
        scheduler.add_jobs(
            [{"func": nothing, "trigger": "interval", "hours": 1, "id": i} for i in ("new", "taken")]
        )
    with pytest.raises(ConflictingIdError):
        scheduler.add_jobs([{"func": nothing, "trigger": "interval", "hours": 1, "id": "twice"}] * 2)
    with pytest.raises(ValueError, match="needs a 'func'"):
        scheduler.add_jobs([{"func": nothing, "id": "new"}, {"id": "other"}])
    assert [job.id for job in scheduler.get_jobs()] == ["taken"]


def test_a_job_shows_itself(waiting):
    job = waiting.add_job(nothing, "interval", hours=1, id="a", name="n")
    assert str(job) == "n (trigger: interval[1:00:00], next run at: 2026-01-01 01:00:00 UTC)"
    assert repr(job) == "<Job (id=a name=n)>"


def test_printing(waiting, capsys):
    waiting.print_jobs()
    assert capsys.readouterr().out == "Jobstore default:\n    No scheduled jobs\n"
    waiting.add_job(nothing, "interval", hours=1, name="n")
    waiting.add_job(nothing, "interval", hours=1, name="p", next_run_time=None)
    waiting.print_jobs(out=(out := io.StringIO()))
    assert out.getvalue() == (
        "Jobstore default:\n"
        "    n (trigger: interval[1:00:00], next run at: 2026-01-01 01:00:00 UTC)\n"
        "    p (trigger: interval[1:00:00], paused)\n"
    )


def test_printing_before_the_start(scheduler, capsys):
    scheduler.print_jobs()
    scheduler.add_job(nothing, "interval", hours=1, name="n")
    scheduler.print_jobs()
    assert capsys.readouterr().out == (
        "Pending jobs:\n    No pending jobs\nPending jobs:\n    n (trigger: interval[1:00:00], pending)\n"
    )


def test_handles_on_one_job_are_equal(waiting):
    job = waiting.add_job(nothing, "interval", hours=1, id="a")
    assert job == waiting.get_job("a")
    assert job != waiting.add_job(nothing, "interval", hours=1, id="b")
    assert len({job, waiting.get_job("a")}) == 1


def test_a_handle_shows_the_job_as_it_is_now(make_scheduler):
    clock = SettableClock(START)
    scheduler = make_scheduler(clock=clock, start=True)
    ran = threading.Semaphore(0)
    job = scheduler.add_job(ran.release, "interval", seconds=10)
    clock.advance(10)
    assert ran.acquire(timeout=30)
    assert job.next_run_time == START + timedelta(seconds=20)


def test_a_state_can_be_given_and_taken(waiting):
    job = waiting.add_job("os.path:join", "interval", hours=1, args=["a", "b"], id="a", misfire_grace_time=7)
    state = job.__getstate__()
    assert state["version"] == 1
    assert set(state) == {
        "version",
        "id",
        "func",
        "trigger",
        "executor",
        "args",
        "kwargs",
        "name",
        "misfire_grace_time",
        "coalesce",
        "max_instances",
        "next_run_time",
    }
    copy = Job.__new__(Job)
    copy.__setstate__(state)
    assert copy == job
    assert (copy.args, copy.func, copy.misfire_grace_time, copy.next_run_time) == (
        ("a", "b"),
        os.path.join,
        7,
        job.next_run_time,
    )
    with pytest.raises(ValueError, match="newer release"):
        copy.__setstate__({**state, "version": 2})


def test_a_lambda_cannot_be_stored_elsewhere_and_says_so(waiting):
    job = waiting.add_job(lambda: None, "interval", hours=1)
    with pytest.raises(ValueError, match="defined at module level"):
        job.__getstate__()


@pytest.mark.parametrize("file", ["path", "stream"])
def test_exporting_and_importing(make_scheduler, tmp_path, file):
    source = make_scheduler(clock=SettableClock(START), start=True)
    source.add_job("os.path:join", "interval", hours=1, args=["a", ("b",)], id="a", jitter=3)
    source.add_job("os.path:join", "cron", hour="1-5/2", day="last", id="b", args=["x"], next_run_time=None)
    source.add_job("os.path:join", "date", run_date="2027-01-01", id="c", args=[b"x"], max_instances=3)
    path = tmp_path / "jobs.json"
    source.export_jobs(path)
    target = make_scheduler(clock=SettableClock(START), start=True)
    if file == "path":
        target.import_jobs(path)
    else:
        with path.open() as stream:
            target.import_jobs(stream)
    for job in source.get_jobs():
        copy = target.get_job(job.id)
        assert copy.__getstate__().keys() == job.__getstate__().keys()
        assert (copy.args, copy.next_run_time, str(copy.trigger)) == (
            job.args,
            job.next_run_time,
            str(job.trigger),
        )
        assert copy.modify(name="x").name == "x"
    with pytest.raises(ConflictingIdError):
        target.import_jobs(path)
    assert len(target.import_jobs(path, replace_existing=True)) == 3


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 2, "jobs": []}', '{"version": 1, "jobs": [{"id": "a"}]}']
)
def test_importing_something_else(waiting, text):
    from mainspring.errors import SerializationError

    with pytest.raises(SerializationError):
        waiting.import_jobs(io.StringIO(text))
    assert waiting.get_jobs() == []


def test_a_scheduler_cannot_be_pickled(scheduler):
    import pickle

    with pytest.raises(TypeError, match="cannot be serialized"):
        pickle.dumps(scheduler)


def test_an_id_that_databases_cant_keep_is_refused(make_scheduler):
    with pytest.raises(ValueError, match="id can't have NUL characters, which databases can't keep, got 'a"):
        make_scheduler().add_job(print, id="a\0b")


def _takes_one(value): ...


def _takes_up_to_two(first=1, second=2): ...


def test_each_of_many_jobs_is_checked_though_their_function_is_looked_up_once(make_scheduler):
    scheduler = make_scheduler(start=True)
    given = [
        {"func": func, "args": args, "trigger": "interval", "hours": 1}
        for func in (_takes_one, _takes_up_to_two, _takes_one)
        for args in ([1], (2,))
    ]
    jobs = scheduler.add_jobs(given)
    assert [job.func for job in jobs] == [one["func"] for one in given]
    assert [job.name for job in jobs] == [one["func"].__name__ for one in given]
    several = [
        {"func": _takes_up_to_two, "args": range(count), "trigger": "interval", "hours": 1}
        for count in range(3)
    ]
    assert [job.args for job in scheduler.add_jobs(several)] == [(), (0,), (0, 1)]
    for bad in (
        {"args": [1, 2]},
        {"args": []},
        {"args": [1], "kwargs": {"value": 1}},
        {"kwargs": {"other": 1}},
    ):
        with pytest.raises(ValueError, match="can't be called"):
            scheduler.add_jobs(
                [{"func": _takes_one, "args": [1], "id": "not there"}, {"func": _takes_one, **bad}]
            )
    assert scheduler.get_job("not there") is None

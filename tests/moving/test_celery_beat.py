"""Celery beat's entries, and django-celery-beat's tables, as the libraries themselves have made them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine

from mainspring import CalendarIntervalTrigger, CronTrigger, SunTrigger
from mainspring.errors import ReadingError
from mainspring.moving import read_celery_beat, read_django_celery_beat

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.one_python
@pytest.mark.timeout(180)
def test_times_and_calls_are_those_of_celery_itself(run_beside):
    found = json.loads(run_beside("celery", "celery_program.py", "100"))
    assert found["crontab"] == []
    assert found["interval"] == []
    assert found["solar"] == []
    assert found["calls"] == ["add 3", "named named x", "sent True", "sent True"]


@pytest.fixture(scope="module")
def django_file(tmp_path_factory):
    return tmp_path_factory.mktemp("django") / "db.sqlite"


@pytest.fixture
def django_url(django_file, run_beside):
    if not django_file.exists():
        run_beside("celery", "django_program.py", str(django_file))
    return f"sqlite:///{django_file}"


@pytest.mark.one_python
@pytest.mark.timeout(180)
@pytest.mark.xdist_group("django_celery_beat")
class TestDjangoCeleryBeat:
    def test_tasks_of_every_kind_are_read(self, django_url):
        plan = read_django_celery_beat(django_url, now=NOW)
        assert [job.id for job in plan.jobs] == [
            "interval",
            "phase",
            "crontab",
            "solar",
            "clocked",
            "disabled",
            "one-off",
            "expires",
        ]
        assert [one.text for one in plan.left_out] == ["nameless (send-mail)"]
        interval = plan["interval"]
        assert (interval.func, interval.args, interval.kwargs) == ("app.tasks:poll", (1, 2), {"x": "y"})
        assert interval.options["misfire_grace_time"] == 5
        assert "queue='slow'" in interval.notes[0]
        assert plan["phase"].next_run_time(NOW) == NOW + timedelta(days=2) - timedelta(hours=7)
        assert str(plan["crontab"].next_run_time(NOW)) == "2026-03-02 09:30:00+01:00"
        assert plan["crontab"].options["metadata"] == {"description": "what for"}
        assert isinstance(plan["solar"].trigger, SunTrigger)
        assert plan["clocked"].next_run_time(NOW) == NOW + timedelta(days=30)
        assert plan["disabled"].is_paused
        assert plan["one-off"].next_run_time(NOW) == NOW + timedelta(days=1)
        assert plan["one-off"].options["max_runs"] == 1
        assert (
            len(plan["expires"].trigger.upcoming(NOW, 100)) == 10
        )  # the first to seventh, from Monday to Friday, until 10 April

    def test_a_connection_and_an_engine_are_read_too(self, django_url):
        engine = create_engine(django_url)
        with engine.connect() as connection:
            assert read_django_celery_beat(connection, now=NOW) == read_django_celery_beat(engine, now=NOW)
        engine.dispose()

    def test_tasks_are_sent_with_their_options(self, django_url):
        plan = read_django_celery_beat(django_url, send="app:app.send_task", now=NOW)
        assert not plan.left_out
        assert plan["interval"].func == "app:app.send_task"
        assert plan["interval"].args == ("app.tasks.poll",)
        assert plan["interval"].kwargs == {
            "args": [1, 2],
            "kwargs": {"x": "y"},
            "queue": "slow",
            "expires": 5,
        }
        assert plan["expires"].kwargs["priority"] == 3

    def test_it_goes_into_a_durable_store_twice(self, django_url, make_scheduler, tmp_path):
        from mainspring import SQLAlchemyJobStore

        scheduler = make_scheduler(
            jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")}
        )
        scheduler.start(paused=True)
        send = f"{sender.__module__}:sender"
        read_django_celery_beat(django_url, send=sender, now=NOW).apply(scheduler)
        before = [(job.id, job.next_run_time, job.kwargs) for job in scheduler.get_jobs()]
        read_django_celery_beat(django_url, send=send, now=NOW).apply(scheduler, replace_existing=True)
        assert [(job.id, job.next_run_time, job.kwargs) for job in scheduler.get_jobs()] == before
        assert len(before) == 9


def sender(task, **message):
    return task, message


def test_a_database_without_the_tables_says_so(tmp_path):
    with pytest.raises(ReadingError, match="django_celery_beat_periodictask"):
        read_django_celery_beat(f"sqlite:///{tmp_path}/empty.sqlite")
    with pytest.raises(ReadingError, match="can't be read"):
        read_django_celery_beat(f"sqlite:///{tmp_path}/nowhere/empty.sqlite")


def crontab(minute="*", hour="*", day_of_week="*", day_of_month="*", month_of_year="*", zone=None):
    """As Celery's, by its attributes."""
    fields = {
        "minute": minute,
        "hour": hour,
        "day_of_week": day_of_week,
        "day_of_month": day_of_month,
        "month_of_year": month_of_year,
    }
    originals = {f"_orig_{name}": value for name, value in fields.items()}
    return SimpleNamespace(
        **fields, **originals, _app=None if zone is None else SimpleNamespace(timezone=zone), is_due=None
    )


def entry(schedule, task="app.tasks.work", **more):
    return {"task": task, "schedule": schedule, **more}


def test_without_a_zone_it_is_utc_and_says_so():
    plan = read_celery_beat({"a": entry(crontab("0", "9"))}, now=NOW.astimezone())
    assert plan["a"].next_run_time(NOW) == NOW + timedelta(hours=9)
    assert "UTC" in plan.notes[0]
    assert not read_celery_beat({"a": entry(5)}, timezone="Asia/Tokyo", now=NOW).notes


def test_a_schedule_has_the_zone_of_its_app():
    plan = read_celery_beat({"a": entry(crontab("0", "9", zone="Asia/Tokyo"))}, now=NOW)
    assert str(plan["a"].trigger.timezone) == "Asia/Tokyo"
    assert not plan.notes


def test_a_whole_configuration_is_read():
    settings = {
        "CELERY_BEAT_SCHEDULE": {"a": entry(crontab("0", "9"))},
        "CELERY_TIMEZONE": "Asia/Tokyo",
        "DEBUG": True,
    }
    assert str(read_celery_beat(settings, now=NOW)["a"].trigger.timezone) == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("every", "kind", "count"),
    [
        (timedelta(days=1), CalendarIntervalTrigger, 0),
        (timedelta(hours=6), CronTrigger, 1),
        (timedelta(minutes=90), CronTrigger, 1),
    ],
)
def test_relative_intervals_are_on_the_clock(every, kind, count):
    job = read_celery_beat({"a": entry(every, relative=True)}, now=NOW)["a"]
    assert isinstance(job.trigger, kind)
    assert len(job.notes) == count
    times = job.trigger.upcoming(datetime(2026, 3, 1, 10, 17, tzinfo=UTC), 2)
    assert all(time.minute == 0 for time in times)


def test_options_that_need_a_broker_are_named_and_others_kept():
    job = read_celery_beat({"a": entry(5, options={"queue": "q", "expires": 20, "time_limit": 9})}, now=NOW)[
        "a"
    ]
    assert job.options["misfire_grace_time"] == 20
    assert job.options["timeout"] == 9
    assert "queue='q'" in job.notes[0]
    assert "expires" not in job.notes[0]


def test_tasks_that_are_not_functions_by_their_names():
    entries = {"a": entry(5, "mail"), "b": entry(5, "celery.backend_cleanup")}
    assert [one.text for one in read_celery_beat(entries, now=NOW).left_out] == [
        "a (mail)",
        "b (celery.backend_cleanup)",
    ]
    assert read_celery_beat(entries, tasks={"mail": "app:mail"}, now=NOW)["a"].func == "app:mail"
    assert read_celery_beat(entries, tasks=lambda name: f"x:{name[0]}", now=NOW)["b"].func == "x:c"
    assert not read_celery_beat(entries, send="app:app.send_task", now=NOW).left_out


def test_schedules_of_somebodys_own_are_left_out():
    plan = read_celery_beat({"a": entry(SimpleNamespace(is_due=None)), "b": entry(5)}, now=NOW)
    assert [job.id for job in plan.jobs] == ["b"]
    assert "one of Celery's schedules" in plan.left_out[0].reason


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"a": 5}, "entry 'a': expected a dictionary with 'task' and 'schedule', got int 5"),
        ({"a": {"task": "x.y"}}, "'schedule' is missing"),
        ({"a": {"tsk": "x.y", "schedule": 5}}, "got 'tsk'; did you mean 'task'"),
        ({"a": entry("5")}, "got str '5'"),
        ({"a": entry(0)}, "the interval must be longer than zero"),
        ({"a": entry(crontab("61"))}, "61 is higher than"),
        ({"a": entry(crontab("0", "9", "7"))}, "7"),
        ({"a": entry(5, args="x")}, "expected args to be a list"),
        ({"a": entry(5, kwargs=[1])}, "expected kwargs to be a dictionary"),
        ({"a": entry(SimpleNamespace(event="moonrise", lat=1, lon=1))}, "got 'moonrise'"),
    ],
)
def test_what_cannot_be_read_says_which_entry_and_why(entries, words):
    with pytest.raises(ReadingError, match="entry 'a'") as refused:
        read_celery_beat(entries)
    assert words in str(refused.value)


def test_a_schedule_with_code_of_its_own_is_left_out_although_it_looks_like_an_interval():
    class Moody:
        run_every = timedelta(minutes=5)

        def is_due(self, last_run_at):
            """Says something else."""

    plan = read_celery_beat({"e": {"task": "app.tasks.work", "schedule": Moody()}}, now=NOW)
    assert not plan.jobs
    assert "Moody" in plan.left_out[0].reason


def test_what_has_no_effect_of_a_task_and_its_schedule_is_noted():
    schedule = SimpleNamespace(run_every=timedelta(minutes=5), nowfun=datetime.now)
    options = {"time_limit": 5, "soft_time_limit": 3}
    (job,) = read_celery_beat(
        {"e": {"task": "app.tasks.work", "schedule": schedule, "options": options}}, now=NOW
    ).jobs
    assert [word for word in ("nowfun", "soft_time_limit") if word in " ".join(job.notes)] == [
        "nowfun",
        "soft_time_limit",
    ]

"""`Admin` on every kind of shared store, beside a node that runs its jobs."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, update

from mainspring.admin import Admin
from mainspring.admin.diagnosis import diagnose
from mainspring.errors import ConfigurationError, JobLookupError, RunLookupError, StoreUnavailableError
from mainspring.jobstores.by_url import store_for
from servers import free_port
from stores import open_store
from waiting import wait_for


@pytest.fixture
def place(store_url, tablename):
    return lambda **options: open_store(store_url, tablename, **options)


@pytest.fixture
def node(place, make_scheduler):
    return make_scheduler(jobstores={"default": place()}, start=True)


@pytest.fixture
def admin(node, place):
    with Admin(place()) as admin:
        yield admin


def test_a_store_that_nobody_has_made_is_refused_and_nothing_is_made_in_it(place):
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="holds no jobs to look at"):
            Admin(place())


def test_it_is_no_node(admin, node):
    assert [(one.name, one.state) for one in admin.nodes()] == [
        (node._stores["default"]._node_context.node_name, "alive")
    ]
    (only,) = admin.nodes(all_of_them=True)
    assert only.executors == ("default",)
    assert only.pid > 0
    assert timedelta(0) <= only.silent_for < only.lease == timedelta(seconds=30)


def test_jobs_are_listed_by_pages_and_found(admin, node):
    for number in range(5):
        node.add_job(
            "time:time", "interval", hours=number + 1, id=f"job {number}", tags=["odd"] if number % 2 else []
        )
    node.add_job("time:sleep", "cron", hour=3, id="paused", args=[1], kwargs={}, next_run_time=None)
    first = admin.jobs(limit=4)
    second = admin.jobs(limit=4, after=first.cursor)
    assert [job.id for job in (*first.items, *second.items)] == [
        "job 0",
        "job 1",
        "job 2",
        "job 3",
        "job 4",
        "paused",
    ]
    assert (first.cursor, second.cursor) == ("job 3", None)
    node.modify_job("job 2", group="api")
    assert [job.id for job in admin.jobs(group="api").items] == ["job 2"]
    node.sync([{"id": "owned", "func": "time:time", "trigger": "interval", "days": 9}], owner="billing")
    assert [job.id for job in admin.jobs(owner="billing", state="scheduled").items] == ["owned"]
    assert admin.jobs(owner="billing", group="api").items == ()
    node.remove_job("owned")
    assert [job.id for job in admin.jobs(tag="odd").items] == ["job 1", "job 3"]
    assert [job.id for job in admin.jobs(state="paused").items] == ["paused"]
    shown = admin.job("paused")
    assert (shown.state, shown.function, shown.schedule, shown.arguments) == (
        "paused",
        "time:sleep",
        "at 03:00 every day, UTC",
        "1",
    )
    json.dumps(shown.to_dict())
    with pytest.raises(JobLookupError, match="did you mean 'paused'"):
        admin.job("pausd")


def test_the_switches_are_found_by_the_node(admin, node):
    node.add_job("time:time", "interval", hours=1, id="hourly")
    assert admin.pause_job("hourly", note="while the printer is broken").note == "while the printer is broken"
    assert node.get_job("hourly").next_run_time is None
    resumed = admin.resume_job("hourly")
    assert node.get_job("hourly").next_run_time == resumed.next_run_time
    run = admin.run_job("hourly", timeout=30)
    assert (run.state, run.cause, run.job_id) == ("succeeded", "manual", "hourly")
    assert admin.run(run.id).to_dict() == run.to_dict()
    assert [one.id for one in admin.runs("hourly")] == [run.id]
    admin.remove_job("hourly")
    assert node.get_job("hourly") is None
    with pytest.raises(JobLookupError):
        admin.remove_job("hourly")


def test_a_run_is_cancelled_where_it_goes_on(admin, node):
    node.add_job(sleeps, "interval", hours=1, id="long")
    asked = admin.run_job("long")
    wait_for(lambda: admin.run(asked.id).state == "running")
    # Stores are told when it began together with its end; for whoever looks it has run since its claim.
    going_on = admin.run(asked.id)
    assert going_on.started is None
    assert timedelta(0) <= going_on.duration < timedelta(minutes=5)
    assert timedelta(0) <= going_on.lateness < timedelta(minutes=5)
    admin.cancel_run(asked.id)
    ended = wait_for(lambda: (run := admin.run(asked.id)).finished and run)
    assert ended.state == "cancelled"
    with pytest.raises(RunLookupError, match="has ended"):
        admin.cancel_run(asked.id)


def sleeps():
    from mainspring import current_run

    current_run().cancelled.wait(30)


def test_what_will_be_due_comes_in_the_order_of_time(admin, node):
    node.add_job("time:time", "interval", minutes=7, id="seven")
    node.add_job("time:time", "interval", minutes=10, id="ten")
    node.add_job("time:time", "interval", minutes=1, id="paused", next_run_time=None)
    now = admin.now()
    times = list(admin.due_times(now, now + timedelta(minutes=22)))
    assert [due.job_id for due in times] == ["seven", "ten", "seven", "ten", "seven"]
    assert [due.time for due in times] == sorted(due.time for due in times)
    assert times[0].time == node.get_job("seven").next_run_time
    assert [due.job_id for due in admin.due_times(now, now + timedelta(minutes=22), job_id="ten")] == [
        "ten"
    ] * 2


def test_a_job_that_no_node_can_run_is_overdue_and_the_doctor_says_why(admin, node):
    node.add_job("time:time", "interval", hours=1, id="elsewhere", executor="gpu")
    assert diagnose(admin) == []
    due = admin.now() - timedelta(minutes=1)
    node.modify_job("elsewhere", next_run_time=due)
    assert [job.id for job in admin.overdue()] == ["elsewhere"]
    (finding,) = diagnose(admin)
    assert finding.message.startswith("elsewhere has been due since")
    assert "'gpu'" in finding.advice


def test_no_node_at_work_is_found(place, make_scheduler):
    scheduler = make_scheduler(jobstores={"default": place()}, start=True)
    scheduler.shutdown()
    with Admin(place()) as admin:
        assert admin.nodes() == []
        assert [one.state for one in admin.nodes(all_of_them=True)] == ["stopped"]
        assert [one.about for one in diagnose(admin)] == ["nodes"]


def test_groups_are_shown(admin, node):
    node.set_group("api", limit=2, rate=10, per=60)
    assert [one.to_dict() for one in admin.groups()] == [{"name": "api", "limit": 2, "rate": 10, "per": 60.0}]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:hush@127.0.0.1:{}/d",
        "redis://:hush@127.0.0.1:{}",
        "mongodb://u:hush@127.0.0.1:{}/d",
    ],
)
def test_a_server_that_is_away_is_said_without_its_password(url, monkeypatch):
    monkeypatch.setattr("mainspring.schedulers.attached.ATTACH_TIMEOUT_SECONDS", 0.5)
    with pytest.raises(StoreUnavailableError, match="can't be used") as caught:
        Admin(url.format(free_port()))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("jobs.txt", "neither the URL of a database"),
        ("", "neither the URL of a database"),
        ("postgress://h/d", "postgress"),
        ("mongodb://", "no URL of MongoDB"),
        ("sqlite:////nowhere/at/all.sqlite", "there is no file"),
    ],
)
def test_what_is_no_store_is_refused_in_a_sentence(url, words):
    with pytest.raises(ConfigurationError, match=words):
        Admin(url)


def test_a_file_of_sqlite_is_named_by_its_path(tmp_path, make_scheduler):
    path = tmp_path / "jobs.db"
    make_scheduler(jobstores={"default": store_for(str(path))}, start=True).add_job(
        "time:time", "interval", hours=1, id="a"
    )
    with Admin(str(path)) as admin:
        assert [job.id for job in admin.jobs().items] == ["a"]


def test_a_job_that_cannot_be_read_here_is_shown_with_the_reason(tmp_path, make_scheduler):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    node = make_scheduler(jobstores={"default": store_for(url)}, start=True)
    node.add_job("time:time", "interval", hours=1, id="spoiled")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            update(node._jobstores["default"].jobs_t).values(arguments='{"args": [{"$": "nothing"}]')
        )
    engine.dispose()
    with Admin(url) as admin:
        assert admin.job("spoiled").state == "unreadable"
        assert [job.id for job in admin.unreadable()] == ["spoiled"]
        assert "can't be read" in diagnose(admin)[0].message

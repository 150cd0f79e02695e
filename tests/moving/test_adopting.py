"""Jobs that APScheduler's own releases have stored come along."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytz
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

sys.path.insert(0, str(Path(__file__).parent))
import old_jobs

import mainspring
from mainspring import BackgroundScheduler, MemoryJobStore, SQLAlchemyJobStore
from mainspring.errors import ConfigurationError, StoreNotOpenError

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180)]

#: The last is 3.5.1 on Python 2.
RELEASES = ("3.5.1", "3.6.3", "3.10.4", "3.11.3", "2.7")
OVERDUE = {"overdue"}
UNREADABLE = {"gone"}
#: What pytz and dateutil have pickled calls something of theirs to be read.
CALLED = {"zone", "dateutil"}
HERE = Path(__file__).parent
PATHS = f"{HERE}:{Path(mainspring.__path__[0]).parent}"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/jobs.sqlite"


@pytest.fixture
def start(url, make_scheduler):
    """Starts a scheduler on the database, which runs nothing."""

    def begin(at=url, **options):
        scheduler = make_scheduler(
            jobstores={"default": SQLAlchemyJobStore(at, **options)}, timezone="Europe/Berlin"
        )
        scheduler.start(paused=True)
        return scheduler

    return begin


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO)
    return lambda words: [record.getMessage() for record in caplog.records if words in record.getMessage()]


def old_rows(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT id, next_run_time, job_state FROM apscheduler_jobs ORDER BY id")
        ).all()
    engine.dispose()
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("release", RELEASES)
def test_each_job_is_what_it_was(write_old_jobs, url, start, release):
    moments = write_old_jobs(release, url)
    before = old_rows(url)
    scheduler = start(adopt="always", serializer="pickle")
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert jobs.keys() == moments.keys() - UNREADABLE
    for job_id, job in jobs.items():
        expected = None if job_id in OVERDUE else moments[job_id]
        assert (None if job.next_run_time is None else job.next_run_time.timestamp()) == expected, job_id
    assert (jobs["interval"].args, jobs["interval"].kwargs) == ((1, "plain", "zwei \u00e4"), {"three": [3]})
    assert jobs["interval"].func is old_jobs.note
    assert jobs["interval"].misfire_grace_time is None  # not the second that nobody has asked for
    options = jobs["options"]
    assert (options.misfire_grace_time, options.coalesce, options.max_instances, options.name) == (
        60,
        False,
        4,
        "a name",
    )
    assert jobs["classmethod"].func() == "Clerk"
    if release not in ("3.5.1", "2.7"):  # which has kept the function without its object
        assert jobs["method"].func(*jobs["method"].args) == "signed"
    assert jobs["value"].args[0].number == 7
    zone, moment = jobs["zone"].args
    assert zone == pytz.timezone("Europe/Berlin")
    assert moment == datetime(2030, 7, 1, 10, tzinfo=UTC)
    assert (jobs["zw\u00f6lf"].name, jobs["zw\u00f6lf"].args) == ("\u00e4", ("\u00fc",))
    assert [len(one) for one in jobs["large"].args] == [2_000_000]
    fields = jobs["fields"].trigger.upcoming(datetime(2030, 2, 1, tzinfo=UTC), 3)
    assert [str(one)[:16] for one in fields] == ["2030-02-01 06:00", "2030-02-01 06:15", "2030-02-01 06:30"]
    if release == "3.11.3":
        assert {str(jobs[name].next_run_time.tzinfo) for name in ("zoneinfo", "dateutil")} == {
            "Asia/Tokyo",
            "Europe/Paris",
        }
    summer = datetime(2030, 7, 1, tzinfo=UTC)
    assert [str(one) for one in jobs["cron"].trigger.upcoming(summer, 1)] == ["2030-07-31 00:05:00+02:00"]
    assert old_rows(url) == before


@pytest.mark.parametrize("release", ["3.6.3", "3.11.3"])
def test_they_are_read_with_care_unless_pickles_are_asked_for(write_old_jobs, url, start, release):
    moments = write_old_jobs(release, url)
    jobs = {job.id: job for job in start(adopt="always").get_jobs()}
    assert moments.keys() - jobs.keys() <= UNREADABLE | CALLED
    assert jobs["value"].args[0].number == 7


def test_what_calls_something_is_not_called(url, start, said, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    state = pickle.dumps(
        {"version": 1, "id": "evil", "func": "os:getpid", "trigger": Evil(), "args": (), "kwargs": {}}
    )
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE apscheduler_jobs (id TEXT PRIMARY KEY, next_run_time FLOAT, job_state BLOB)")
        )
        for job_id, written in (("evil", state), ("damaged", state[:40]), ("number", pickle.dumps(7))):
            row = {"id": job_id, "state": written}
            connection.execute(text("INSERT INTO apscheduler_jobs VALUES (:id, 1.0, :state)"), row)
    engine.dispose()
    scheduler = start(adopt="always")
    assert scheduler.get_jobs() == []
    assert not (tmp_path / "made").exists()
    (sentence,) = said("can't be read")
    assert all(job_id in sentence for job_id in ("'evil'", "'damaged'", "'number'"))


def test_they_are_told_of_where_nobody_has_asked_for_them(write_old_jobs, url, start, said, caplog):
    count = len(write_old_jobs("3.11.3", url))
    scheduler = start()
    assert scheduler.get_jobs() == []
    (sentence,) = said("adopt_jobs()")
    assert f"{count} jobs of APScheduler are in table 'apscheduler_jobs'" in sentence
    report = scheduler.adopt_jobs(dry_run=True)
    assert len(report.jobs) == count
    assert scheduler.get_jobs() == []
    assert "unreadable gone: can't resolve 'gone:function'" in str(report)
    done = scheduler.adopt_jobs()
    assert done == report
    assert len(scheduler.get_jobs()) == count - len(done.of("unreadable"))
    assert [job.id for job in done.of("paused")] == ["overdue"]
    assert {job.id for job in scheduler.adopt_jobs().jobs} == UNREADABLE | CALLED
    caplog.clear()
    scheduler.shutdown()
    start()
    assert not said("adopt_jobs()")


def test_they_are_left_alone_where_that_is_wanted(write_old_jobs, url, start, said):
    write_old_jobs("3.11.3", url)
    assert start(adopt="never").get_jobs() == []
    assert not said("APScheduler")


def test_each_is_taken_once_whatever_becomes_of_it(write_old_jobs, url, start, said, caplog):
    write_old_jobs("3.11.3", url)
    first = start(adopt="always", serializer="pickle")
    first.remove_job("interval")
    first.modify_job("cron", name="changed")
    first.shutdown()
    caplog.clear()
    second = start(adopt="always", serializer="pickle")
    jobs = {job.id: job for job in second.get_jobs()}
    assert "interval" not in jobs
    assert jobs["cron"].name == "changed"
    assert not said("were adopted")


def test_what_comes_back_is_adopted_later(write_old_jobs, url, start, tmp_path, monkeypatch):
    write_old_jobs("3.11.3", url)
    start(adopt="always", serializer="pickle").shutdown()
    monkeypatch.syspath_prepend(str(tmp_path / "gone"))
    try:
        assert start(adopt="always", serializer="pickle").get_job("gone") is not None
    finally:
        sys.modules.pop("gone", None)  # other tests miss it


def test_what_an_apscheduler_adds_afterwards_is_told_of_and_not_taken(write_old_jobs, url, start, said):
    write_old_jobs("3.11.3", url)
    start(adopt="always", serializer="pickle").shutdown()
    engine = create_engine(url)
    with engine.begin() as connection:
        for old, new in (("interval", "added"), ("cron", "more")):
            state = connection.execute(
                text("SELECT job_state FROM apscheduler_jobs WHERE id = :id"), {"id": old}
            ).scalar_one()
            changed = pickle.dumps({**_loaded(state), "id": new})
            connection.execute(
                text("INSERT INTO apscheduler_jobs VALUES (:id, 1.0, :state)"), {"id": new, "state": changed}
            )
    engine.dispose()
    scheduler = start(adopt="always", serializer="pickle")
    assert scheduler.get_job("added") is None
    (sentence,) = said("were added since the others were adopted")
    assert "2 jobs" in sentence
    assert "'added'" in sentence
    assert {job.id for job in scheduler.adopt_jobs().of("adopted")} == {"added", "more"}
    assert scheduler.get_job("added") is not None


def _loaded(state):
    from mainspring.serializers.v3_pickle import read_pickle

    return read_pickle(state, None, is_careful=False)


def test_a_job_of_the_same_id_stays_as_it_is(write_old_jobs, url, start, said):
    scheduler = start(adopt="never")
    scheduler.add_job(old_jobs.note, "interval", hours=7, id="interval")
    scheduler.shutdown()
    write_old_jobs("3.11.3", url)
    job = start(adopt="always", serializer="pickle").get_job("interval")
    assert job.trigger.interval == timedelta(hours=7)
    assert said("there are jobs of their ids, which stay as they are: 'interval'")


def test_nodes_that_start_at_once_adopt_each_once(write_old_jobs, url, start):
    moments = write_old_jobs("3.11.3", url, 200)
    failed = []

    def node():
        try:
            start(adopt="always", serializer="pickle")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=node) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {job.id for job in start(serializer="pickle").get_jobs()} == moments.keys() - UNREADABLE


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_in_a_database_with_a_server(write_old_jobs, request, kind, start):
    at = request.getfixturevalue(f"{kind}_url")
    driver = "postgresql+psycopg2" if kind == "postgres" else "mysql+pymysql"
    engine = create_engine(at)
    drops = [f"DROP TABLE IF EXISTS {name}" for name in ("apscheduler_jobs", *_OURS)]

    def drop():
        with engine.begin() as connection:
            for statement in drops:
                connection.execute(text(statement))

    drop()
    try:
        moments = write_old_jobs("3.11.3", f"{driver}{at[at.index('://') :]}")
        scheduler = start(at, tablename="apscheduler_jobs", adopt="always", serializer="pickle")
        assert {job.id for job in scheduler.get_jobs()} == moments.keys() - UNREADABLE
        scheduler.shutdown()
        again = start(at, tablename="apscheduler_jobs", serializer="pickle")
        assert len(again.get_jobs()) == len(moments) - len(UNREADABLE)
        again.shutdown()
    finally:
        drop()
        engine.dispose()


_OURS = (
    "mainspring_jobs",
    "mainspring_runs",
    "mainspring_nodes",
    "mainspring_schema",
    "mainspring_groups",
    "mainspring_audit",
    "mainspring_rollups",
    "mainspring_adopted",
)


def test_a_program_under_the_alias_finds_its_jobs(write_old_jobs, url):
    count = len(write_old_jobs("3.10.4", url))
    program = (
        "import sys, logging; logging.basicConfig(level='INFO')\n"
        "from apscheduler.schedulers.background import BackgroundScheduler\n"
        "from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore\n"
        "store = SQLAlchemyJobStore(url=sys.argv[1], tablename='apscheduler_jobs')\n"
        "scheduler = BackgroundScheduler(jobstores={'default': store})\n"
        "scheduler.start(paused=True)\n"
        "print(len(scheduler.get_jobs()))\n"
        "scheduler.shutdown()\n"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "mainspring.as_apscheduler", "-c", program, url],
            env={**os.environ, "PYTHONPATH": PATHS},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout.split() == [str(count - len(UNREADABLE))], done.stderr
    assert "were adopted" not in done.stderr


def test_what_cannot_be_adopted_from_says_so(make_scheduler, url, start):
    scheduler = make_scheduler(jobstores={"default": MemoryJobStore()})
    with pytest.raises(StoreNotOpenError):
        BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url)}).adopt_jobs()
    scheduler.start()
    with pytest.raises(TypeError, match="import_jobs"):
        scheduler.adopt_jobs()
    assert start().adopt_jobs() is None
    with pytest.raises(
        ConfigurationError, match="adopt must be one of 'auto', 'always', 'never', got 'allways'"
    ):
        SQLAlchemyJobStore(url, adopt="allways")


def test_what_goes_wrong_with_it_keeps_no_scheduler_from_starting(start, said, monkeypatch):
    def fail(store):
        raise PermissionError("you may not look there")

    monkeypatch.setattr(SQLAlchemyJobStore, "predecessor", fail)
    assert start(adopt="always").get_jobs() == []
    (sentence,) = said("could not be adopted")
    assert "you may not look there" in sentence


def test_in_a_schema_and_a_table_of_ones_own_under_the_alias(
    write_old_jobs, url, make_scheduler, monkeypatch
):
    count = len(write_old_jobs("3.11.3", url, TABLE="my_jobs"))
    monkeypatch.setattr("mainspring.profile._stands_in", True)
    store = SQLAlchemyJobStore(url, tablename="my_jobs", engine_options={"echo": False})
    scheduler = make_scheduler(jobstores={"default": store})
    assert scheduler.health().profile == "apscheduler"
    monkeypatch.setattr("mainspring.profile._stands_in", False)  # captured when the scheduler was made
    scheduler.start(paused=True)
    assert len(scheduler.get_jobs()) == count - len(UNREADABLE)
    assert store.jobs_t.name == "mainspring_my_jobs"
    assert scheduler.health().adopted["default"].place == "table 'my_jobs'"


def test_a_user_who_may_only_read_the_old_table(write_old_jobs, postgres_database, make_scheduler, said):
    """Nor make tables; the statement for the one that is lacking is said, and the jobs come along when it is there."""
    admin = make_url(postgres_database)
    moments = write_old_jobs("3.11.3", admin.set(drivername="postgresql+psycopg2").render_as_string(False))
    role = f"reader_{uuid.uuid4().hex[:12]}"
    engine = create_engine(admin, poolclass=NullPool)

    def run(*statements):
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def start():
        store = SQLAlchemyJobStore(admin.set(username=role), adopt="always", serializer="pickle")
        scheduler = make_scheduler(jobstores={"default": store})
        scheduler.start(paused=True)
        return scheduler

    run(
        f"CREATE ROLE {role} LOGIN",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT SELECT ON apscheduler_jobs TO {role}",
    )
    try:
        ours = SQLAlchemyJobStore(postgres_database)
        run(*filter(str.strip, ours.pending_migration().split(";")))
        names = ", ".join(
            f"mainspring_{name}" for name in ("jobs", "runs", "nodes", "groups", "audit", "rollups", "schema")
        )
        run(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {names} TO {role}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        )
        scheduler = start()
        assert scheduler.get_jobs() == []
        (sentence,) = said("could not be adopted")
        statement = sentence[sentence.rindex("CREATE TABLE") :]
        scheduler.shutdown()
        run(statement, f"GRANT SELECT, INSERT, UPDATE ON mainspring_adopted TO {role}")
        scheduler = start()
        assert {job.id for job in scheduler.get_jobs()} == moments.keys() - UNREADABLE
        scheduler.shutdown()
    finally:
        run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_in_a_schema(write_old_jobs, postgres_database, make_scheduler):
    admin = make_url(postgres_database)
    moments = write_old_jobs("3.11.3", admin.set(drivername="postgresql+psycopg2").render_as_string(False))
    engine = create_engine(admin, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA theirs"))
        connection.execute(text("ALTER TABLE apscheduler_jobs SET SCHEMA theirs"))
    for store, found in (
        (SQLAlchemyJobStore(postgres_database, adopt="always", serializer="pickle"), 0),
        (
            SQLAlchemyJobStore(postgres_database, tableschema="theirs", adopt="always", serializer="pickle"),
            len(moments) - len(UNREADABLE),
        ),
    ):
        scheduler = make_scheduler(jobstores={"default": store})
        scheduler.start(paused=True)
        assert len(scheduler.get_jobs()) == found
        if not found:
            report = scheduler.adopt_jobs(postgres_database, tableschema="theirs", dry_run=True)
            assert len(report.jobs) == len(moments)
        scheduler.shutdown()


def test_the_alias_is_taken_up_by_what_is_made_after_it(url, write_old_jobs):
    count = len(write_old_jobs("3.11.3", url))
    program = (
        "import sys, mainspring\n"
        "def start():\n"
        "    store = mainspring.SQLAlchemyJobStore(sys.argv[1])\n"
        "    scheduler = mainspring.BackgroundScheduler(jobstores={'default': store})\n"
        "    return scheduler\n"
        "before = start()\n"
        "import mainspring.as_apscheduler\n"
        "before.start(paused=True)\n"
        "print(before.health().profile, len(before.get_jobs()))\n"
        "before.shutdown()\n"
        "after = start(); after.start(paused=True)\n"
        "print(after.health().profile, len(after.get_jobs()))\n"
        "after.shutdown()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, url],
        env={**os.environ, "PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["mainspring 0", f"apscheduler {count - len(UNREADABLE)}"], done.stderr

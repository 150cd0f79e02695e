"""Old jobs are adopted from another place than where the store is that keeps them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).parent))
from places import HERE, python_of

import mainspring
from mainspring.errors import ConfigurationError, SerializationError

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180)]

UNREADABLE = {"gone"}


@pytest.fixture
def filled(place, old_states):
    for job_id, (moment, state) in old_states().items():
        place.put(job_id, moment, state)
    return set(old_states())


@pytest.fixture
def scheduler(make_scheduler, tmp_path):
    store = mainspring.SQLAlchemyJobStore(f"sqlite:///{tmp_path}/ours.sqlite", serializer="pickle")
    made = make_scheduler(jobstores={"default": store}, timezone="UTC")
    made.start(paused=True)
    return made


def _names(place):
    return {"database": place.name} if hasattr(place, "name") else {}


def test_a_url_is_enough(place, filled, scheduler):
    before = place.old()
    report = scheduler.adopt_jobs(place.url, dry_run=True, **_names(place))
    assert scheduler.get_jobs() == []
    assert {job.id for job in report.of("adopted", "paused")} == filled - UNREADABLE
    assert scheduler.adopt_jobs(place.url, **_names(place)) == report
    assert {job.id for job in scheduler.get_jobs()} == filled - UNREADABLE
    scheduler.remove_job("interval")
    again = scheduler.adopt_jobs(place.url, **_names(place))
    assert [job.id for job in again.jobs] == ["gone"]
    assert again.settled == len(filled) - 1
    assert scheduler.get_job("interval") is None
    assert place.old() == before


def test_the_report_is_for_people_and_for_programs(place, filled, scheduler):
    report = scheduler.adopt_jobs(place.url, dry_run=True, **_names(place))
    lines = str(report).splitlines()
    assert lines[0].endswith("20 adopted, 1 paused, 1 unreadable (nothing was changed)")
    (line,) = (line for line in lines if " options: " in line)
    assert "adopted    options: old_jobs:note, cron[hour='9'], next run at " in line
    (line,) = (line for line in lines if " gone: " in line)
    assert (
        line.strip()
        == "unreadable gone: can't resolve 'gone:function': importing 'gone' failed: No module named 'gone'"
    )
    plain = json.loads(json.dumps(report.as_dict()))
    (job,) = (job for job in plain["jobs"] if job["id"] == "date")
    assert job == {
        "id": "date",
        "outcome": "adopted",
        "next_run_time": "2030-01-02T03:04:05+01:00",
        "func": "old_jobs:note",
        "trigger": "date[2030-01-02 03:04:05 CET]",
        "reason": "",
        "lost": [],
        "took_default": True,
    }


def test_a_job_store_is_enough(place, filled, scheduler):
    # A place of ours is where it would adopt them from; APScheduler's own stores are known by what they have.
    store = place.store()
    report = scheduler.adopt_jobs(store, dry_run=True)
    assert len(report.jobs) == len(filled)
    store.shutdown()


def test_an_engine_and_names_of_ones_own(write_old_jobs, scheduler, tmp_path):
    url = f"sqlite:///{tmp_path}/old.sqlite"
    count = len(write_old_jobs("3.11.3", url, TABLE="my_jobs"))
    engine = create_engine(url)
    assert scheduler.adopt_jobs(engine, dry_run=True) is None
    report = scheduler.adopt_jobs(engine, tablename="my_jobs", dry_run=True)
    assert len(report.jobs) == count

    class Theirs:
        """As APScheduler's own store is."""

        def __init__(self):
            from sqlalchemy import MetaData, Table

            self.engine, self.jobs_t = engine, Table("my_jobs", MetaData())

    assert scheduler.adopt_jobs(Theirs(), dry_run=True) == report
    engine.dispose()


def test_the_stores_own_place_is_known_however_it_is_said(
    write_old_jobs, make_scheduler, tmp_path, monkeypatch
):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    write_old_jobs("3.11.3", url)
    scheduler = make_scheduler(
        jobstores={"default": mainspring.SQLAlchemyJobStore(url, adopt="always", serializer="pickle")}
    )
    scheduler.start(paused=True)
    scheduler.remove_job("interval")
    monkeypatch.chdir(tmp_path)
    assert [job.id for job in scheduler.adopt_jobs("sqlite:///jobs.sqlite").jobs] == ["gone"]
    assert scheduler.get_job("interval") is None


def test_a_file_of_export_jobs(scheduler, tmp_path):
    program = (
        "import sys, old_jobs\n"
        "from apscheduler.schedulers.background import BackgroundScheduler\n"
        "scheduler = BackgroundScheduler(timezone='Europe/Berlin')\n"
        "scheduler.start(paused=True)\n"
        "scheduler.add_job(old_jobs.note, 'interval', hours=1, id='interval', args=[1])\n"
        "scheduler.add_job(old_jobs.note, 'cron', hour=3, id='cron')\n"
        "scheduler.export_jobs(sys.argv[1])\n"
        "scheduler.remove_all_jobs(); scheduler.shutdown()\n"
    )
    path = tmp_path / "jobs.json"
    subprocess.run(
        [python_of("3.11.3"), "-W", "ignore", "-c", program, path],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        check=True,
        timeout=60,
    )
    content = json.loads(path.read_text())
    content["jobs"].append({**content["jobs"][0], "id": "broken", "func": "gone:function"})
    content["jobs"].append("nonsense")
    path.write_text(json.dumps(content))
    for source in (path, str(path)):
        report = scheduler.adopt_jobs(source, dry_run=True)
        assert {job.id: job.outcome for job in report.jobs} == {
            "interval": "adopted",
            "cron": "adopted",
            "broken": "unreadable",
            "job 4 of the file": "unreadable",
        }
    scheduler.adopt_jobs(path)
    assert scheduler.get_job("interval").args == (1,)
    assert scheduler.get_job("cron").misfire_grace_time is None
    assert {job.id for job in scheduler.adopt_jobs(path).jobs} == {"broken", "job 4 of the file"}


@pytest.mark.parametrize(
    ("kind", "serializer", "careful"),
    [("sqlite", "pickle", True), ("sqlite", "json", False), ("postgres", "pickle", False)],
)
def test_schedules_of_the_alpha(request, make_scheduler, tmp_path, kind, serializer, careful):
    url = (
        f"sqlite:///{tmp_path}/alpha.sqlite"
        if kind == "sqlite"
        else request.getfixturevalue("postgres_database")
    )
    done = subprocess.run(
        [python_of("4.0.0a6"), "-W", "ignore", HERE / "write_alpha.py", url, serializer],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    moments = dict(line.split() for line in done.stdout.splitlines())
    store = mainspring.SQLAlchemyJobStore(
        f"sqlite:///{tmp_path}/ours.sqlite", serializer="auto" if careful else "pickle"
    )
    scheduler = make_scheduler(jobstores={"default": store}, timezone="UTC")
    scheduler.start(paused=True)
    report = scheduler.adopt_jobs(url)
    (run,) = report.of("unreadable")
    assert "waits for a worker of the alpha" in run.reason
    jobs = {job.id: job for job in scheduler.get_jobs()}
    found = {
        job_id: "None" if job.next_run_time is None else str(job.next_run_time.timestamp())
        for job_id, job in jobs.items()
    }
    assert found == moments
    job = jobs["interval"]
    assert (job.args, job.kwargs, job.misfire_grace_time, job.coalesce) == (
        (1, "zwei"),
        {"three": [3]},
        60,
        False,
    )
    assert job.max_instances == 1
    assert str(jobs["cron"].trigger) == (
        "cron[year='*', month='*', day='*', week='*', day_of_week='mon-fri,sun', hour='*/2', minute='0', second='0']"
    )
    assert {type(job.trigger).__name__ for job in jobs.values()} == {
        "IntervalTrigger",
        "CronTrigger",
        "DateTrigger",
        "CalendarIntervalTrigger",
        "AndTrigger",
        "OrTrigger",
    }
    lost = {job.id: " ".join(job.lost) for job in report.jobs if job.lost}
    assert lost.keys() == {"and", "jittery"}
    assert "not within 0:05:00" in lost["and"]
    assert "max_jitter" in lost["jittery"]
    assert "metadata" in lost["jittery"]
    assert {job.id for job in scheduler.adopt_jobs(url).jobs} == {run.id}


def test_what_is_no_source_says_so(scheduler, tmp_path):
    with pytest.raises(ConfigurationError, match="there is no database"):
        scheduler.adopt_jobs(f"sqlite:///{tmp_path}/none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()
    with pytest.raises(ConfigurationError, match="there is no file"):
        scheduler.adopt_jobs("jobs.jsn")
    with pytest.raises(TypeError, match="got int"):
        scheduler.adopt_jobs(7)
    with pytest.raises(TypeError, match="did you mean 'tablename'"):
        scheduler.adopt_jobs("sqlite://", tabelname="x")
    with pytest.raises(TypeError, match="jobs_key is nothing that this source has"):
        scheduler.adopt_jobs("sqlite://", jobs_key="x")
    with pytest.raises(TypeError, match="of which source"):
        scheduler.adopt_jobs(tablename="x")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(SerializationError, match="expected what export_jobs writes"):
        scheduler.adopt_jobs(tmp_path / "x.json")
    assert scheduler.adopt_jobs("sqlite://") is None


def test_nothing_is_written_to_a_database_that_is_only_read(write_old_jobs, scheduler, tmp_path):
    path = tmp_path / "old.sqlite"
    write_old_jobs("3.11.3", f"sqlite:///{path}")
    before = path.read_bytes()
    scheduler.adopt_jobs(f"sqlite:///{path}")
    assert path.read_bytes() == before
    assert {one.name for one in tmp_path.glob("old.sqlite*")} == {"old.sqlite"}


def test_a_table_of_the_name_that_is_not_aps_is_left_alone(make_scheduler, tmp_path, said):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE apscheduler_jobs (id INTEGER PRIMARY KEY, title TEXT)"))
        connection.execute(text("INSERT INTO apscheduler_jobs VALUES (1, 'paint the fence')"))
    engine.dispose()
    store = mainspring.SQLAlchemyJobStore(url, adopt="always", handover="paused")
    scheduler = make_scheduler(jobstores={"default": store})
    scheduler.start()
    assert scheduler.get_jobs() == []
    assert scheduler.adopt_jobs() is None
    assert not said("APScheduler")
    assert "no job is run" not in str(scheduler.health().store_warnings)

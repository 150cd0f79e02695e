"""``mainspring.toml``: what it may say, and what is said of mistakes in it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from mainspring.cli.configuration import Configuration
from mainspring.errors import ConfigurationError

WHOLE = """
[scheduler]
timezone = "Europe/Berlin"

[stores.default]
url = "sqlite:///jobs.sqlite"

[stores.other]
url = "sqlite:///other.sqlite"
keep_runs = 5

[executors.default]
type = "threadpool"
max_workers = 3

[defaults]
misfire_grace_time = "10m"

[jobs.backup]
command = ["pg_dump", "-f", "/backup/db"]
schedule = "30 2 * * *"
timezone = "UTC"
timeout = "1h"
environment = { PGHOST = "db" }

[jobs.report]
function = "time:sleep"
args = [1]
schedule = "0 30 9 ? * MON-FRI"
dialect = "quartz"
store = "other"
retry = { attempts = 3, delay = 5 }
paused = true

[jobs.poll]
function = "time:time"
trigger = { type = "interval", minutes = 5 }
"""


def read(tmp_path, text):
    path = tmp_path / "mainspring.toml"
    path.write_text(text, encoding="utf-8")
    return Configuration.read(path)


def test_a_file_becomes_a_scheduler_and_its_jobs(tmp_path, monkeypatch, make_scheduler):
    monkeypatch.chdir(tmp_path)
    configuration = read(tmp_path, WHOLE)
    scheduler = make_scheduler(
        jobstores=configuration.stores(),
        executors=configuration.executors(),
        job_defaults=configuration.defaults,
        **configuration.scheduler,
    )
    scheduler.start(paused=True)
    for alias in configuration.stores_of_jobs:
        configuration.sync(partial(scheduler.sync, jobstore=alias), alias)
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert sorted(jobs) == ["backup", "poll", "report"]
    backup = jobs["backup"]
    assert backup.args == (["pg_dump", "-f", "/backup/db"],)
    assert backup.kwargs == {"environment": {"PGHOST": "db"}}
    assert backup.timeout == 3600
    assert backup.name == "backup"
    assert backup.misfire_grace_time == timedelta(minutes=10).total_seconds()
    assert backup.trigger.explain() == "at 02:30 every day, UTC"
    report = jobs["report"]
    assert report.next_run_time is None
    assert report.retry.attempts == 3
    assert report.trigger.explain() == "at 09:30 from Monday to Friday, Europe/Berlin"
    assert scheduler.get_job("report", "other") is not None


def test_a_second_start_leaves_what_is_unchanged_as_it_is(tmp_path, monkeypatch, make_scheduler):
    monkeypatch.chdir(tmp_path)
    due = []
    for _ in range(2):
        configuration = read(tmp_path, WHOLE)
        scheduler = make_scheduler(jobstores=configuration.stores(), **configuration.scheduler)
        scheduler.start(paused=True)
        for alias in configuration.stores_of_jobs:
            configuration.sync(partial(scheduler.sync, jobstore=alias), alias)
        due.append(scheduler.get_job("poll").next_run_time)
        assert len(scheduler.get_jobs()) == 3
        scheduler.shutdown()
    assert due[0] == due[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[jbos.a]", "there is no key 'jbos': did you mean 'jobs'?"),
        ("jobs = 3", r"\[jobs\] must be a table, got 3"),
        ("[jobs]\na = 3", r"a must be a table of its own, \[jobs.a\], got 3"),
        ("[jobs.a]\nfunction = 'time:time'", r"\[jobs.a\]: when is it run?"),
        ("[jobs.a]\nschedule = '@daily'", r"\[jobs.a\]: what is run?"),
        (
            "[jobs.a]\nschedule = '@daily'\nfunction = 'time:time'\ncommand = 'ls'",
            "what is run?|no key 'function'",
        ),
        (
            "[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\ntrigger = { type = 'interval' }",
            "when is it run?",
        ),
        (
            "[jobs.a]\nfunction = 'time'\nschedule = '@daily'",
            "function must be 'package.module:name', got 'time'",
        ),
        ("[jobs.a]\nfunction = 'time:time'\nschedule = '61 * * * *'", r"\[jobs.a\]: .*61"),
        ("[jobs.a]\nfunction = 'time:time'\nschedule = 5", r"\[jobs.a\]: text must be a text"),
        ("[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\ndialect = 'quarz'", "did you mean 'quartz'"),
        (
            "[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\ntimezone = 'Europe/Berln'",
            r"\[jobs.a\]: .*Europe/Berln",
        ),
        (
            "[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\nmax_instance = 2",
            "did you mean 'max_instances'",
        ),
        (
            "[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\ndirectory = '/'",
            "there is no key 'directory'",
        ),
        ("[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\nstore = 'x'", "there is no store 'x'"),
        (
            "[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\ntimeout = 'long'",
            "timeout: 'long' is no span of time",
        ),
        ("[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\nargs = 3", "args must be a list"),
        ("[jobs.a]\ncommand = ''\nschedule = '@daily'", "command must be a text for the shell"),
        ("[jobs.a]\ncommand = [1]\nschedule = '@daily'", "command must be a text for the shell"),
        (
            "[jobs.a]\ncommand = 'ls'\nschedule = '@daily'\nsuccess_codes = [300]",
            r"\[jobs.a\]: success_codes must be exit codes from 0 to 255",
        ),
        (
            "[jobs.a]\ncommand = 'ls'\nschedule = '@daily'\nretry_codes = [69]",
            r"\[jobs.a\]: retry_codes says after which exit codes",
        ),
        (
            "[jobs.a]\ncommand = 'ls'\nschedule = '@daily'\nretry_codes = [69]\nretry = 'often'",
            r"\[jobs.a\]: retry must be",
        ),
        ("[jobs.a]\nfunction = 'time:time'\ntrigger = 'interval'", "trigger must be a table with a type"),
        ("owner = 3", "owner must be a text, got 3"),
        ("[scheduler]\ntimezon = 'UTC'", "did you mean 'timezone'"),
        ("[defaults]\ncoalesc = true", "did you mean 'coalesce'"),
        ("[stores.main]\nurl = 'a.sqlite'", "one must be called default"),
        ("[stores.default]\nurl = 'a.txt'", r"\[stores.default\]: .*neither the URL"),
        ("[stores.default]\nuri = 'a.sqlite'", r"\[stores.default\]: url is missing"),
        ("[stores.default]\nurl = 'a.sqlite'\nkeep_run = 3", r"\[stores.default\]: .*keep_run"),
        ("[executors.default]\nmax_workers = 3", r"\[executors.default\]: type is missing"),
        ("jobs = ", "is not TOML"),
    ],
)
def test_a_mistake_is_said_with_its_place(tmp_path, text, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        configuration = read(tmp_path, text)
        configuration.stores()
        configuration.executors()
    assert "mainspring.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[jobs.a]\nfunction = 'time:tim'\nschedule = '@daily'", r"\[jobs.a\]: .*tim"),
        (
            "[jobs.a]\nfunction = 'mainspring.commands:run_command'\nschedule = '@daily'",
            r"\[jobs.a\]: .*command",
        ),
        (
            "[jobs.a]\nfunction = 'time:time'\ntrigger = { type = 'intervall', minutes = 1 }",
            "did you mean 'interval'",
        ),
        (
            "[jobs.a]\nfunction = 'time:time'\ntrigger = { type = 'interval', minuts = 1 }",
            "did you mean 'minutes'",
        ),
        (
            "[jobs.a]\nfunction = 'time:time'\nschedule = '@daily'\nmax_instances = 0",
            r"\[jobs.a\]: .*max_instances",
        ),
    ],
)
def test_what_add_job_refuses_is_said_with_its_place(tmp_path, text, words, make_scheduler):
    configuration = read(tmp_path, text)
    scheduler = make_scheduler(start=True)
    with pytest.raises(ConfigurationError, match=words):
        configuration.sync(scheduler.sync, "default")
    assert scheduler.get_jobs() == []


def test_who_removes_what_is_no_longer_in_the_file_has_to_name_its_owner(tmp_path, make_scheduler):
    scheduler = make_scheduler(start=True)
    text = "[jobs.{}]\nfunction = 'time:time'\nschedule = '@daily'"
    with pytest.raises(ConfigurationError, match='write owner = "…" at its top'):
        read(tmp_path, text.format("a")).sync(scheduler.sync, "default", prune=True)
    for name in ("a", "b"):
        read(tmp_path, f"owner = 'billing'\n{text.format(name)}").sync(scheduler.sync, "default", prune=True)
        assert [job.id for job in scheduler.get_jobs()] == [name]
    with pytest.raises(ConfigurationError, match="somebody else's"):
        read(tmp_path, f"owner = 'shop'\n{text.format('b')}").sync(scheduler.sync, "default")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "mainspring.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="can't be read"):
        Configuration.read(path)


def test_exit_codes_that_ask_for_another_try_are_what_is_tried_again(tmp_path):
    (job,) = read(
        tmp_path,
        "[jobs.a]\ncommand = 'ls'\nschedule = '@daily'\nretry_codes = [69]\nretry = { attempts = 5 }",
    ).jobs
    retry = job.parameters()["retry"]
    assert (retry["attempts"], retry["on"]) == (5, ["mainspring.errors:CommandRetryError"])
    assert job.kwargs == {"retry_codes": [69]}

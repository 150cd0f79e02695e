import logging
import subprocess
import sys
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mainspring import Retry
from mainspring.errors import ConfigurationError, ConfigurationWarning
from mainspring.executors.debug import DebugExecutor
from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.schedulers.background import BackgroundScheduler


def test_dotted_keys_with_a_prefix(make_scheduler):
    configuration = {
        "apscheduler.timezone": "Europe/Berlin",
        "apscheduler.jobstores.default": {"type": "memory"},
        "apscheduler.jobstores.second.class": "mainspring.jobstores.memory:MemoryJobStore",
        "apscheduler.executors.default": {
            "class": "mainspring.executors.pool:ThreadPoolExecutor",
            "max_workers": "7",
        },
        "apscheduler.executors.processes.type": "processpool",
        "apscheduler.executors.processes.max_workers": "3",
        "apscheduler.job_defaults.coalesce": "false",
        "apscheduler.job_defaults.max_instances": "3",
        "apscheduler.job_defaults.misfire_grace_time": "15",
        "apscheduler.jobstore_retry_interval": "2.5",
        "apscheduler.daemon": "no",
        "somebody.elses": 1,
    }
    before = {key: dict(value) if isinstance(value, dict) else value for key, value in configuration.items()}
    scheduler = make_scheduler(configuration, timezone="Europe/Berlin")
    assert str(scheduler.timezone) == "Europe/Berlin"
    assert isinstance(scheduler._jobstores["second"], MemoryJobStore)
    assert scheduler._executors["default"].max_workers == 7
    assert isinstance(scheduler._executors["processes"], ProcessPoolExecutor)
    assert scheduler._executors["processes"].max_workers == 3
    assert scheduler._job_defaults == {
        "coalesce": False,
        "max_instances": 3,
        "misfire_grace_time": 15,
    }
    assert scheduler.jobstore_retry_interval == 2.5
    assert scheduler._daemon is False
    assert configuration == before


@pytest.mark.parametrize("prefix", ["jobs.", "", None])
def test_other_prefixes(prefix):
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.configure({f"{prefix or ''}timezone": "Asia/Tokyo"}, prefix=prefix)
    assert str(scheduler.timezone) == "Asia/Tokyo"


def test_our_own_prefix_works_too():
    assert str(BackgroundScheduler({"mainspring.timezone": "Asia/Tokyo"}).timezone) == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time_zone": "UTC"}, "did you mean 'timezone'"),
        ({"job_defalts": {}}, "did you mean 'job_defaults'"),
        ({"demon": True}, "did you mean 'daemon'"),
        ({"misfire_grace_time": 3600}, "unknown option of BackgroundScheduler 'misfire_grace_time'"),
        ({"job_defaults": {"replace_existing": True}}, "unknown key in job_defaults 'replace_existing'"),
        ({"job_defaults": {"coalece": True}}, "did you mean 'coalesce'"),
    ],
)
def test_unknown_options_are_reported(options, words):
    with pytest.warns(ConfigurationWarning, match=words) as caught:
        BackgroundScheduler(**options)
    assert caught[0].filename == __file__
    with pytest.raises(ConfigurationError, match=words):
        BackgroundScheduler(strict=True, **options)


def test_a_global_key_without_its_prefix_is_reported():
    with pytest.warns(ConfigurationWarning, match="write 'apscheduler.timezone'"):
        BackgroundScheduler({"timezone": "Asia/Tokyo"})


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"timezone": "Europe/Berln"}, Exception, "did you mean 'Europe/Berlin'"),
        ({"timezone": 5}, TypeError, "time zone or the name of one"),
        ({"job_defaults": 5}, TypeError, "job_defaults must be a dict"),
        ({"job_defaults": {"max_instances": "many"}}, ValueError, "whole number"),
        ({"job_defaults": {"coalesce": "perhaps"}}, ValueError, "yes/no"),
        ({"job_defaults": {"timeout": "long"}}, ValueError, "timeout: expected a number, got 'long'"),
        ({"job_defaults": {"retry": {"delay": "x"}}}, ValueError, "retry.delay: expected a number, got 'x'"),
        ({"job_defaults": {"metadata": {"a": {1}}}}, TypeError, "metadata must hold what JSON can"),
        ({"around_run": 5}, ConfigurationError, "around_run must be functions"),
        ({"executors": {"default": 5}}, TypeError, "executor 'default'"),
        ({"executors": {"default": {"type": "treadpool"}}}, LookupError, "did you mean 'threadpool'"),
        ({"executors": {"default": {"max_workers": 5}}}, ConfigurationError, "either 'type'"),
        ({"executors": {"default": {"class": "builtins:dict"}}}, TypeError, "not a BaseExecutor"),
        ({"jobstores": {"default": {"type": "memory", "class": "x:y"}}}, ConfigurationError, "either 'type'"),
        (
            {"jobstores": {"default": {"type": "sqlalchemie"}}},
            LookupError,
            "unknown jobstore 'sqlalchemie'; did you mean 'sqlalchemy'?",
        ),
    ],
)
def test_values_that_cannot_be(options, error, words):
    with pytest.raises(error) as caught:
        BackgroundScheduler(**options)
    assert words in str(caught.value)


def test_options_of_runs_can_be_defaults_in_text():
    scheduler = BackgroundScheduler(
        {
            "apscheduler.job_defaults.retry.attempts": "4",
            "apscheduler.job_defaults.retry.delay": "2.5",
            "apscheduler.job_defaults.retry.on": "builtins:OSError",
            "apscheduler.job_defaults.timeout": "90",
            "apscheduler.job_defaults.priority": "-3",
            "apscheduler.job_defaults.max_runs": "none",
            "apscheduler.job_defaults.tags": "nightly, money",
            "apscheduler.job_defaults.metadata.team": "billing",
            "apscheduler.job_defaults.capture_log": "yes",
        }
    )
    job = scheduler.add_job(print)
    assert (job.retry, job.timeout) == (Retry(4, delay=2.5, on=OSError), 90)
    assert (job.priority, job.max_runs, job.tags) == (-3, None, ("money", "nightly"))
    assert (job.metadata, job.capture_log) == ({"team": "billing"}, True)


def test_parts_can_be_given_as_instances_and_again_to_configure():
    pool = ThreadPoolExecutor(3)
    scheduler = BackgroundScheduler(executors={"default": pool}, timezone="UTC")
    scheduler.configure(timezone="Asia/Tokyo", executors={"default": pool})
    assert scheduler._executors == {"default": pool}


def test_pytz_zones_are_taken():
    import pytz

    assert BackgroundScheduler(timezone=pytz.timezone("Asia/Shanghai")).timezone == ZoneInfo("Asia/Shanghai")
    assert BackgroundScheduler(timezone=pytz.utc).timezone.utcoffset(None).total_seconds() == 0


def test_a_logger_by_name():
    assert BackgroundScheduler(logger="mine").configure() is None
    assert BackgroundScheduler(logger="mine")._logger is logging.getLogger("mine")
    assert BackgroundScheduler()._logger is logging.getLogger("apscheduler.scheduler")


def test_a_logger_is_given_by_a_reference_to_it():
    assert BackgroundScheduler(logger="logging:root")._logger is logging.getLogger()


def test_adding_and_removing_parts(scheduler):
    scheduler.add_executor("debug", "other")
    assert isinstance(scheduler._lookup_executor("other"), DebugExecutor)
    with pytest.raises(ValueError, match="already has an executor"):
        scheduler.add_executor("debug", "other")
    scheduler.remove_executor("other")
    with pytest.raises(KeyError, match="No such executor"):
        scheduler.remove_executor("other")
    scheduler.add_jobstore(MemoryJobStore(), "other")
    with pytest.raises(ValueError, match="already has a job store"):
        scheduler.add_jobstore("memory", "other")
    scheduler.remove_jobstore("other")
    with pytest.raises(KeyError, match="No such job store"):
        scheduler.remove_jobstore("other")
    with pytest.raises(TypeError, match="an instance or the name"):
        scheduler.add_executor(5, "x")


def test_built_in_names_need_no_metadata(tmp_path):
    import tzlocal

    import mainspring

    archive = tmp_path / "program.pyz"
    with zipfile.ZipFile(archive, "w") as packed:
        for package in (Path(mainspring.__file__).parent, Path(tzlocal.__file__).parent):
            for file in package.rglob("*.py"):
                packed.write(file, file.relative_to(package.parent))
        packed.writestr(
            "__main__.py",
            "from mainspring.schedulers.blocking import BlockingScheduler\n"
            "s = BlockingScheduler(timezone='UTC', executors={'default': {'type': 'threadpool'}})\n"
            "def job():\n    print('ran'); s.shutdown(wait=False)\n"
            "s.add_job(job, 'interval', seconds=0.01)\n"
            "s.add_job(print, 'cron', hour=3)\n"
            "s.start()\n",
        )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", archive], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stdout, ended.stderr) == ("ran\n", "")


def test_importing_mainspring_loads_nothing_heavy():
    code = "import sys, mainspring; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for name in ("asyncio", "sqlalchemy", "concurrent", "multiprocessing", "tzlocal", "logging", "threading"):
        assert f"'{name}'" not in loaded


def test_all_public_names_can_be_had():
    import mainspring

    for name in mainspring.__all__:
        assert getattr(mainspring, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        mainspring.Nothing


def test_third_parties_names_are_entry_points(monkeypatch):
    from importlib.metadata import EntryPoint

    from mainspring.schedulers import plugins

    point = EntryPoint("mine", "mainspring.executors.debug:DebugExecutor", "apscheduler.executors")
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [point] if group == "apscheduler.executors" else []
    )
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": {"type": "mine"}})
    assert isinstance(scheduler._executors["default"], DebugExecutor)

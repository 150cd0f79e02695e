"""Every line of the log about a job or a run says which, in its text and as fields of the record."""

from __future__ import annotations

import ast
import logging
import re
import time
from pathlib import Path

from mainspring import BackgroundScheduler, Retry
from mainspring.events import (
    EVENT_EVERY,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_GAVE_UP,
    EVENT_JOB_MISSED,
    EVENT_JOB_PARKED,
    EVENT_JOB_STARTED,
    EVENT_JOB_TIMED_OUT,
)
from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from mainspring.testing import EventRecorder

SOURCES = Path(__file__).parents[1] / "src" / "mainspring"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
#: What a line says that is about one job or one run.
ABOUT_ONE = re.compile(r'\b[Jj]ob "?%[sr]|\b[Rr]un( time)? (of|%)|\b[Jj]obs? still run')


def said_by(call: ast.Call) -> str:
    texts = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
    return " ".join(text for text in texts if isinstance(text, str))


def logging_calls(path: Path) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and re.search(r"(?i)log(ger)?(\(\))?$", ast.unparse(node.func.value))
    ]


def test_lines_about_a_job_or_a_run_are_made_by_the_functions_for_them():
    calls = [(path, call) for path in SOURCES.rglob("*.py") for call in logging_calls(path)]
    assert len(calls) > 50
    bare = [f"{path.name}:{call.lineno}" for path, call in calls if ABOUT_ONE.search(said_by(call))]
    assert not bare, "these are said without of_job or of_run"


def hold(seconds):
    time.sleep(seconds)  # in another process, or in a thread that nothing interrupts


def fail():
    raise ValueError("no")


def test_what_is_said_of_runs_names_them(caplog):
    caplog.set_level(logging.DEBUG, logger="apscheduler")
    executors = {"default": ThreadPoolExecutor(4), "process": ProcessPoolExecutor(1)}
    scheduler = BackgroundScheduler(timezone="UTC", executors=executors)
    recorder = EventRecorder()
    scheduler.add_listener(recorder, EVENT_EVERY)
    scheduler.start()
    try:
        scheduler.add_job(int, id="well", name="same name")
        scheduler.add_job(fail, id="badly", name="same name", retry=Retry(attempts=2, delay=0.01))
        scheduler.add_job(hold, args=[30], id="late", name="same name", timeout=0.3, executor="process")
        scheduler.add_job(
            int, "date", run_date="2001-01-01", misfire_grace_time=1, id="missed", name="same name"
        )
        scheduler.add_job(int, id="elsewhere", name="same name", executor="none")
        recorder.wait_for(EVENT_JOB_EXECUTED, "well")
        recorder.wait_for(EVENT_JOB_GAVE_UP, "badly")
        recorder.wait_for(EVENT_JOB_TIMED_OUT, "late")
        recorder.wait_for(EVENT_JOB_MISSED, "missed")
        recorder.wait_for(EVENT_JOB_PARKED, "elsewhere")
        run = scheduler.add_job(
            hold, "interval", hours=1, args=[30], id="ended", executor="process"
        ).run_now()
        recorder.wait_for(EVENT_JOB_STARTED, "ended")
        run.cancel()
        assert run.wait(20).error == "cancelled"
    finally:
        scheduler.shutdown()
    lines = [record for record in caplog.records if "same name" in record.getMessage()]
    assert {line.job_id for line in lines} == {"well", "badly", "late", "missed", "elsewhere"}
    for line in lines:
        assert line.job_id in line.getMessage()
        is_about_job = re.search("Added job|names the executor|can't be run for now", line.getMessage())
        assert is_about_job or line.run_id in line.getMessage()
    said = {(line.job_id, line.levelname) for line in lines}
    assert said >= {("badly", "ERROR"), ("late", "WARNING"), ("missed", "WARNING"), ("elsewhere", "WARNING")}
    assert "WorkerDiedError" not in caplog.text

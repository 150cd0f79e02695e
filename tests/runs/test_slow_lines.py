"""An object that takes for ever to say what it is holds up the run that logs it, and nobody else."""

from __future__ import annotations

import logging
import threading

import pytest
from run_work import eventually

from mainspring import BackgroundScheduler, current_run

asked, may_go_on = threading.Event(), threading.Event()


class Slow:
    def __str__(self):
        asked.set()
        assert may_go_on.wait(60)
        return "said at last"


def log_it():
    current_run().log.warning("it is %s", Slow())


def log_it_alone():
    current_run().log.warning(Slow())


def log_well():
    current_run().log.warning("all %s: %d", "well", 3)


class Heard(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        record.getMessage()
        self.records.append(record)


@pytest.fixture
def heard():
    handler = Heard()
    logging.root.addHandler(handler)
    yield handler
    may_go_on.set()
    logging.root.removeHandler(handler)


@pytest.mark.parametrize("func", [log_it, log_it_alone])
def test_others_log_and_time_outs_hold_meanwhile(heard, func):
    asked.clear()
    may_go_on.clear()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start()
    try:
        scheduler.add_job(func, id="slow", capture_log=True, timeout=0.2)
        assert asked.wait(30)
        assert heard.lock.acquire(timeout=30)
        heard.lock.release()
        scheduler.add_job(log_well, id="well", capture_log=True)
        eventually(lambda: [run.outcome for run in scheduler.get_runs()].count("succeeded") == 1)
        eventually(lambda: [run.outcome for run in scheduler.get_runs("slow")] == ["timed_out"])
        (run,) = scheduler.get_runs("well")
        assert run.log.endswith("WARNING mainspring.run: all well: 3")
        (record,) = [one for one in heard.records if one.funcName == "log_well"]
        assert (record.name, record.args) == ("mainspring.run", ("well", 3))
    finally:
        may_go_on.set()
        scheduler.shutdown()

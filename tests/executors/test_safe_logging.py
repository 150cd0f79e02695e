"""A log whose handlers may raise."""

from __future__ import annotations

import logging

from mainspring.safe_logging import SafeLogger
from mainspring.testing import ManualScheduler


def test_a_safe_logger_of_a_safe_logger_says_what_it_is_told(caplog):
    log = SafeLogger(SafeLogger(logging.getLogger("mainspring.test")))
    log.error("Job %s raised an exception", "x", exc_info=OSError("y"))
    (record,) = caplog.records
    assert record.getMessage() == "Job x raised an exception"
    assert record.exc_info
    assert record.funcName == "test_a_safe_logger_of_a_safe_logger_says_what_it_is_told"


def test_the_failure_of_a_job_is_logged(caplog):
    def fail():
        raise OSError("no network")

    scheduler = ManualScheduler()
    scheduler.start()
    scheduler.add_job(fail, name="fail")
    scheduler.run_due()
    scheduler.shutdown()
    assert 'Job "fail" raised an exception' in caplog.text
    assert "OSError: no network" in caplog.text

"""Names and ids that want to be lines of their own."""

from __future__ import annotations

import copy
import io
import logging
import pickle

import pytest

from mainspring.errors import ConflictingIdError, JobLookupError, RunLookupError
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.printable import printable, printable_lines
from mainspring.safe_logging import SafeLogger, safe_logger
from mainspring.testing import EventRecorder

HOSTILE = [
    "x\n2026-01-01 00:00:00,000 CRITICAL root: forged",
    "x\r\nforged",
    "x\x1b[2J\x1b]0;title\x07",
    "x\u202egnp.exe",
    "x\u2028forged\u2029",
    "x\x85forged\x0b\x0c",
    "x\u200b\u2066\ufeff",
]


def fine():
    pass


def failing():
    raise OSError("no")


@pytest.fixture
def lines():
    """What a handler writes to a file."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


LEVELS = ("DEBUG ", "INFO ", "WARNING ", "ERROR ", "CRITICAL ")


@pytest.mark.parametrize("hostile", HOSTILE, ids=map(ascii, HOSTILE))
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_no_name_or_id_makes_a_line_or_steers_a_terminal(make_scheduler, tmp_path, lines, hostile, kind):
    stores = {} if kind == "memory" else {"default": SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")}
    scheduler = make_scheduler(jobstores=stores, logger=logging.getLogger("a.program"))
    recorder = EventRecorder()
    scheduler.add_listener(recorder, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start()
    for at, function in enumerate((fine, failing)):
        job = scheduler.add_job(
            function, "interval", hours=1, id=f"{at}{hostile}", name=f"name {hostile}", tags=[hostile]
        )
        job.run_now()
        recorder.wait_for(EVENT_JOB_EXECUTED if function is fine else EVENT_JOB_ERROR, job_id=job.id)
        assert repr(job).isprintable()
        assert str(job).isprintable()
        for run in job.runs():
            assert repr(run).isprintable()
        job.pause()
        job.resume()
    out = io.StringIO()
    scheduler.print_jobs(out=out)
    assert len(out.getvalue().splitlines()) == 3
    for error in (ConflictingIdError, JobLookupError):
        with pytest.raises(error) as raised:
            if error is JobLookupError:
                scheduler.get_job(hostile) or scheduler.remove_job(hostile)
            else:
                scheduler.add_job(fine, "interval", hours=1, id=f"0{hostile}")
        assert str(raised.value).isprintable()
    scheduler.remove_job(f"0{hostile}")
    scheduler.shutdown()
    written = lines.getvalue()
    assert "name x" in written
    assert "forged" not in [line.split()[-1] for line in written.splitlines() if not line.startswith(LEVELS)]
    for line in written.split("\n"):
        assert line.isprintable(), line
        assert line.startswith((*LEVELS, " ", "Traceback", "OSError: no")) or not line


FORGED = "x\r\n2026-01-01 00:00:00,000 CRITICAL root: forged\n\nCRITICAL root forged\x1b[2J\x85CRITICAL\u2028forged"


class Hostile(int):
    def __str__(self):
        return FORGED

    __repr__ = __str__


def raised(kind):
    """Errors that want to be lines of the log."""
    error = OSError(FORGED)
    if kind == "text":
        raise error
    if kind == "cause":
        raise ValueError("fine") from error
    if kind == "context":
        try:
            raise error
        except OSError:
            raise ValueError("fine")
    if kind == "group":
        raise ExceptionGroup("several", [ValueError("fine"), ExceptionGroup("more", [error])])
    if kind == "note":
        fine_so_far = ValueError("fine")
        fine_so_far.add_note(FORGED)
        raise fine_so_far
    if kind == "class":
        raise type(f"Error{FORGED}", (Exception,), {})("fine")
    if kind == "argument":
        raise KeyError(Hostile(3))
    raise OSError(f"password=hunter2 {FORGED}")


def hears_badly(_event):
    raised("text")


KINDS = ("text", "cause", "context", "group", "note", "class", "argument", "secret")


@pytest.mark.parametrize("executor", ["debug", "threadpool", "processpool"])
def test_no_error_makes_a_line(make_scheduler, lines, executor):
    scheduler = make_scheduler(executors={"default": {"type": executor}})
    recorder = EventRecorder()
    scheduler.add_listener(hears_badly, EVENT_JOB_ERROR)
    scheduler.add_listener(recorder, EVENT_JOB_ERROR)
    scheduler.start()
    for kind in KINDS if executor == "debug" else ("text", "secret"):
        scheduler.add_job(raised, args=[kind], id=kind)
        recorder.wait_for(EVENT_JOB_ERROR, job_id=kind, timeout=60)
    scheduler.shutdown()
    written = lines.getvalue()
    assert "forged" in written
    for line in written.split("\n"):
        assert line.replace("\t", "").isprintable(), line
        assert (
            line.startswith(("DEBUG", "INFO", "WARNING", "ERROR", " ", "Traceback (most recent call last)"))
            or not line
        ), line
        assert not line.startswith("CRITICAL")


def test_an_error_is_there_for_handlers_though_it_is_written_otherwise(caplog):
    error = OSError(FORGED)
    safe_logger("of.somebody").error("no", exc_info=error)
    (record,) = caplog.records
    assert record.exc_info[1] is error
    assert record.funcName == "test_an_error_is_there_for_handlers_though_it_is_written_otherwise"
    assert record.exc_text.startswith("    OSError: x\\r\n    2026-01-01")

    class Own(logging.Logger):
        def _log(self, *args, **options):
            super()._log(*args, **options)

    own = Own("own")
    own.addHandler(caplog.handler)
    SafeLogger(own).error("no", exc_info=error)
    assert caplog.records[1].exc_info is None
    assert caplog.records[1].getMessage().startswith("no\n    OSError: x\\r\n    2026-01-01")


def test_a_number_with_words_of_its_own(caplog):
    safe_logger("of.somebody").error("%s", Hostile(3))
    assert caplog.records[0].getMessage().isprintable()


def test_what_is_shown_in_a_line():
    assert printable("Ünïcode, 日本 ✓") == "Ünïcode, 日本 ✓"
    assert printable("a\nb\x1b\u202e\ud800") == r"a\nb\x1b\u202e\ud800"
    assert printable_lines("a\n\tb\x1b\n") == "a\n\tb\\x1b"
    assert str(RunLookupError("a\nb")) == r"No run by the id of a\nb was found"
    assert JobLookupError("a\nb").job_id == "a\nb"


def test_a_safe_logger_is_like_the_one_that_it_has():
    logger = logging.getLogger("of.somebody")
    safe = safe_logger("of.somebody")
    assert safe.name == "of.somebody"
    assert safe.handlers is logger.handlers
    assert isinstance(copy.copy(safe), SafeLogger)
    assert pickle.loads(pickle.dumps(safe)).name == "of.somebody"


def test_numbers_and_objects_stay_what_they_are(caplog):
    safe = safe_logger("of.somebody")
    value = object()
    with caplog.at_level(logging.INFO, "of.somebody"):
        safe.info("%d %s %.1f", 3, value, 1.0)
        safe.info("%s", ValueError("a\nb"))
        safe.info("{not a place}")
    assert caplog.records[0].args == (3, value, 1.0)
    assert caplog.records[1].getMessage() == r"a\nb"

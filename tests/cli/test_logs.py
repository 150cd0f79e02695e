"""The log of ``mainspring run``: what each line about a run has, in words, in colour and as JSON."""

from __future__ import annotations

import io
import json
import logging
import re
import sys

import click
import pytest

from mainspring.cli.logs import (
    FIELDS,
    ColourFormatter,
    JSONFormatter,
    PlainFormatter,
    RunFilter,
    written_logs,
)
from mainspring.safe_logging import SafeLogger
from waiting import wait_for

RUN = "report/2026-01-31T09:30:00.000000Z/2"


def record(text, *args, created=1000.0, level=logging.INFO, **extra):
    made = logging.makeLogRecord(
        {"msg": text, "args": args, "levelno": level, "levelname": logging.getLevelName(level), **extra}
    )
    made.created = created
    made.msecs = 0
    return made


def of_run(text, created=1000.0, outcome=None, run_id=RUN, **more):
    return record(
        f"{text} [run {run_id}]",
        created=created,
        job_id="report",
        run_id=run_id,
        attempt=2,
        outcome=outcome,
        **more,
    )


def said(formatter, *records):
    has_fields = RunFilter()
    for one in records:
        assert has_fields.filter(one)
    return [formatter.format(one) for one in records]


def test_each_line_about_a_run_has_its_id_attempt_outcome_and_duration():
    lines = said(
        PlainFormatter(),
        of_run("Running job", outcome="running"),
        of_run("is to end", created=1001.5),
        of_run("executed successfully", created=1002.25, outcome="succeeded"),
        of_run("Not all of the outcome", created=1003.0),
        of_run("was missed", outcome="missed", run_id="other/2026-01-31T09:30:00.000000Z/1"),
    )
    assert [re.sub(r"^\S+ \S+ ", "", line) for line in lines] == [
        f"INFO    Running job [run {RUN}] (attempt 2, running for 0.000 s)",
        f"INFO    is to end [run {RUN}] (attempt 2, running for 1.500 s)",
        f"INFO    executed successfully [run {RUN}] (attempt 2, succeeded after 2.250 s)",
        f"INFO    Not all of the outcome [run {RUN}] (attempt 2)",
        "INFO    was missed [run other/2026-01-31T09:30:00.000000Z/1] (attempt 2, missed)",
    ]


def test_as_json_each_line_about_a_run_has_all_fields():
    lines = map(
        json.loads,
        said(
            JSONFormatter(),
            of_run("Running job", outcome="running"),
            of_run("executed successfully", created=1002.25, outcome="succeeded"),
            of_run("Not all of the outcome", created=1003.0),
            record("no run's"),
            record("a job's", job_id="report"),
        ),
    )
    fields = [{name: line[name] for name in FIELDS if name in line} for line in lines]
    common = {"job_id": "report", "run_id": RUN, "attempt": 2}
    assert fields == [
        {**common, "outcome": "running", "duration": 0.0},
        {**common, "outcome": "succeeded", "duration": 2.25},
        {**common, "outcome": None, "duration": None},
        {},
        {"job_id": "report"},
    ]


def test_in_colour_the_same_is_said():
    records = [
        of_run("Running job", outcome="running"),
        of_run("raised", created=1002.0, outcome="failed", level=logging.ERROR),
        record("a warning", level=logging.WARNING),
        record("a word", level=logging.INFO),
    ]
    plain = said(PlainFormatter(), *records)
    colour = said(ColourFormatter(), *records)
    assert list(map(click.unstyle, colour)) == plain
    assert "\x1b[36mrunning\x1b[0m" in colour[0]
    assert "\x1b[31mfailed\x1b[0m" in colour[1]
    assert "\x1b[33ma warning\x1b[0m" in colour[2]


@pytest.mark.parametrize("formatter", [PlainFormatter(), ColourFormatter()], ids=["plain", "colour"])
def test_nothing_in_a_line_steers_a_terminal_or_makes_a_line_of_the_log(formatter):
    hostile = "\x1b[2J\x9b1m\rx"
    try:
        raise ValueError(f"{hostile}\n2026-11-27 ERROR   forged")
    except ValueError:
        error = sys.exc_info()
    run_id = f"{hostile}/2026-01-31T09:30:00.000000Z/1"
    lines = said(
        formatter,
        record(
            "a function's own %s\n2026-11-27 ERROR   forged",
            hostile,
            run_id=run_id,
            outcome=hostile,
            attempt=hostile,
        ),
        record(hostile, exc_info=error, stack_info=hostile),
    )
    for line in lines:
        shown = click.unstyle(line) if isinstance(formatter, ColourFormatter) else line
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
        first, *more = shown.split("\n")
        assert "\\x1b[2J\\x9b1m\\rx" in first
        assert more
        assert all(one.startswith("    ") for one in more if one)


def test_foreign_records_with_fields_of_these_names_are_written():
    odd = [
        record("x", run_id=["a", "list"], outcome={}, attempt=object(), job_id=object()),
        record("x", run_id="no/id", outcome=["a"], duration="long"),
    ]
    for formatter in (PlainFormatter(), ColourFormatter(), JSONFormatter()):
        assert all(" x" in line or '"x"' in line for line in said(formatter, *odd))


def test_runs_of_whose_end_nobody_tells_do_not_add_up(monkeypatch):
    monkeypatch.setattr("mainspring.cli.logs._KNOWN", 3)
    one = RunFilter()
    for number in range(10):
        one.filter(of_run("Running job", outcome="running", run_id=f"a/{number}/1"))
    assert list(one._begun) == ["a/7/1", "a/8/1", "a/9/1"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("form", "stream", "environment", "is_coloured"),
    [
        ("auto", io.StringIO, {}, False),
        ("auto", Terminal, {}, True),
        ("auto", Terminal, {"TERM": "dumb"}, False),
        ("auto", Terminal, {"NO_COLOR": "1"}, False),
        ("auto", Terminal, {"NO_COLOR": ""}, True),
        ("auto", io.StringIO, {"FORCE_COLOR": "1"}, True),
        ("auto", io.StringIO, {"FORCE_COLOR": ""}, False),
        ("auto", Terminal, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("plain", Terminal, {"FORCE_COLOR": "1"}, False),
        ("colour", io.StringIO, {"NO_COLOR": "1"}, True),
    ],
)
def test_there_is_colour_on_terminals_and_as_the_environment_says(
    form, stream, environment, is_coloured, monkeypatch
):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    written = stream()
    monkeypatch.setattr("sys.stderr", written)
    with written_logs(form, verbose=False):
        logging.getLogger("anything").warning("it is late")
    assert ("\x1b[" in written.getvalue()) is is_coloured
    assert "it is late" in written.getvalue()


def test_the_outcomes_of_runs_are_in_the_lines_of_schedulers(make_scheduler, monkeypatch):
    """Of a scheduler that runs, and not of records made up here."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    with written_logs("json", verbose=False):
        scheduler = make_scheduler(start=True)
        scheduler.add_job(speaks, id="good")
        scheduler.add_job(fails, id="bad")
        scheduler.add_job(leaves, id="leaves")
        wait_for(
            lambda: (
                sum(written.getvalue().count(f'"outcome": "{how}"') for how in ("succeeded", "failed")) == 3
            )
        )
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    of = {
        job: [
            (line["outcome"], line["attempt"])
            for line in lines
            if line.get("job_id") == job and "run_id" in line
        ]
        for job in ("good", "bad", "leaves")
    }
    assert of == {
        "good": [("running", 1), ("running", 1), ("succeeded", 1)],
        "bad": [("running", 1), ("failed", 1)],
        "leaves": [("running", 1), ("succeeded", 1)],
    }
    assert all(line["duration"] >= 0 for line in lines if "run_id" in line)


def speaks():
    logging.getLogger("program").info("hello")


def fails():
    raise ValueError("no printer")


def leaves():
    sys.exit()


def test_a_line_about_a_run_with_an_odd_id_is_said(caplog):
    caplog.set_level(logging.INFO)
    SafeLogger(logging.getLogger("odd")).of_run(logging.INFO, "no run", "said")
    (one,) = caplog.records
    assert (one.job_id, one.run_id, one.attempt, one.getMessage()) == (
        "no run",
        "no run",
        None,
        "said [run no run]",
    )

"""Durations, numbers and names beyond all reason: what is taken works, for this job and all others; what isn't is refused at once."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
import run_work as work

from mainspring import AfterJob, Retry
from mainspring.jobstores.shared.store import SharedJobStore
from mainspring.schedulers.stopping import Alarms

# What depends on the Python is in the tests of the engine.
pytestmark = pytest.mark.one_python

PAST = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = [timedelta.max, 1e12, 10**10]
LONGEST = "g" * 191


def outcomes(scheduler, *job_ids):
    """The outcomes of all runs of some jobs, once each has ended."""

    def ended():
        runs = [run for job_id in job_ids for run in scheduler.get_runs(job_id)]
        return {run.job_id for run in runs if run.outcome} == set(job_ids) and runs

    work.eventually(ended)
    return {run.job_id: run.outcome for run in ended() if run.outcome is not None}


def test_durations_of_which_no_year_is_the_end(scheduler):
    for number, duration in enumerate(NEVER):
        scheduler.set_group(f"g{number}", rate=1, per=duration)
        scheduler.add_jobs(
            {"func": work.add, "args": [1, 2], "trigger": "date", "run_date": PAST, "id": f"{id_}{number}", **options}
            for id_, options in {
                "timeout": {"timeout": duration},
                "late": {"misfire_grace_time": duration},
                "grouped": {"group": f"g{number}"},
                "waiting": {"group": f"g{number}", "misfire_grace_time": duration},
            }.items()
        )  # fmt: skip
        scheduler.add_job(
            work.add,
            "date",
            run_date=PAST,
            args=[1, None],
            id=f"failing{number}",
            retry=Retry(2, delay=duration, longest_delay=duration, jitter=duration),
        )
    numbers = range(len(NEVER))
    ended = outcomes(
        scheduler, *(f"{id_}{number}" for id_ in ("timeout", "late", "failing") for number in numbers)
    )
    assert [ended[f"failing{number}"] for number in numbers] == ["failed"] * len(NEVER)
    assert {ended[f"{id_}{number}"] for id_ in ("timeout", "late") for number in numbers} == {"succeeded"}
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="after")
    assert outcomes(scheduler, "after") == {"after": "succeeded"}
    for number in numbers:
        grouped = [run for id_ in ("grouped", "waiting") for run in scheduler.get_runs(f"{id_}{number}")]
        assert [run.outcome for run in grouped if run.outcome is not None] == ["succeeded"]
        (again,) = [run for run in scheduler.get_runs(f"failing{number}") if run.outcome is None]
        assert again.state == "queued"
        assert again.available > PAST + timedelta(days=36500)
    assert scheduler.health().ok


def test_names_that_are_as_long_as_they_may_be(scheduler):
    scheduler.set_group(LONGEST, limit=1)
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="j" * 191, group=LONGEST)
    assert outcomes(scheduler, "j" * 191) == {"j" * 191: "succeeded"}
    assert scheduler.get_jobs(search="x" * 100_000) == []


def test_names_that_are_longer_are_refused(scheduler):
    if isinstance(scheduler._stores["default"], SharedJobStore):  # others have room for any
        for options in ({"executor": "e" * 192}, {"trigger": AfterJob("j" * 192)}, {"id": "j" * 192}):
            with pytest.raises(
                ValueError, match=r"of a stored job may have 191 characters, got 192: '(e|j)+'…"
            ):
                scheduler.add_job(work.add, args=[1, 2], **{"trigger": "date", **options})
    with pytest.raises(ValueError, match=r"^group may have 191 characters, got 192: 'g+'…$"):
        scheduler.add_job(work.add, "date", args=[1, 2], group="g" * 192)
    with pytest.raises(ValueError, match=r"up to 191 characters that is not empty, got 'g+'$"):
        scheduler.set_group("g" * 192, limit=1)
    with pytest.raises(ValueError, match="can't have NUL"):
        scheduler.set_group("g\0", limit=1)
    assert scheduler.get_jobs() == []


def test_numbers_that_no_store_keeps(scheduler):
    names = ["max_instances", "max_runs", "catch_up_limit", "reruns", "pause_after_failures"]
    most = dict.fromkeys(names, 2**63 - 1)
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="a", retry=Retry(2**63 - 1), **most)
    assert outcomes(scheduler, "a") == {"a": "succeeded"}
    for name in names:
        with pytest.raises(
            TypeError, match=rf"{name} must be .*, and 9,223,372,036,854,775,807 at most.*, got 9"
        ):
            scheduler.add_job(work.add, "date", args=[1, 2], **{name: 2**63})
    with pytest.raises(ValueError, match=r"attempts must be .* at most, got 9"):
        Retry(2**63)


def test_an_alarm_of_centuries_keeps_no_other_from_ringing():
    alarms = Alarms(lambda: logging.getLogger(__name__))
    rung = threading.Event()
    alarms.add(1e13, lambda: None)
    work.eventually(lambda: alarms._thread is not None)
    alarms.add(0.01, rung.set)
    assert rung.wait(30)
    alarms.clear()


def test_metadata_that_is_too_deep_is_no_metadata(make_scheduler):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TypeError, match="metadata must hold what JSON can"):
        make_scheduler().add_job(work.add, "date", args=[1, 2], metadata={"deep": deep})

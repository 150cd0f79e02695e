"""Identifiers are unique, attempts have no gap and a reason each, and nothing begins before its time."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from mainspring.engine.retrying import rerun_pause
from mainspring.testing.checker.evidence import (
    AGAIN,
    RETRIED,
    at,
    in_utc,
    is_promised,
    name_of,
    shortest_wait,
)
from mainspring.testing.checker.values import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.model import JobOptions, RunRecord
    from mainspring.testing.checker.evidence import Evidence
    from mainspring.testing.checker.values import ObservedJob

#: Of a run that ended so, a backfill makes another.
_FILLED = frozenset({"missed", "skipped", "cancelled", "lost"})


def attempt_faults(evidence: Evidence) -> Iterator[Fault]:
    """What is wrong about each run by itself, and about the attempts of it."""
    for key, records in evidence.by_key.items():
        if len(records) > 1:
            told = ", ".join(f"{run.cause} ({run.state})" for run in records)
            yield Fault("same_id", f"{len(records)} records have the identifier {key.id!r}: {told}")
    for job_id, runs in evidence.runs.items():
        job = evidence.jobs.get(job_id)
        for time, group in groupby(runs, key=lambda run: in_utc(run.scheduled_run_time)):
            attempts = list(group)
            yield from _gaps(job_id, time, attempts)
            for run in attempts:
                yield from _order(evidence, run)
                if job is not None:
                    yield from _reason(evidence, job, run, attempts)
                    yield from _what_is_due(evidence, job, run)


def _gaps(job_id: str, time: datetime, attempts: list[RunRecord]) -> Iterator[Fault]:
    numbers = sorted({run.attempt for run in attempts})
    if numbers != list(range(1, len(numbers) + 1)):
        told = ", ".join(map(str, numbers))
        yield Fault(
            "attempts", f"job {job_id!r} has the attempts {told} at {at(time)}: they are to be counted from 1"
        )


def _order(evidence: Evidence, run: RunRecord) -> Iterator[Fault]:
    precision = evidence.observed.precision
    if run.started is not None and run.finished is not None and run.finished < run.started - precision:
        yield Fault(
            "times", f"{name_of(run)} ended at {at(run.finished)}, before it began at {at(run.started)}"
        )
    moments = [("claimed", run.claimed), ("began", None if run.claimed else run.started)]
    moments += [("was called", call.began) for call in evidence.calls_of(run)]
    for what, moment in moments:
        if moment is None:
            continue
        if moment < run.scheduled_run_time - precision:
            early = in_utc(run.scheduled_run_time) - moment
            what = "was claimed" if what == "claimed" else what  # noqa: PLW2901 - as it is said
            yield Fault("early", f"{name_of(run)} {what} at {at(moment)}, {early} before it was due")
            return
        if run.available is not None and moment < run.available - precision:
            yield Fault(
                "early", f"{name_of(run)} began at {at(moment)}, but was to wait until {at(run.available)}"
            )
            return


def _reason(
    evidence: Evidence, job: ObservedJob, run: RunRecord, attempts: list[RunRecord]
) -> Iterator[Fault]:
    """Whether something calls for this attempt."""
    before = next((each for each in attempts if each.attempt == run.attempt - 1), None)
    if run.cause in AGAIN:
        before = evidence.caller_of(run) or before
        if before is None:
            if run.attempt == 1:
                yield Fault("attempts", f"{name_of(run)} is a {run.cause} of nothing: it is a first attempt")
            return
        yield from _is_called_for(
            run, before, _options_of(evidence, job, before), evidence.observed.precision
        )
    elif run.cause in {"backfill", "parallel"} and before is not None and before.outcome not in _FILLED:
        yield Fault(
            "double",
            f"{name_of(run)} is of a backfill, though the attempt before it is {before.state}: that has been run",
        )


def _options_of(evidence: Evidence, job: ObservedJob, run: RunRecord) -> list[JobOptions]:
    """The options that may have decided what follows from a run's end: those with which it was claimed, or those of its job at the end."""
    end = evidence.options(job, run.finished or evidence.observed.until)
    return [*evidence.options_when_claimed(job, run), *end]


def _is_called_for(
    run: RunRecord, before: RunRecord, options: list[JobOptions], precision: timedelta
) -> Iterator[Fault]:
    retries = [each.retry for each in options if each.retry is not None]
    if before.outcome == "lost" and any(each.on_lost == "rerun" for each in options):
        return
    if run.cause == "rerun":
        yield Fault(
            "attempts",
            f"{name_of(run)} is a rerun, but the attempt before it is {before.state}, not lost with on_lost='rerun'",
        )
    elif not retries or before.outcome not in RETRIED:
        yield Fault(
            "attempts",
            f"{name_of(run)} is a retry, but the attempt before it is {before.state}, or its job has no retries",
        )
    elif all(before.attempt - before.reruns >= retry.attempts for retry in retries):
        most = max(retry.attempts for retry in retries)
        yield Fault("attempts", f"{name_of(run)} is attempt {run.attempt}, and only {most} are to be made")
    elif before.finished is not None and run.started is not None:
        wait = min(shortest_wait(before, each) for each in options if each.retry is not None)
        if run.started < before.finished + wait - precision:
            yield Fault(
                "early",
                f"{name_of(run)} began at {at(run.started)}; {wait} after {at(before.finished)} was the earliest for a retry",
            )


def is_final(evidence: Evidence, job: ObservedJob | None, run: RunRecord) -> bool | None:
    """Whether a run's outcome is the last word on its due time; ``None``: it can't be said."""
    if run.outcome is None:
        return False
    if evidence.follow_up_of(run) is not None:
        return False
    if job is None or run.outcome not in RETRIED:
        return True
    options = _options_of(evidence, job, run)
    promised = [is_promised(run, each) for each in options]
    if None in promised or len(set(promised)) > 1:
        return None
    return not promised[0]


def _what_is_due(evidence: Evidence, job: ObservedJob, last: RunRecord) -> Iterator[Fault]:
    """Whether the attempt that a failure calls for has been made."""
    observed = evidence.observed
    if last.outcome not in RETRIED or last.finished is None or evidence.follow_up_of(last) is not None:
        return
    if is_final(evidence, job, last) is not False:
        return
    if any(
        change.kind in {"removed", "added"} and change.at >= last.finished - observed.patience
        for change in job.changes
    ):
        return  # it goes with its job
    options = evidence.options(job, last.finished)
    retries = [each.retry for each in options if each.retry is not None]
    wait = max(shortest_wait(last, each) for each in options)
    wait += timedelta(seconds=max((retry.jitter.total_seconds() for retry in retries), default=0))
    due = last.finished + (rerun_pause(last.reruns) if last.outcome == "lost" and not retries else wait)
    # It is queued when the outcome is written, long before it is due.
    if evidence.served(last.finished, observed.until) > observed.patience:
        yield Fault(
            "miss",
            f"{name_of(last)} is {last.outcome}, and attempt {last.attempt + 1}, due by {at(due)}, is nowhere",
        )

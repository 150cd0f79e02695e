"""What the functions noted agrees with the records, and none was called twice for one run."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mainspring.testing.checker.evidence import AGAIN, NOT_BEGUN, at, in_utc, name_of
from mainspring.testing.checker.values import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.testing.checker.evidence import Evidence
    from mainspring.testing.checker.values import Call, FaultKind

#: Of a run that ended so, its function may go on for a while, counted as ended.
_STOPPED = frozenset({"timed_out", "cancelled"})


def call_faults(evidence: Evidence) -> Iterator[Fault]:
    """Calls without a run, runs without a call, and calls that there should not have been."""
    if evidence.observed.calls is None:
        return
    for key, calls in evidence.calls.items():
        if len(calls) > 1:
            told = " and ".join(_where(call) for call in calls)
            yield Fault(
                "called_twice", f"the function of run {key.id!r} was called {len(calls)} times: {told}"
            )
    for (job_id, time), calls in evidence.calls_at.items():
        yield from _beside_itself(evidence, job_id, time, calls)
        yield from _without_record(evidence, job_id, time, calls)
    yield from _without_call(evidence)


def _beside_itself(evidence: Evidence, job_id: str, time: datetime, calls: list[Call]) -> Iterator[Fault]:
    """A function that was called again for a due time while it went on for that."""
    for previous, call in pairwise(calls):
        before = previous
        again = [] if call.attempt is None else evidence.records_of(job_id, time, call.attempt)
        if again:
            if all(run.cause not in AGAIN for run in again):
                continue  # it was asked to: its job was moved back, or runs them side by side; whether it was, is judged by its schedule
            caller = evidence.caller_of(again[0])
            if caller is not None:  # what else goes on for that time is beside it by right
                before = next((each for each in reversed(calls) if each.attempt == caller.attempt), previous)
        if before.attempt == call.attempt:
            continue  # told already, unless the attempts aren't known
        end = evidence.end_of(before)
        if end is not None and end <= call.began:
            continue
        records = [] if before.attempt is None else evidence.records_of(job_id, time, before.attempt)
        if any(
            run.outcome in _STOPPED
            and run.finished is not None
            and run.finished <= call.began + evidence.observed.precision
            for run in records
        ):
            continue  # it was told to stop, and counts as ended
        yield Fault(
            "called_twice",
            f"the function of job {job_id!r} was called for {at(time)} {_where(call)}, though the call {_where(before)} still went on, "
            + ("and its node lives" if end is None else f"until {at(end)}"),
        )


def _without_record(evidence: Evidence, job_id: str, time: datetime, calls: list[Call]) -> Iterator[Fault]:
    begun = [
        run
        for run in evidence.runs[job_id]
        if in_utc(run.scheduled_run_time) == time and run.outcome not in NOT_BEGUN and run.state != "queued"
    ]
    for call in calls:
        if call.attempt is not None and all(run.attempt != call.attempt for run in begun):
            records = evidence.records_of(job_id, time, call.attempt)
            state = f"its record says {records[0].state!r}" if records else "no record knows of it"
            yield Fault(
                "no_record",
                f"the function of job {job_id!r} was called for {at(time)}, attempt {call.attempt}, {_where(call)}, and {state}",
            )
    unknown = [call for call in calls if call.attempt is None]
    if len(calls) > len(begun) and unknown:
        kind: FaultKind = "called_twice" if begun else "no_record"
        told = " and ".join(_where(call) for call in calls)
        yield Fault(
            kind,
            f"the function of job {job_id!r} was called {len(calls)} times for {at(time)} ({told}), and {len(begun)} runs of that time had begun",
        )


def _without_call(evidence: Evidence) -> Iterator[Fault]:
    unsure = {call.job_id for call in evidence.observed.calls or () if call.scheduled_run_time is None}
    for job in evidence.observed.jobs:
        if not job.keeps_diary or job.id in unsure:
            continue
        for run in evidence.runs[job.id]:
            if run.outcome not in {"succeeded", "failed"} or run.started is None:
                continue
            calls = [
                call
                for call in evidence.calls_at.get((job.id, in_utc(run.scheduled_run_time)), [])
                if call.attempt in {None, run.attempt}
            ]
            if not calls:
                yield Fault("no_call", f"{name_of(run)} is {run.outcome}, and its function has noted no call")
            elif run.outcome == "succeeded" and all(call.ended is None for call in calls):
                yield Fault("no_call", f"{name_of(run)} is succeeded, and its function has not noted an end")


def _where(call: Call) -> str:
    where = f" in process {call.pids[0]}" if call.pids else ""
    where += f" on node {call.node}" if call.node else ""
    return f"at {at(call.began)}{where}"

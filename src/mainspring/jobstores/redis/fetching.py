"""What a claim reads: due jobs and available queued runs. What is due is held for a moment, so that other nodes find other jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.jobstores.redis.rows import micros, read_job
from mainspring.jobstores.redis.runs import read_queued
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.claims import ClaimRequest
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.rows import Unreadable
    from mainspring.model import JobRecord, QueuedRun

#: How long jobs that were read are left to the node that has read them.
_HOLD = timedelta(seconds=2)
#: What is read of a job, but for its executor, under which it is due. The first three are what many jobs have in common.
_COLUMNS = ("func", "trigger", "options", "name", "arguments", "next_run_time", "tags", "tally", "version")


class Place(NamedTuple):
    """Where a due job stands: when it is due, as the server has it, and for whom."""

    due: str
    executor: str


class Busy(NamedTuple):
    """How many runs of a job go on, how many are queued because they overlapped, and how many are queued at all."""

    running: int = 0
    buffered: int = 0
    queued: int = 0


#: Of a job without runs.
NOT_BUSY = Busy()


class Fetched(NamedTuple):
    """What was read, all at one moment.

    Attributes:
        places: of the jobs that are due.
        due: those jobs, in the order in which they are to be run.
        busy: of the due jobs with runs.
        hold: where the due jobs are held.
        runs: queued runs that are available.
        jobs: the jobs of those runs, as far as they are there.
        running: how many instances of these jobs go on.
        created: when they were created.
        groups: by name: limits, instances that go on, when runs were begun, version.
    """

    places: dict[str, Place]
    due: dict[str, JobRecord | Unreadable]
    busy: dict[str, Busy]
    hold: str | bool
    runs: list[QueuedRun]
    jobs: dict[str, JobRecord | Unreadable]
    running: dict[str, int]
    created: dict[str, Any]
    groups: Mapping[str, Any]


def fetch(
    server: Server, node_context: NodeContext, request: ClaimRequest, give_up: Callable[[], bool]
) -> Fetched:
    """Read what there is for a node to claim."""
    question = {
        "now": micros(request.now),
        "hold": micros(shifted(node_context.now(), _HOLD)),
        "limit": request.limit,
        "executors": sorted(request.executors),
        "set_aside": sorted(request.set_aside),
        "looks_into_queue": request.looks_into_queue,
        "columns": _COLUMNS,
        "queued_columns": [*_COLUMNS, "executor", "created"],
    }
    found = server.ask("fetch", question, give_up)
    texts = found["texts"]
    functions: dict[str, Any] = {}

    def read(job_id: str, executor: str, row: Sequence[Any]) -> JobRecord | Unreadable:
        func, trigger, options, name, arguments, due, tags, counters, version = row
        common = [text and texts[text] for text in (func, trigger, options)]
        fields = (name, common[0], common[1], arguments, due, executor, common[2], tags, counters, version)
        return read_job(job_id, fields, node_context, functions)

    ids = found["ids"]
    return Fetched(
        places=dict(zip(ids, map(Place, found["dues"], found["executors"]), strict=True)),
        due={
            job_id: read(job_id, executor, row)
            for job_id, executor, row in zip(ids, found["executors"], found["rows"], strict=True)
        },
        busy={job_id: Busy(*counts) for job_id, *counts in found["busy"]},
        hold=found["hold"],
        runs=[read_queued(name, text, request.now) for name, text in found["runs"]],
        jobs={job_id: read(job_id, row[-2], row[:-2]) for job_id, row, _ in found["jobs"]},
        running={job_id: count for job_id, _, count in found["jobs"]},
        created={job_id: row[-1] for job_id, row, _ in found["jobs"]},
        groups=found["groups"],
    )

"""Taking due jobs: what is due is read, decided on, and moved if it is still what was decided on.

Nothing is locked in between. What was read is held for a moment, so that nodes which look at the same time find different jobs.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.engine.grouping import GroupBook
from mainspring.jobstores.redis.rows import FIELDS, micros, moment_of, read_job
from mainspring.jobstores.redis.runs import new_run, outcome_of, queued_run, read_queued, written
from mainspring.jobstores.shared.claims import (
    Claim,
    Claimed,
    QueueClaim,
    buffered_runs,
    decide_queued_runs,
    groups_of,
    move_of,
)
from mainspring.jobstores.shared.rows import Unreadable, time_text, written_tally
from mainspring.jobstores.shared.runs import claimed_runs
from mainspring.model import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.redis.ending import Ending
    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.claims import ClaimRequest
    from mainspring.jobstores.shared.setting import Setting
    from mainspring.model import JobRecord, QueuedRun

#: How long jobs that were read are left to the node that has read them.
_HOLD = timedelta(seconds=2)


class _Due(NamedTuple):
    """A job that was read, with what was known of its runs at the same moment."""

    job_id: str
    due: str
    executor: str
    record: JobRecord | Unreadable
    running: int
    buffered: int
    queued: int
    created: Any


class Claiming:
    """What a claim asks and does."""

    def __init__(self, server: Server, setting: Setting, ending: Ending) -> None:
        self._server = server
        self._setting = setting
        self._ending = ending

    def claim(self, request: ClaimRequest, give_up: Callable[[], bool]) -> Claimed:
        """Take due jobs and queued runs, and write outcomes along with that."""
        # Outcomes first: what has ended is not to be counted among what runs.
        finished = self._ending.finish(request.ended, give_up) if request.ended else None
        hold = micros(self._setting.now() + _HOLD)
        fetched = self._server.ask(
            "fetch",
            {
                "now": micros(request.now),
                "hold": hold,
                "limit": request.limit,
                "executors": sorted(request.executors),
                "set_aside": sorted(request.set_aside),
                "looks_into_queue": request.looks_into_queue,
                "columns": [*FIELDS, "group_name", "created"],
            },
            give_up,
        )
        due = [self._due(row) for row in fetched["rows"]]
        jobs = [self._due(row) for row in fetched["jobs"]]
        runs = [read_queued(text, request.now) for text in fetched["runs"]]
        book, versions = self._book(fetched["groups"], [one.record for one in (*due, *jobs)], request.now)
        running = {one.job_id: one.running for one in (*jobs, *due)}
        blocked: list[str] = []
        queued, orphans = decide_queued_runs(
            sorted(runs, key=lambda run: run.scheduled_run_time),
            {one.job_id: one.record for one in jobs},
            running,
            request,
            book,
            blocked,
            self._setting.timezone,
        )
        claim = Claim([], {}, [], None)
        buffered = {one.job_id: one.buffered for one in due}
        for one in due:
            claim.add(one.record, request.decide, running[one.job_id], lambda job_id: buffered[job_id], book)
        decided = [
            *self._taken(queued, jobs),
            *self._moved(claim.decisions, due, running, request.now),
        ]
        for written_decision, decision in zip(decided, (*queued, *claim.decisions), strict=True):
            group = decision.job.options.group
            if group is not None:
                written_decision["group_version"] = versions[group]
        left = claim.ids_left()
        answer = self._server.ask(
            "claim",
            {
                "token": str(request.token),
                "claimed": written(
                    {
                        "node": self._setting.node_name,
                        "token": request.token,
                        "claimed": time_text(request.now),
                    }
                ),
                "updated": time_text(request.now),
                "decisions": decided,
                "begun": {}
                if book is None
                else {
                    name: [repr(time.timestamp()) for time in times] for name, times in book.begun().items()
                },
                "orphans": [self._orphan(run, request.now) for run in orphans],
                "hold": hold,
                "unhold": [
                    {"id": one.job_id, "executor": one.executor, "due": one.due}
                    for one in due
                    if one.job_id in left
                ],
                "executors": sorted(request.executors),
                "set_aside": sorted({*request.set_aside, *left}),
            },
            give_up,
        )
        attempts = list(answer["attempts"])
        taken = [one for one, attempt in zip(queued, attempts, strict=False) if attempt is not False]
        valid = []
        for decision, attempt in zip(claim.decisions, attempts[len(queued) :], strict=True):
            if attempt is not False:
                decision.attempt = int(attempt)
                valid.append(decision)
        is_full = len(due) == request.limit
        next_time = request.now if is_full else moment_of(answer["next"]) if answer["next"] else None
        return Claimed(
            QueueClaim(taken, is_blocked=bool(blocked)),
            Claim(valid, claim.waiting, claim.parked, next_time),
            [] if finished is None else finished.refused,
            moment_of(answer["queue"]) if answer["queue"] else None,
        )

    def _due(self, row: Sequence[Any]) -> _Due:
        job_id, due, executor, (*fields, _, created), running, buffered, queued = row
        record = read_job(job_id, fields, self._setting)
        return _Due(job_id, due, executor, record, running, buffered, queued, created)

    def _book(
        self, found: Mapping[str, Any], records: Sequence[JobRecord | Unreadable], now: datetime
    ) -> tuple[GroupBook | None, dict[str, str]]:
        """What groups have room for, and the versions of what was read of them; nothing if no job is in one."""
        if not groups_of(records):
            return None, {}
        limits = {name: read_group(name, group[0]) for name, group in found.items() if group[0]}
        begun = {
            name: [datetime.fromtimestamp(float(time), UTC) for time in group[2]]
            for name, group in found.items()
        }
        book = GroupBook(limits, {name: group[1] for name, group in found.items()}, begun, now)
        return book, {name: group[3] for name, group in found.items()}

    def _taken(self, decisions: Sequence[Decision], jobs: Sequence[_Due]) -> list[dict[str, Any]]:
        """Decisions about queued runs, as the script takes them."""
        running = {one.job_id: one.running for one in jobs}
        created = {one.job_id: one.created for one in jobs}
        found = []
        for decision in decisions:
            job, run = decision.job, decision.run
            if run is not None:
                found.append(
                    {
                        "job_id": job.id,
                        "version": str(job.version),
                        "created": created[job.id],
                        "running": running[job.id],
                        "queued_name": run.key.id,
                        "group": job.options.group or False,
                    }
                )
                running[job.id] += 1
        return found

    def _moved(
        self, decisions: Sequence[Decision], due: Sequence[_Due], running: Mapping[str, int], now: datetime
    ) -> list[dict[str, Any]]:
        """Decisions about due jobs, as the script takes them."""
        known = {one.job_id: one for one in due}
        return [self._move(decision, known[decision.job.id], running, now) for decision in decisions]

    def _move(
        self, decision: Decision, known: _Due, running: Mapping[str, int], now: datetime
    ) -> dict[str, Any]:
        job, following = decision.job, decision.following
        move = move_of(decision, lambda _: known.queued > 0)
        runs = claimed_runs(decision, now)
        submitted = len(decision.submit)
        found: dict[str, Any] = {
            "job_id": job.id,
            "executor": known.executor,
            "version": str(job.version),
            "created": known.created,
            "running": running[job.id],
            "buffered_before": known.buffered,
            "queued_before": known.queued,
            "queued_name": False,
            "group": job.options.group or False,
            "cancels": decision.cancels,
            "attempt": decision.attempt,
            "submit": [new_run(run) for run in runs[:submitted]],
            "not_run": [new_run(run) for run in runs[submitted:]],
            "buffer": [queued_run(run) for run in buffered_runs(decision, now)],
            "move": False,
        }
        if move is not None:
            remembers = following is not None and following.tally is not job.tally
            time = move.next_run_time
            found["move"] = {
                "version": str(job.version + 1),
                "state": move.state,
                "due": False if time is None else micros(time),
                "next_run_time": False if time is None else time_text(time),
                "tally": written_tally(following.tally) if remembers and following is not None else False,
            }
        return found

    def _orphan(self, run: QueuedRun, now: datetime) -> dict[str, Any]:
        return {
            "job_id": run.job_id,
            "name": run.key.id,
            "scheduled": micros(run.scheduled_run_time),
            "outcome": outcome_of(now, "skipped", "its job was removed"),
        }


def written_group(group: Group) -> str:
    """The limits of a group."""
    per = group.per // timedelta(milliseconds=1)
    return json.dumps({"limit": group.limit, "rate": group.rate, "per": per})


def read_group(name: str, text: str) -> Group:
    """The group with these limits."""
    found = json.loads(text)
    return Group(name, found["limit"], found["rate"], timedelta(milliseconds=found["per"]))

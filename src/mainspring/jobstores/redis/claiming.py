"""Taking due jobs: what is due is read, decided on, and moved if it is still what was decided on.

Nothing is locked in between. What was read is held for a moment, so that nodes which look at the same time find different jobs; as long
as a job is held where it was, it is still what was decided on.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.engine.grouping import GroupBudget
from mainspring.jobstores.redis.fetching import NOT_BUSY, fetch
from mainspring.jobstores.redis.plain import PlainDecisions
from mainspring.jobstores.redis.rows import micros, moment_of
from mainspring.jobstores.redis.runs import new_run, not_begun, queued_run, written
from mainspring.jobstores.shared.claims import (
    Claim,
    Claimed,
    QueueClaim,
    buffered_runs,
    decide_in_turn,
    groups_of,
    move_of,
)
from mainspring.jobstores.shared.rows import time_text, written_counters
from mainspring.jobstores.shared.runs import Finished, claimed_runs
from mainspring.model import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.redis.fetching import Fetched
    from mainspring.jobstores.redis.outcome_writer import OutcomeWriter
    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.claims import ClaimRequest
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import Outcome, QueuedRun


class Claiming:
    """What a claim asks and does."""

    def __init__(self, server: Server, node_context: NodeContext, ending: OutcomeWriter) -> None:
        self._server = server
        self._node_context = node_context
        self._outcome_writer = ending

    def claim(self, request: ClaimRequest, give_up: Callable[[], bool]) -> Claimed:
        """Take due jobs and queued runs, and write outcomes along with that."""
        # Outcomes first: what has ended is not to be counted among what runs.
        finished = self._outcome_writer.finish(request.ended, give_up) if request.ended else Finished()
        found = fetch(self._server, self._node_context, request, give_up)
        budget = _budget(found, request.now)
        running = {job_id: busy.running for job_id, busy in found.busy.items()} | found.running
        blocked: dict[str, datetime | None] = {}
        claim = Claim([], {}, [], None)
        decided_queue = decide_in_turn(
            claim,
            found.due.values(),
            found.runs,
            found.jobs,
            running,
            request,
            budget,
            blocked,
            lambda job_id: found.busy[job_id].buffered,
            self._node_context.timezone,
        )
        again = decided_queue.begun

        plain = PlainDecisions()
        others = [one for one in claim.decisions if not self._is_plain(one, found, plain)]
        decided = [*_taken(again, found), *(_moved(one, found, running, request.now) for one in others)]
        left = claim.ids_left()
        decided_ids = {decision.job.id for decision in claim.decisions}
        answer = self._server.ask(
            "claim",
            {
                "token": str(request.token),
                "claimed": self._said_of_claim(request),
                "updated": time_text(request.now),
                "hold": found.hold,
                "decisions": decided,
                "plain": plain.written(),
                "begun": {}
                if budget is None
                else {
                    name: [repr(time.timestamp()) for time in times] for name, times in budget.begun().items()
                },
                "not_run": [
                    _not_run(run, outcome, told, request.now)
                    for run, outcome, told in decided_queue.not_run(request.now)
                ],
                "unhold": [
                    {"id": job_id, "executor": place.executor, "due": place.due}
                    for job_id, place in found.places.items()
                    if job_id in left or job_id not in decided_ids  # it wasn't its turn
                ],
                "executors": sorted(request.executors),
                "set_aside": sorted({*request.set_aside, *left}),
                "blocked": sorted(blocked),
            },
            give_up,
        )
        told = list(answer["attempts"])
        attempts = plain.attempts(answer["plain"])
        attempts.update(zip((one.job.id for one in others), told[len(again) :], strict=True))
        valid = []
        for decision in claim.decisions:
            attempt = attempts[decision.job.id]
            if attempt is not False:
                times = decision.run_times()
                decision.attempts = {
                    time.astimezone(UTC): int(one)
                    for time, one in zip(times, attempt, strict=True)
                    if one != 1
                }
                valid.append(decision)
        is_full = len(found.due) == request.limit
        next_time = request.now if is_full else moment_of(answer["next"]) if answer["next"] else None
        taken = [one for one, attempt in zip(again, told, strict=False) if attempt is not False]
        return Claimed(
            QueueClaim([*taken, *decided_queue.missed], blocked),
            Claim(valid, claim.waiting, claim.parked, next_time),
            finished,
            moment_of(answer["queue"]) if answer["queue"] else None,
        )

    def _is_plain(self, decision: Decision, found: Fetched, plain: PlainDecisions) -> bool:
        job_id = decision.job.id
        return job_id not in found.busy and plain.take(decision, found.places[job_id].executor)

    def _said_of_claim(self, request: ClaimRequest) -> str:
        """What is kept of each run that is claimed."""
        said = {
            "node": self._node_context.node_name,
            "token": request.token,
            "claimed": time_text(request.now),
        }
        return written(said)


def _budget(found: Fetched, now: datetime) -> GroupBudget | None:
    """What groups have room for; nothing if no job is in one."""
    if not groups_of([*found.due.values(), *found.jobs.values()]):
        return None
    limits = {name: read_group(name, group[0]) for name, group in found.groups.items() if group[0]}
    begun = {
        name: [datetime.fromtimestamp(float(time), UTC) for time in group[2]]
        for name, group in found.groups.items()
    }
    return GroupBudget(limits, {name: group[1] for name, group in found.groups.items()}, begun, now)


def _of_group(decision: Decision, found: Fetched) -> dict[str, Any]:
    """The group that a decision is about, if it is about one, at the version that was read."""
    group = decision.job.options.group
    return {"group": False} if group is None else {"group": group, "group_version": found.groups[group][3]}


def _taken(decisions: Sequence[Decision], found: Fetched) -> list[dict[str, Any]]:
    """Decisions about queued runs, as the script takes them."""
    running = dict(found.running)
    taken = []
    for decision in decisions:
        job, run = decision.job, decision.run
        if run is not None:
            taken.append(
                {
                    "job_id": job.id,
                    "version": str(job.version),
                    "created": found.created[job.id],
                    "running": running[job.id],
                    "queued_name": run.key.id,
                    **_of_group(decision, found),
                }
            )
            running[job.id] += 1
    return taken


def _moved(decision: Decision, found: Fetched, running: Mapping[str, int], now: datetime) -> dict[str, Any]:
    """A decision about a due job, as the script takes it."""
    job, following = decision.job, decision.following
    busy = found.busy.get(job.id, NOT_BUSY)
    move = move_of(decision, lambda _: busy.queued > 0, lambda _: busy.running > 0)
    runs = claimed_runs(decision, now)
    submitted = len(decision.submit)
    moved: dict[str, Any] = {
        "job_id": job.id,
        "executor": found.places[job.id].executor,
        "running": running.get(job.id, 0),
        "buffered_before": busy.buffered,
        "queued_before": busy.queued,
        "queued_name": False,
        "cancels": decision.cancels,
        "submit": [new_run(run) for run in runs[:submitted]],
        "not_run": [new_run(run) for run in runs[submitted:]],
        "buffer": [queued_run(run) for run in buffered_runs(decision, now)],
        "move": False,
        **_of_group(decision, found),
    }
    if move is not None:
        remembers = following is not None and following.counters is not job.counters
        time = move.next_run_time
        moved["move"] = {
            "version": str(job.version + 1),
            "state": move.state,
            "due": False if time is None else micros(time),
            "next_run_time": False if time is None else time_text(time),
            "tally": written_counters(following.counters) if remembers and following is not None else False,
        }
    return moved


def _not_run(run: QueuedRun, outcome: Outcome, told: str, now: datetime) -> dict[str, Any]:
    return {
        "job_id": run.job_id,
        "name": run.key.id,
        "scheduled": micros(run.scheduled_run_time),
        "outcome": not_begun(now, outcome, told),
    }


def written_group(group: Group) -> str:
    """The limits of a group."""
    per = group.per // timedelta(milliseconds=1)
    return json.dumps({"limit": group.limit, "rate": group.rate, "per": per})


def read_group(name: str, text: str) -> Group:
    """The group with these limits."""
    found = json.loads(text)
    return Group(name, found["limit"], found["rate"], timedelta(milliseconds=found["per"]))

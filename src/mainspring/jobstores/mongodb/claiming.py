"""Taking due jobs: each claim is one change of one document, on the condition that it is still what was decided on.

A job's document has the runs of it that go on, so that its next run time and its runs change together, with or without
transactions. What a claim says besides (runs that are not to be run, or have to wait) is put down there too, and moved to the runs
afterwards: by whoever claimed, or, if that died, by any other.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import TYPE_CHECKING

from mainspring.engine.attempts import next_attempts
from mainspring.engine.grouping import GroupBudget, without
from mainspring.engine.reasons import JOB_REMOVED
from mainspring.jobstores.mongodb.claim_updates import JobClaim, updates_of
from mainspring.jobstores.mongodb.documents import (
    QUEUED,
    RUNNING,
    active_run,
    disowned_names,
    name_of,
    queued_run,
    read_job,
    run_not_begun,
    running,
    text_of,
)
from mainspring.jobstores.mongodb.outbox import move_outboxes
from mainspring.jobstores.mongodb.server import chunks
from mainspring.jobstores.shared.claims import (
    Claim,
    Claimed,
    QueueClaim,
    buffered_runs,
    decide_in_turn,
    groups_of,
    move_of,
)
from mainspring.jobstores.shared.rows import ENDING
from mainspring.jobstores.shared.runs import Finished, NewRun, claimed_runs, queued_record, written_due_times
from mainspring.model import Group
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.jobs import Jobs
    from mainspring.jobstores.mongodb.outcome_writer import OutcomeWriter
    from mainspring.jobstores.mongodb.server import Server
    from mainspring.jobstores.shared.claims import ClaimRequest
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.rows import Unreadable
    from mainspring.model import JobRecord, QueuedRun

#: Over so many times as many jobs as are claimed at a time nodes spread that are in each other's way.
_SPREAD = 4
#: So often queued runs are looked for, each time those of other jobs.
_LOOKS = 5
#: So many runs are looked up at a time. Hardly ever is one of them there.
_NAMES = 1000
#: A place in a group that was reserved so long ago is one that somebody has died with.
_RESERVED_FOR = timedelta(seconds=10)


def is_open(executors: Collection[str], set_aside: Collection[str], now: datetime) -> Document:
    """The jobs that a node may run: an ``_id`` that is no text is somebody else's, and one that is held is just being changed."""
    ids: Document = {"$type": "string"}
    if set_aside:
        ids["$nin"] = list(set_aside)
    return {
        "_id": ids,
        "executor": {"$in": list(executors)},
        "held_until": {"$not": {"$gt": text_of(now)}},
    }


class Claiming:
    """What a claim asks and does."""

    def __init__(self, server: Server, node_context: NodeContext, ending: OutcomeWriter, jobs: Jobs) -> None:
        self._server = server
        self._node_context = node_context
        self._outcome_writer = ending
        self._jobs = jobs
        self._has_rivals = False

    def next_time(self, executors: Collection[str], set_aside: Collection[str]) -> datetime | None:
        """When the first job is due that isn't `set_aside`, of those with one of these executors."""
        found = self._server.jobs.find_one(
            {**is_open(executors, set_aside, self._node_context.now()), "next_run_time": {"$type": "string"}},
            {"next_run_time": 1},
            sort=[("next_run_time", 1)],
        )
        if found is None:
            return None
        try:
            return datetime.fromisoformat(found["next_run_time"]).replace(tzinfo=UTC)
        except ValueError:  # it is found, and parked, by a claim
            return self._node_context.now()

    def claim(self, request: ClaimRequest, give_up: Callable[[], bool]) -> Claimed:
        """Take due jobs and queued runs, and write outcomes along with that."""
        # Outcomes first: what has ended is not to be counted among what runs.
        finished = self._outcome_writer.finish(request.ended, give_up) if request.ended else Finished()
        queued: list[QueuedRun] = []
        if request.looks_into_queue:
            documents = self._server.run(lambda: self._available(request), give_up)
            queued = [queued_record(document, request.now) for document in documents]
        known = self._server.run(lambda: self._jobs_of(queued), give_up)
        disowned = {name for document in known.values() for name in disowned_names(document)}
        if disowned:
            # What follows from these was made for another job that had the id.
            orphaned = [run for run in queued if _name_of_cause(run) in disowned]
            queued = [run for run in queued if run not in orphaned]
            for run in orphaned:
                self._outcome_writer.end_queued(run.key, "skipped", JOB_REMOVED)
        queue, claim = self._decide(request, queued, known, give_up)
        queued_from = self._server.run(lambda: self.next_available(queue.blocked), give_up)
        return Claimed(queue, claim, finished, queued_from)

    def _jobs_of(self, queued: Sequence[QueuedRun]) -> dict[str, Document]:
        """The documents of the jobs of queued runs."""
        known: dict[str, Document] = {}
        for part in chunks(sorted({run.job_id for run in queued})):
            for document in self._server.jobs.find(
                {"_id": {"$in": list(part)}, "is_removed": {"$exists": False}}
            ):
                known[document["_id"]] = document
        return known

    def _decide(
        self,
        request: ClaimRequest,
        queued: Sequence[QueuedRun],
        known: Mapping[str, Document],
        give_up: Callable[[], bool],
    ) -> tuple[QueueClaim, Claim]:
        """Have it decided about queued runs, whose jobs are `known`, and due jobs, each in its turn; and make it true."""
        documents = self._due(request, give_up)
        due = {document["_id"]: document for document in documents}
        records = [read_job(document, self._node_context) for document in documents]
        jobs = {job_id: read_job(document, self._node_context) for job_id, document in known.items()}
        budget, versions = self._budget([*records, *jobs.values()], request.now)
        claim = Claim([], {}, [], None)
        blocked: dict[str, datetime | None] = {}
        decided = decide_in_turn(
            claim,
            records,
            queued,
            jobs,
            {job_id: running(document) for job_id, document in (*known.items(), *due.items())},
            request,
            budget,
            blocked,
            self._buffered,
            self._node_context.timezone,
        )
        for run, outcome, told in decided.not_run(request.now):
            self._outcome_writer.end_queued(run.key, outcome, told)
        if claim.decisions:  # before their runs are named
            self._server.run(lambda: self._count_attempts(claim.decisions, due), give_up)
        valid = self._reserve([*decided.begun, *claim.decisions], budget, versions, request)
        begun = [decision for decision in valid if decision.run is not None]
        taken = self._server.run(lambda: self._take(begun, known, request), give_up)
        moved = [decision for decision in valid if decision.run is None]
        if begun:
            moved = self._still_valid(moved, begun, taken, due)
        moved = self._make_true(moved, due, request, give_up)
        claim = Claim(moved, claim.waiting, claim.parked, None)
        queue = QueueClaim([*taken, *decided.missed], blocked)
        if len(documents) == request.limit:
            return queue, claim._replace(next_time=request.now)  # there is most likely more
        set_aside = {*request.set_aside, *claim.ids_left()}
        next_time = self._server.run(lambda: self.next_time(request.executors, set_aside), give_up)
        return queue, claim._replace(next_time=next_time)

    def _still_valid(
        self,
        decisions: Sequence[Decision],
        begun: Sequence[Decision],
        taken: Sequence[Decision],
        due: Mapping[str, Document],
    ) -> list[Decision]:
        """Decisions about due jobs that don't rest on a queued run being begun that somebody else has taken, or ended; by now the others are written in their documents."""
        for decision in taken:
            document = due.get(decision.job.id)
            if document is not None:
                document["mark"] = (document.get("mark") or 0) + 1
        untaken = {decision.job.id for decision in begun if decision not in taken}
        self._unreserve([decision for decision in decisions if decision.job.id in untaken], None)
        return [decision for decision in decisions if decision.job.id not in untaken]

    def next_available(self, without: Collection[str] = ()) -> datetime | None:
        """When the first queued run is available, of jobs that are not among those `without`; ``None``: none is queued."""
        which: Document = {"state": QUEUED}
        if without:
            which["job_id"] = {"$nin": list(without)}
        found = self._server.runs.find_one(which, sort=[("available", 1)])
        return None if found is None else queued_record(found, self._node_context.now()).available

    # Due jobs

    def _due(self, request: ClaimRequest, give_up: Callable[[], bool]) -> list[Document]:
        """The documents of jobs that are due, in their order."""
        due = {
            **is_open(request.executors, request.set_aside, request.now),
            "next_run_time": {"$lte": text_of(request.now)},
        }
        order = [("priority", -1), ("next_run_time", 1)]
        if not self._jobs.has_priorities:
            del order[0]

        def find(skipped: int = 0) -> list[Document]:
            return list(self._server.jobs.find(due).sort(order).skip(skipped).limit(request.limit))

        # Where others take the same jobs, and there are more, nodes look at different ones.
        skipped = randbelow(_SPREAD) * request.limit if self._has_rivals else 0
        return self._server.run(lambda: find(skipped) or find(), give_up)

    def _buffered(self, job_id: str) -> int:
        return self._server.runs.count_documents({"job_id": job_id, "state": QUEUED, "cause": "buffered"})

    def _has_queued(self, job_id: str) -> bool:
        return self._server.runs.find_one({"job_id": job_id, "state": QUEUED}, {"_id": 1}) is not None

    def _make_true(
        self,
        decisions: Sequence[Decision],
        known: Mapping[str, Document],
        request: ClaimRequest,
        give_up: Callable[[], bool],
    ) -> list[Decision]:
        """Write decisions; those that were still about what they were made on."""
        if not decisions:
            return []
        claim_id = uuid.uuid4().hex
        some_end = any(decision.following is None for decision in decisions)
        may_be_queued = some_end and self._server.run(self._outcome_writer.is_any_queued, give_up)
        claims = [
            self._claim_of(decision, known[decision.job.id], request, claim_id, may_be_queued=may_be_queued)
            for decision in decisions
        ]
        updates = updates_of(claims, {"claim": claim_id, "updated": text_of(request.now)})

        def write() -> set[str]:
            jobs = self._server.jobs
            written = jobs.bulk_write(updates, ordered=False)
            if written.matched_count == len(decisions):
                return {decision.job.id for decision in decisions}
            return was_written()

        def was_written() -> set[str]:
            ids = [decision.job.id for decision in decisions]
            mine: set[str] = set()
            for part in chunks(ids):
                found = self._server.jobs.find({"_id": {"$in": list(part)}, "claim": claim_id}, {"_id": 1})
                mine.update(one["_id"] for one in found)
            return mine

        # Done again, it finds no job as it was read: then those that have this claim's mark are ours.
        mine = self._server.run(write, give_up)
        self._has_rivals = len(mine) < len(decisions)
        valid = [decision for decision in decisions if decision.job.id in mine]
        said = [decision.job.id for decision in valid if len(decision.run_times()) > len(decision.submit)]
        if said:
            self._server.run(lambda: self._move_outboxes_of(said, claim_id), give_up)
        self._outcome_writer.claimed(valid, self._claimed(request, claim_id))
        self._unreserve(decisions, give_up)
        ended = [decision.job.id for decision in valid if decision.following is None and not decision.submit]
        if ended or said:  # those that were removed meanwhile stayed until this was moved
            self._server.run(lambda: self._outcome_writer.drop_ended([*ended, *said]), give_up)
        return valid

    def _claimed(self, request: ClaimRequest, claim_id: str) -> Document:
        return {
            "node": self._node_context.node_name,
            "token": request.token,
            "claimed": text_of(request.now),
            "claim": claim_id,
        }

    def _claim_of(
        self,
        decision: Decision,
        document: Document,
        request: ClaimRequest,
        claim_id: str,
        *,
        may_be_queued: bool,
    ) -> JobClaim:
        job, following, now = decision.job, decision.following, request.now
        claimed = self._claimed(request, claim_id)
        runs = claimed_runs(decision, now)
        begun, not_begun = runs[: len(decision.submit)], runs[len(decision.submit) :]
        outbox = [run_not_begun(run, claimed) for run in not_begun]
        outbox += [queued_run(run) for run in buffered_runs(decision, now)]
        move = move_of(
            decision,
            lambda job_id: may_be_queued and self._has_queued(job_id),
            lambda _: bool(document.get("active")),
        )
        counters = None if following is None or following.counters is job.counters else following.counters
        return JobClaim(
            document,
            ENDING if move is None else move.state,
            None if move is None else text_of(move.next_run_time),
            None if counters is None else counters._asdict(),
            [active_run(run, claimed) for run in begun],
            outbox,
            decision.cancels,
        )

    def _count_attempts(self, decisions: Sequence[Decision], known: Mapping[str, Document]) -> None:
        """Count the runs of jobs that were run before at the times at which they are due now as further attempts."""
        names: dict[str, Decision] = {}
        for decision in decisions:
            for time in decision.run_times():
                names[name_of(decision.job.id, time, 1)] = decision
        met = {
            one["name"] for decision in decisions for one in known[decision.job.id].get("active", ())
        } & names.keys()
        for part in chunks(list(names), _NAMES):
            met |= {
                found["_id"] for found in self._server.runs.find({"_id": {"$in": list(part)}}, {"_id": 1})
            }
        for job_id in {names[name].job.id for name in met}:
            decision = next(one for one in decisions if one.job.id == job_id)
            times = [text_of(time) for time in decision.run_times()]
            which = {"job_id": job_id, "scheduled": {"$in": times}}
            latest: dict[datetime, int] = {}
            for one in (
                *self._server.runs.find(which, {"scheduled": 1, "attempt": 1}),
                *known[job_id].get("active", ()),
            ):
                time = datetime.fromisoformat(one["scheduled"]).replace(tzinfo=UTC)
                latest[time] = max(one["attempt"], latest.get(time, 0))
            decision.attempts = next_attempts(decision.run_times(), latest)

    def _move_outboxes_of(self, job_ids: Sequence[str], claim_id: str) -> None:
        for part in chunks(job_ids):
            self.move_outboxes({"_id": {"$in": list(part)}, "claim": claim_id})

    def move_outboxes(self, which: Document) -> list[str]:
        """Move what claims have said besides to the runs; of which jobs. May be done again, and by several at once."""
        return move_outboxes(self._server, which)

    # Queued runs

    def _available(self, request: ClaimRequest) -> list[Document]:
        """Queued runs that are available: those that have waited longest, and others of other jobs, since all of these may be blocked."""
        found: list[Document] = []
        seen: set[str] = set()
        for _ in range(_LOOKS):
            waiting = {
                "state": QUEUED,
                "available": {"$lte": text_of(request.now)},
                "job_id": {"$nin": sorted(seen)},
            }
            most = 5 * request.limit
            page = list(
                self._server.runs.find(waiting).sort([("available", 1), ("scheduled", 1)]).limit(most)
            )
            found += page
            seen.update(one["job_id"] for one in page)
            if len(page) < most or len(seen) >= request.limit:
                break
        return found

    def _take(
        self, decisions: Sequence[Decision], known: Mapping[str, Document], request: ClaimRequest
    ) -> list[Decision]:
        """Claim queued runs; those that could be."""
        if not decisions:
            return []
        claim_id = uuid.uuid4().hex
        claimed = self._claimed(request, claim_id)
        marks = {job_id: document.get("mark") for job_id, document in known.items()}
        taken = []
        for decision in decisions:
            job, run = decision.job, decision.run
            if run is None:
                continue
            active = active_run(
                NewRun(
                    job.id,
                    run.scheduled_run_time,
                    run.attempt,
                    1,
                    cause=run.cause,
                    group_name=job.options.group,
                    due_times=written_due_times(run.due_times),
                ),
                claimed,
            )
            if run.reruns:
                active["reruns"] = run.reruns
            pushed = self._server.jobs.update_one(
                {"_id": job.id, "mark": marks[job.id], "active.name": {"$ne": run.key.id}},
                {"$push": {"active": active}, "$inc": {"mark": 1}, "$set": {"claim": claim_id}},
            )
            if not pushed.matched_count:
                continue
            marks[job.id] = (marks[job.id] or 0) + 1
            began = self._server.runs.update_one(
                {"_id": run.key.id, "state": QUEUED}, {"$set": {"state": RUNNING, **claimed}}
            )
            if began.matched_count:
                taken.append(decision)
            else:  # somebody else was faster, and perhaps has even ended it
                self._outcome_writer.pull(job.id, [run.key.id], request.token, claim_id)
        self._outcome_writer.claimed(taken, claimed)
        self._unreserve(decisions, None)
        return taken

    # Groups

    def _budget(
        self, records: Iterable[JobRecord | Unreadable], now: datetime
    ) -> tuple[GroupBudget | None, dict[str, int]]:
        """What groups have room for, and the versions of what was read of them; nothing if no job is in one."""
        names = groups_of(records)
        if not names:
            return None, {}
        limits, begun, versions, running_of = {}, {}, {}, {}
        for document in self._server.groups.find({"_id": {"$in": names}}):
            name = document["_id"]
            limits[name] = read_group(document)
            begun[name] = [datetime.fromtimestamp(time, UTC) for time in document.get("begun", ())]
            versions[name] = document["version"]
            since = shifted(now, -_RESERVED_FOR).timestamp()
            places = {place["name"] for place in document.get("reserved", ()) if place["at"] > since}
            going_on = {"active.token": {"$exists": True}, "active.group_name": name}
            for job in self._server.jobs.find(going_on, {"active": 1}):
                for one in job["active"]:
                    if one.get("group_name") == name and one["instances"]:
                        places.add(one["name"])
            running_of[name] = len(places)
        return GroupBudget(limits, running_of, begun, now), versions

    def _reserve(
        self,
        decisions: Sequence[Decision],
        budget: GroupBudget | None,
        versions: Mapping[str, int],
        request: ClaimRequest,
    ) -> list[Decision]:
        """Take the room in groups that decisions need; those that may be written, since nobody else took it meanwhile."""
        if budget is None:
            return list(decisions)
        wanted: dict[str, list[str]] = {}
        for decision in decisions:
            group = decision.job.options.group
            if group in versions and decision.submit and group is not None:
                last = _name_of_last(decision)
                wanted.setdefault(group, []).append(last)
        begun = budget.begun()
        at = request.now.timestamp()
        refused = set()
        for group, names in wanted.items():
            change: Document = {
                "$inc": {"version": 1},
                "$push": {"reserved": {"$each": [{"name": name, "at": at} for name in names]}},
            }
            if group in begun:
                change["$set"] = {"begun": [time.timestamp() for time in begun[group]]}
            condition = {"_id": group, "version": versions[group]}
            if not self._server.groups.update_one(condition, change).matched_count:
                refused.add(group)
        return [decision for decision in decisions if decision.job.options.group not in refused]

    def uncount(self, decision: Decision) -> None:
        """Have the group of a job forget that runs of it were begun which were given back."""
        group, claimed = decision.job.options.group, decision.claimed
        while group is not None and claimed is not None:
            document = self._server.groups.find_one({"_id": group})
            if document is None or not document.get("begun"):
                return
            begun = [datetime.fromtimestamp(time, UTC) for time in document["begun"]]
            left = [time.timestamp() for time in without(begun, claimed, len(decision.submit))]
            change = {"$inc": {"version": 1}, "$set": {"begun": left}}
            as_read = {"_id": group, "version": document["version"]}
            if self._server.groups.update_one(as_read, change).matched_count:
                return

    def _unreserve(self, decisions: Sequence[Decision], give_up: Callable[[], bool] | None) -> None:
        """What was reserved is taken, as jobs say themselves, or will not be."""
        names: dict[str, list[str]] = {}
        for decision in decisions:
            group = decision.job.options.group
            if group is not None and decision.submit:
                last = _name_of_last(decision)
                names.setdefault(group, []).append(last)
        for group, taken in names.items():
            change = {"$pull": {"reserved": {"name": {"$in": taken}}}}
            self._server.run(lambda: self._server.groups.update_one({"_id": group}, change), give_up)  # noqa: B023


def _name_of_cause(run: QueuedRun) -> str | None:
    """The name of the run that a queued one follows from, of the same job."""
    if run.cause not in ("retry", "rerun"):
        return None
    return name_of(run.job_id, run.scheduled_run_time, run.attempt - 1)


def _name_of_last(decision: Decision) -> str:
    """The name of the run by which an instance is counted."""
    last = decision.submit[-1]
    return name_of(decision.job.id, last, decision.attempt_of(last))


def read_group(document: Document) -> Group:
    """The group of a document."""
    per = timedelta(milliseconds=document["per"])
    return Group(document["_id"], document["limit"], document["rate"], per)

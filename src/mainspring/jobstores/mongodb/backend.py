"""MongoDB behind a job store."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from mainspring.engine.reasons import CANCELLED_UNBEGUN
from mainspring.errors import ConfigurationError
from mainspring.jobstores.mongodb.adoption import Adoptions
from mainspring.jobstores.mongodb.audit import AuditCollection
from mainspring.jobstores.mongodb.change_feed import announcements
from mainspring.jobstores.mongodb.claiming import Claiming, read_group
from mainspring.jobstores.mongodb.documents import (
    ENDED,
    HAS_OUTBOX,
    HAS_PRIORITY,
    QUEUED,
    RUNNING,
    active_runs,
    change_to,
    disowned_names,
    job_fields,
    name_of,
    queued_run,
    read_job,
    removed_fields,
    skipped_run,
    text_of,
)
from mainspring.jobstores.mongodb.jobs import Jobs
from mainspring.jobstores.mongodb.nodes import Nodes
from mainspring.jobstores.mongodb.outcome_writer import OutcomeWriter
from mainspring.jobstores.mongodb.predecessor import OldCollection
from mainspring.jobstores.mongodb.rollups import RollUpDocuments
from mainspring.jobstores.mongodb.server import chunks, insert_new
from mainspring.jobstores.mongodb.upgrade import from_version_1
from mainspring.jobstores.shared.backend import OLDER_RELEASE, Backend, ClusterStatus, Collected
from mainspring.jobstores.shared.change_feed import ChangeFeed
from mainspring.jobstores.shared.claims import Claim, decision_of, restored_job
from mainspring.jobstores.shared.namespaces import shown_with
from mainspring.jobstores.shared.runs import Finished, run_record
from mainspring.jobstores.shared.versions import refuse_living, refuse_newer
from mainspring.model import BACKFILLED, QueuedRun, RunKey, run_key
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.engine.setbacks import KnownNode
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.server import Server
    from mainspring.jobstores.shared.claims import Claimed, ClaimRequest
    from mainspring.jobstores.shared.lease import Heartbeats, Registration
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.runs import Ended
    from mainspring.model import Group, NodeRecord, RunRecord, Submission

#: Counted up when what is kept changes.
VERSION = 2
#: Counted up when there are indexes more, which older releases needn't know.
INDEXES = 2

#: What a claim has put down for the runs is moved there by others after this.
_OUTBOX_TAKES = timedelta(seconds=10)
#: Of so many jobs the runs are counted at a time.
_PRUNED = 100
#: So many runs are counted and removed at a time; those that somebody else is counting are left to them.
_FORGOTTEN = 1000
_UNCOUNTED: Document = {"rolled_up": {"$exists": False}}
#: Seconds between two looks for what nodes have left behind, as long as none comes or goes.
_LEFT_WAITS = 10.0
#: The runs of which each job keeps so many. By those of backfills, one that is asked for again knows what it has done.
_COUNTED: Document = {"state": ENDED, "cause": {"$nin": list(BACKFILLED)}}


class MongoDBBackend(Backend):
    """One deployment.

    Args:
        where: the servers, as people may see them.
        old: database and collection in which APScheduler may have kept its jobs.
    """

    jobs: Jobs
    adoptions: Adoptions
    audit: AuditCollection
    rollups: RollUpDocuments

    def __init__(
        self, server: Server, node_context: NodeContext, where: str, old: tuple[str, str] | None
    ) -> None:
        self.server = server
        self._where, self._old = where, old
        self.outage = server.outage
        self.outage.where = shown_with(node_context.namespace, self.outage.where)
        self.node_context = node_context
        self.audit = AuditCollection(server, node_context)
        self.rollups = RollUpDocuments(server, node_context)
        self.jobs = Jobs(server, node_context, self.audit)
        self.adoptions = Adoptions(server, node_context, self.jobs, self.audit)
        self._nodes = Nodes(server, node_context)
        self._outcome_writer = OutcomeWriter(server, node_context)
        self._claiming = Claiming(server, node_context, self._outcome_writer, self.jobs)
        self._looked_among: set[int] = set()
        self._looked_at = float("-inf")  # on the monotonic clock

    # Life

    def ask_first(self) -> None:
        self.server.open()
        self.server.now()

    def lacks(self) -> str | None:
        self.server.open()
        found = self.server.run(lambda: self.server.notes.find_one({"_id": "schema"}))
        if found is None:
            return f"it has no collections of mainspring ({self.server.name!r} and others)"
        self.server.run(self._refuse_newer)
        if found["version"] < VERSION or found.get("indexes", 1) < INDEXES:
            return f"its collections ({self.server.name!r} and others) {OLDER_RELEASE}"
        return None

    def ask_time(self) -> None:
        self.server.run(self._nodes.ask_time)

    def prepare(self) -> None:
        """Make the indexes where they aren't there."""

        def prepare() -> None:
            notes, jobs = self.server.notes, self.server.jobs
            self.server.refuse_namesakes()
            found = notes.find_one({"_id": "schema"})
            if found is None:
                other = jobs.find_one({"version": {"$exists": False}})
                if other is not None:
                    whose = (
                        " It is APScheduler's: its jobs are adopted from there by the collection "
                        f"'mainspring_{jobs.name}' of the same database."
                        if "job_state" in other
                        else ""
                    )
                    raise ConfigurationError(
                        f"the collection {self.server.name!r} is not one of mainspring's jobs: a document has no version.{whose} "
                        "Give another collection"
                    )
                self.server.make_indexes()
                # Perhaps by several nodes that start at the same time; what says that all is there comes last.
                insert_new(notes, [{"_id": "token", "value": 0}, {"_id": "changed"}])
                insert_new(notes, [{"_id": "schema", "version": VERSION, "indexes": INDEXES}])
            elif found["version"] < VERSION:
                self._nodes.ask_time()
                refuse_living(
                    f"the collections of {self.server.name!r}",
                    found["version"],
                    VERSION,
                    self._nodes.known(),
                    self.node_context.now(),
                )
                from_version_1(self.server)
                notes.update_one(found, {"$set": {"version": VERSION, "indexes": INDEXES}})
            elif found.get("indexes", 1) < INDEXES:
                self.server.make_indexes()
                notes.update_one({"_id": "schema"}, {"$max": {"indexes": INDEXES}})
            self._refuse_newer()
            self.server.take_names()
            self.adoptions.settle()

        self.server.open()
        self.server.run(prepare)
        self.node_context.request_limit = self.server.run(self.server.request_limit)

    def close(self) -> None:
        self.server.close()

    def predecessor(self) -> OldCollection | None:
        if self._old is None:
            return None
        database, collection = self._old
        old = self.server.client[database][collection]
        return OldCollection.found(old, self.server.run, self._where, is_own=True)

    def listen(self, heard: Callable[[], None]) -> ChangeFeed:
        return ChangeFeed(partial(announcements, self.server), self.node_context, heard)

    # Nodes

    def register(self, node: Registration, beats: Heartbeats) -> tuple[int, float]:
        def enter() -> tuple[int, float]:
            self._refuse_newer()
            return self._nodes.register(node, beats)

        return self.server.run(enter)

    def _refuse_newer(self) -> None:
        found = self.server.notes.find_one({"_id": "schema"}) or {"version": 0}
        refuse_newer(f"the collections of {self.server.name!r}", found["version"], VERSION)

    def renew(self, token: int, node: Registration, beats: Heartbeats) -> bool:
        return self._nodes.renew(token, node, beats)

    def known_nodes(self) -> list[KnownNode]:
        return self.server.run(self._nodes.known)

    def list_nodes(self) -> list[NodeRecord]:
        return self.server.run(self._nodes.list_nodes)

    def declare_dead(self, token: int, heartbeat: datetime) -> bool:
        return self._nodes.declare_dead(token, heartbeat)

    def sign_off(self, token: int) -> None:
        self._nodes.sign_off(token)

    def cluster_status(self, token: int) -> ClusterStatus:
        self._nodes.ask_time()
        living = self._nodes.living()
        jobs = self.server.jobs
        self.jobs.has_priorities = jobs.find_one({"found_by": HAS_PRIORITY}, {"_id": 1}) is not None
        asked = {"active.token": token, "active": {"$elemMatch": {"token": token, "to_cancel": True}}}
        to_cancel = [
            run_key(one["name"])
            for job in jobs.find(asked, {"active": 1})
            for one in job["active"]
            if one["token"] == token and one.get("to_cancel")
        ]
        has_orphans = self._has_orphans({node.token for node in living})
        return ClusterStatus(living, has_orphans, self._claiming.next_available(), to_cancel)

    def _has_orphans(self, living: set[int]) -> bool:
        """Whether runs are in the hands of nobody who is alive; and see to what nodes have put down and left.

        That changes when a node dies or leaves, and otherwise only by what a node does that is dead without knowing it: so it is looked
        for now and then.
        """
        now = self.node_context.clock.monotonic()
        if living == self._looked_among and now < self._looked_at + _LEFT_WAITS:
            return False
        outboxes = {
            "found_by": HAS_OUTBOX,
            "updated": {"$lt": text_of(shifted(self.node_context.now(), -_OUTBOX_TAKES))},
        }
        if self.server.jobs.find_one(outboxes, {"_id": 1}):
            self._outcome_writer.drop_ended(self._claiming.move_outboxes(outboxes))
        has_orphans = self.server.jobs.find_one(self._outcome_writer.orphans(living), {"_id": 1}) is not None
        if not has_orphans:
            self._looked_among, self._looked_at = living, now
        return has_orphans

    # Runs

    def next_time(
        self,
        now: datetime,  # noqa: ARG002 - what is due is found by a claim
        executors: Collection[str],
        set_aside: Collection[str],
    ) -> datetime | None:
        return self.server.run(lambda: self._claiming.next_time(executors, set_aside))

    def poll(
        self, now: datetime, executors: Collection[str], set_aside: Collection[str], token: int | None
    ) -> tuple[datetime | None, ClusterStatus | None]:
        del now
        first = self._claiming.next_time(executors, set_aside)
        return first, None if token is None else self.cluster_status(token)

    def unclaimable(
        self, before: datetime, decide: Decide, executors: Collection[str], limit: int
    ) -> list[Decision]:
        where: Document = {
            "_id": {"$type": "string"},
            "next_run_time": {"$lte": text_of(before)},
            "executor": {"$nin": list(executors)},
        }
        claim = Claim([], {}, [], None)
        for document in self.server.jobs.find(where).sort("next_run_time", 1).limit(limit):
            claim.add(read_job(document, self.node_context), decide, 0, lambda _: 0, None)
        return claim.parked

    def claim(self, request: ClaimRequest, give_up: Callable[[], bool]) -> Claimed:
        return self._claiming.claim(request, give_up)

    def give_back(self, decision: Decision, token: int, later: datetime | None) -> bool:
        return self.server.run(lambda: self._give_back(decision, token, later, may_wait=False))

    def _give_back(self, decision: Decision, token: int, later: datetime | None, *, may_wait: bool) -> bool:
        """Undo what was claimed for a decision; whether it could be, or has been before.

        Args:
            may_wait: if it can't be undone, its runs wait to be claimed by any node.
        """
        job = decision.job
        names = [name_of(job.id, time, decision.attempt_of(time)) for time in decision.submit]
        ours = {"active": {"$elemMatch": {"name": {"$in": names}, "token": token}}}
        jobs = self.server.jobs
        found = jobs.find_one({"_id": job.id, **ours}, {"active": 1})
        if found is None:
            return True  # it was done
        if not disowned_names(found).isdisjoint(names):
            if may_wait:
                self._skip(decision, names, token)
            return False
        if decision.requeues:
            self._wait(decision, names, token, later or self.node_context.now())
            self._claiming.uncount(decision)
            return True
        before = restored_job(decision)
        version = before.version - 1
        fields, missing = job_fields(before, self.node_context, self.node_context.now())
        update = change_to(fields, missing)
        update |= {"$pull": {"active": {"name": {"$in": names}, "token": token}}, "$inc": {"mark": 1}}
        restored = jobs.update_one(
            {"_id": job.id, "version": version, "is_removed": {"$exists": False}, **ours}, update
        )
        if restored.matched_count:
            self._claiming.uncount(decision)
            return True
        if may_wait:
            self._wait(decision, names, token, self.node_context.now())
            self._claiming.uncount(decision)
        return False

    def _wait(self, decision: Decision, names: Sequence[str], token: int, available: datetime) -> None:
        """Runs of a decision are queued, those again that were so before."""
        self.server.runs.update_many(
            {"_id": {"$in": list(names)}, "state": RUNNING, "token": token},
            {
                "$set": {"state": QUEUED, "available": text_of(available)},
                "$unset": {"token": "", "node": "", "claimed": "", "claim": ""},
            },
        )
        waiting = [
            QueuedRun(
                decision.job.id,
                time,
                decision.attempt_of(time),
                available,
                decision.cause,
                due_times=decision.due_times,
            )
            for time in decision.submit
        ]
        insert_new(self.server.runs, [queued_run(run) for run in waiting])
        self._outcome_writer.pull(decision.job.id, names, token)

    def _skip(self, decision: Decision, names: Sequence[str], token: int) -> None:
        """Runs of a decision are not run: their job was removed."""
        now = self.node_context.now()
        self.server.runs.update_many(
            {"_id": {"$in": list(names)}, "state": RUNNING, "token": token}, {"$set": removed_fields(now)}
        )
        skipped = [
            QueuedRun(
                decision.job.id,
                time,
                decision.attempt_of(time),
                now,
                decision.cause,
                due_times=decision.due_times,
            )
            for time in decision.submit
        ]
        insert_new(self.server.runs, [skipped_run(run, now) for run in skipped])
        self._outcome_writer.pull(decision.job.id, names, token)
        self._claiming.uncount(decision)

    def release(self, submissions: Sequence[Submission], give_up: Callable[[], bool]) -> None:
        def undo() -> None:
            now = self.node_context.now()
            for submission in submissions:
                token = 0 if submission.lease is None else submission.lease.token
                self._give_back(decision_of(submission, now), token, now, may_wait=True)
            self.jobs.announce([now])

        self.server.run(undo, give_up)

    def finish(self, ended: Sequence[Ended], give_up: Callable[[], bool] | None) -> Finished:
        return self._outcome_writer.finish(ended, give_up)

    def report_progress(self, said: Mapping[tuple[RunKey, int], str], give_up: Callable[[], bool]) -> None:
        def write() -> None:
            for (key, token), text in said.items():
                which = {"active": {"$elemMatch": {"name": key.id, "token": token}}}
                change = {"$set": {"active.$.progress": text}}
                self.server.jobs.update_one({"_id": key.job_id, **which}, change)

        self.server.run(write, give_up)

    def collect_lost(self, own: Callable[[], Collection[tuple[str, datetime, int]]]) -> Collected:
        return self._outcome_writer.collect_lost(lambda: {node.token for node in self._nodes.living()}, own)

    def prune(self, job_ids: Sequence[str], keep: int, before: datetime) -> None:
        self.rollups.finish_others()
        self._forget(self._old_runs(before))
        for job_id in self._with_more_runs(job_ids, keep):
            self._forget(self._runs_beyond(job_id, keep))
        self._outcome_writer.drop_ended(job_ids)  # a node may have died before it did
        self._nodes.forget_old(before)
        self.jobs.forget_unfinished()

    def _old_runs(self, before: datetime) -> Iterable[Document]:
        moment = text_of(before)
        # A backfill runs now what was due long ago.
        old = {"state": ENDED, "scheduled": {"$lt": moment}, "finished": {"$not": {"$gte": moment}}}
        return self.server.runs.find({**old, **_UNCOUNTED}, {"_id": 1})

    def _runs_beyond(self, job_id: str, keep: int) -> Iterable[Document]:
        of_job = {"job_id": job_id, **_COUNTED, **_UNCOUNTED}
        order = [("scheduled", -1), ("attempt", -1)]
        return self.server.runs.find(of_job, {"_id": 1}).sort(order).skip(keep)

    def prunable(self, job_ids: Sequence[str], keep: int, before: datetime) -> int:
        def count() -> int:
            found = {one["_id"] for one in self._old_runs(before)}
            for job_id in self._with_more_runs(job_ids, keep):
                found.update(one["_id"] for one in self._runs_beyond(job_id, keep))
            return len(found)

        return self.server.run(count)

    def _forget(self, found: Iterable[Document]) -> None:
        """Count and remove the runs of these documents."""
        for part in chunks([one["_id"] for one in found], _FORGOTTEN):
            self.rollups.forget(part)

    def _with_more_runs(self, job_ids: Sequence[str], keep: int) -> list[str]:
        """Those of some jobs of which more than so many runs are in the history."""
        found: list[str] = []
        for part in chunks(job_ids, _PRUNED):
            counts = self.server.runs.aggregate(
                [
                    {"$match": {"job_id": {"$in": list(part)}, **_COUNTED}},
                    {"$group": {"_id": "$job_id", "count": {"$sum": 1}}},
                    {"$match": {"count": {"$gt": keep}}},
                ]
            )
            found += [one["_id"] for one in counts]
        return found

    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        def add() -> list[QueuedRun]:
            self.jobs.refuse_unknown({run.job_id for run in runs})
            names = {run.key.id for run in runs}
            active = {
                one["name"]
                for job_id in {run.job_id for run in runs}
                for job in self.server.jobs.find({"_id": job_id})
                for one in active_runs(job)
            }
            known = insert_new(
                self.server.runs, [queued_run(run) for run in runs if run.key.id not in active]
            )
            new = names - known - active
            self.jobs.announce([run.available for run in runs])
            return [run for run in runs if run.key.id in new]

        def was_done() -> list[QueuedRun] | None:
            found = [run for run in runs if self.get_run(run.key) is not None]
            return found if len(found) == len(runs) else None

        new: list[QueuedRun] = []

        def queue() -> bool:
            new.extend(self.server.run(add, was_done=was_done))
            return True

        self.audit.done(self.audit.of("run", [run.key for run in runs]), queue)
        return new

    def cancel(self, key: RunKey) -> bool:
        def write() -> bool:
            if self._outcome_writer.end_queued(key, "cancelled", CANCELLED_UNBEGUN):
                return True
            asked = self.server.jobs.update_one(
                {"_id": key.job_id, "active.name": key.id}, {"$set": {"active.$.to_cancel": True}}
            )
            if asked.matched_count:
                self.jobs.announce([self.node_context.now()])
            return bool(asked.matched_count)

        def was_cancelled() -> bool | None:
            found = self.get_run(key)
            if found is None or found.outcome != "cancelled":
                return None
            self._outcome_writer.drop_ended([key.job_id])
            return True

        return self.audit.done(
            self.audit.of("cancel", [key]), lambda: self.server.run(write, was_done=was_cancelled)
        )

    def get_run(self, key: RunKey) -> RunRecord | None:
        def look() -> RunRecord | None:
            # As in a list, it goes on until its job has forgotten it. It may be begun between two looks, and have ended before the third.
            for _ in range(2):
                found = self._active_run(key) or self.server.runs.find_one(
                    {"_id": key.id, "state": {"$in": [QUEUED, ENDED]}}
                )
                if found is not None:
                    return run_record(found)
            return None

        return self.server.run(look)

    def _active_run(self, key: RunKey) -> Document | None:
        job = self.server.jobs.find_one({"_id": key.job_id, "active.name": key.id})
        active = [] if job is None else active_runs(job)
        return next((one for one in active if one["name"] == key.id), None)

    def list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        return self.server.run(lambda: self._list_runs(job_id, outcome, since, limit))

    def _list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        where: Document = {} if job_id is None else {"job_id": job_id}
        if since is not None:
            where["scheduled"] = {"$gte": text_of(since)}
        order = [("scheduled", -1), ("job_id", 1), ("attempt", -1)]
        # One after another in an order in which nothing is missed that goes on meanwhile: what a run leads to is there before the run
        # is taken from its job, and until then it counts as going on.
        ended: list[Document] = []
        active = [] if outcome == "queued" else self._active(job_id, since)
        queued = []
        if outcome in (None, "queued"):
            queued = list(self.server.runs.find({**where, "state": QUEUED}).sort(order).limit(limit))
        if outcome is None:
            active += self._active(job_id, since)
        if outcome not in ("queued", "running"):
            over = {**where, "state": ENDED} | ({} if outcome is None else {"outcome": outcome})
            ended = list(self.server.runs.find(over).sort(order).limit(limit))
        if outcome not in (None, "queued", "running"):
            going_on = {one["name"] for one in active}
            ended, active = [one for one in ended if one["_id"] not in going_on], []
        runs = list({run.key: run for run in map(run_record, [*queued, *ended, *active])}.values())
        runs.sort(key=lambda run: (-run.scheduled_run_time.timestamp(), run.job_id, -run.attempt))
        return runs[:limit]

    def _active(self, job_id: str | None, since: datetime | None) -> list[Document]:
        """The runs that go on, of a job or of all."""
        jobs: Document = {"active.token": {"$exists": True}} if job_id is None else {"_id": job_id}
        active = [one for job in self.server.jobs.find(jobs, {"active": 1}) for one in active_runs(job)]
        return [one for one in active if since is None or one["scheduled"] >= (text_of(since) or "")]

    # Groups

    def set_group(self, group: Group) -> None:
        limits = {"limit": group.limit, "rate": group.rate, "per": group.per // timedelta(milliseconds=1)}

        def write() -> None:
            change = {"$set": limits, "$inc": {"version": 1}}
            self.server.groups.update_one({"_id": group.name}, change, upsert=True)
            self.jobs.announce([self.node_context.now()])

        self.server.run(write)

    def remove_group(self, name: str) -> bool:
        def write() -> bool:
            removed = self.server.groups.delete_one({"_id": name})
            self.jobs.announce([self.node_context.now()])
            return bool(removed.deleted_count)

        def was_removed() -> bool | None:
            if self.server.groups.find_one({"_id": name}) is not None:
                return None
            self.jobs.announce([self.node_context.now()])
            return True

        return self.server.run(write, was_done=was_removed)

    def list_groups(self) -> list[Group]:
        return self.server.run(
            lambda: [read_group(found) for found in self.server.groups.find().sort("_id", 1)]
        )

"""What has become of runs: outcomes and what follows from them, and runs that are lost.

A run that has ended is written down once, by whoever is first: its node, or another one that has found it lost. What follows from it
comes next, and it is taken from its job's document last; so a node that dies in between leaves nothing half done that another doesn't
find there, and complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo import DeleteMany, UpdateMany, UpdateOne

from mainspring.engine.failures import after_outcomes, has_paused_itself
from mainspring.engine.following import following_runs
from mainspring.engine.reasons import JOB_REMOVED
from mainspring.engine.retrying import after_loss
from mainspring.engine.transitions import next_attempt
from mainspring.jobstores.mongodb.documents import (
    ADDING,
    ENDED,
    IS_FOLLOWER,
    QUEUED,
    active_runs,
    change_to,
    disowned_names,
    follower_of,
    job_fields,
    name_of,
    outcome_fields,
    queued_run,
    read_job,
    skipped_run,
    text_of,
)
from mainspring.jobstores.mongodb.server import chunks, insert_new
from mainspring.jobstores.shared.backend import Collected
from mainspring.jobstores.shared.rows import ENDING, SCHEDULED, Unreadable, read_time, record_of
from mainspring.jobstores.shared.runs import (
    Counted,
    Finished,
    LostRun,
    counted_of,
    outcome_of_lost,
    retries_of,
    run_record,
    written_due_times,
)
from mainspring.model import QueuedRun, RunKey, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.server import Server
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.runs import Ended
    from mainspring.model import JobRecord, Outcome, RunRecord


def _follows(document: Document, key: RunKey, again: QueuedRun) -> bool:
    """Whether a run is the one that follows from another; one that was queued by an older release doesn't say of which."""
    after = document.get("after")
    return bool(document.get("cause") == again.cause and after in (None, key.attempt))


class OutcomeWriter:
    """What is written when runs have ended, or are found to be lost."""

    def __init__(self, server: Server, node_context: NodeContext) -> None:
        self._server = server
        self._node_context = node_context
        # What this node has claimed, as it is to be in the history.
        self._claimed: dict[str, Document] = {}

    def claimed(self, decisions: Iterable[Decision], claimed: Document) -> None:
        """This node has claimed runs."""
        for decision in decisions:
            for time in decision.submit:
                known = {"claimed": claimed["claimed"], "node": claimed["node"]}
                if decision.run is not None:
                    known["was_queued"] = True
                elif decision.following is None and len(decision.submit) == 1:
                    known["is_last"] = True
                self._claimed[name_of(decision.job.id, time, decision.attempt_of(time))] = known

    # Outcomes

    def finish(self, ended: Sequence[Ended], give_up: Callable[[], bool] | None) -> Finished:
        """Write outcomes, and what follows from them."""
        run = self._server.run
        refused = set(run(lambda: self._write(ended), give_up))
        valid = [one for one in ended if one.key.id not in refused]
        retries = {one.key: again for one in valid for again in retries_of([one])}
        if retries:
            retries = run(lambda: self._next_in_line(retries), give_up)
        disowned = run(lambda: self._disowned(retries), give_up) if retries else set()
        own = {key: again for key, again in retries.items() if key.id not in disowned}
        if own:
            own = run(lambda: self._queue_all_again(own), give_up)
        results: dict[str, list[RunResult]] = {}
        for one in valid:
            results.setdefault(one.job.id, []).append(one.result)
        followers = run(lambda: self._following(results), give_up)
        run(lambda: insert_new(self._server.runs, [queued_run(each) for each in followers]), give_up)
        queue = [*own.values(), *followers]
        if retries:
            run(lambda: self._skip_disowned(retries), give_up)
        counted = counted_of(valid)
        paused = run(lambda: self._count_failures(counted), give_up) if counted else []
        run(lambda: self._take_away(ended), give_up)
        for one in ended:
            self._claimed.pop(one.key.id, None)
        return Finished(
            [one for one in ended if one.key.id in refused],
            min((each.available for each in queue), default=None),
            paused,
        )

    def _next_in_line(self, retries: Mapping[RunKey, QueuedRun]) -> dict[RunKey, QueuedRun]:
        """Retries, as further attempts where the one that comes next is another run: its job was moved back, or asked for, meanwhile."""
        found = dict(retries)
        keys = {again.key.id: key for key, again in retries.items()}
        for part in chunks(sorted(keys)):
            taken = {one["_id"]: one for one in self._server.runs.find({"_id": {"$in": list(part)}})}
            for document in self._server.jobs.find({"active.name": {"$in": list(part)}}, {"active": 1}):
                for one in active_runs(document):
                    taken.setdefault(one["name"], one)
            for name in taken.keys() & set(part):
                key = keys[name]
                if not _follows(taken[name], key, retries[key]):  # else it is this very retry, queued before
                    found[key] = self._after_all(key, retries[key])
        return found

    def _after_all(self, key: RunKey, again: QueuedRun) -> QueuedRun:
        """What follows from a run as the attempt after all that there are at its due time; or the one that it was made before."""
        which = {"job_id": again.job_id, "scheduled": text_of(again.scheduled_run_time)}
        known = list(self._server.runs.find(which, {"attempt": 1, "cause": 1, "after": 1}))
        made = [one["attempt"] for one in known if _follows(one, key, again) and one["attempt"] > key.attempt]
        if made:
            return again._replace(attempt=min(made))
        job = self._server.jobs.find_one({"_id": again.job_id}, {"active": 1}) or {}
        known += [one for one in job.get("active", ()) if one["scheduled"] == which["scheduled"]]
        return again._replace(attempt=1 + max([again.attempt - 1, *(one["attempt"] for one in known)]))

    def _queue_all_again(self, retries: Mapping[RunKey, QueuedRun]) -> dict[RunKey, QueuedRun]:
        """Queue what follows from runs, each as an attempt of its own; as which they were."""
        documents = [queued_run(again, key.attempt) for key, again in retries.items()]
        refused = insert_new(self._server.runs, documents)
        return {
            key: self._queue_again(key, again) if again.key.id in refused else again
            for key, again in retries.items()
        }

    def _queue_again(self, key: RunKey, again: QueuedRun) -> QueuedRun:
        """Queue what follows from a run, unless that was done; several may follow at its due time, and others may do the same at this moment."""
        while True:
            (placed,) = self._next_in_line({key: again}).values()
            if not insert_new(self._server.runs, [queued_run(placed, key.attempt)]):
                return placed
            there = self._server.runs.find_one({"_id": placed.key.id}, {"after": 1, "cause": 1})
            if there is not None and _follows(there, key, again):
                return placed

    def _disowned(self, keys: Collection[RunKey]) -> set[str]:
        """The names of those of these runs whose jobs were removed while they went on."""
        found: set[str] = set()
        for part in chunks(sorted({key.job_id for key in keys})):
            which = {"_id": {"$in": list(part)}, "active.job_removed": True}
            for document in self._server.jobs.find(which, {"active": 1}):
                found |= disowned_names(document)
        return found & {key.id for key in keys}

    def _skip_disowned(self, retries: Mapping[RunKey, QueuedRun]) -> None:
        """What follows from runs whose job was removed meanwhile is not run.

        Asked when it has been queued, and while the runs are among those that go on still: a job may be removed at any moment, and who
        claims what is queued looks whether what it follows from is marked.
        """
        disowned = self._disowned(retries)
        if not disowned:
            return
        skipped = [again for key, again in retries.items() if key.id in disowned]
        now = self._node_context.now()
        insert_new(self._server.runs, [skipped_run(again, now) for again in skipped])
        for again in skipped:
            self.end_queued(again.key, "skipped", JOB_REMOVED)

    def _write(self, ended: Sequence[Ended]) -> list[str]:
        """Write outcomes; the names of the runs that are others' by now."""
        new: list[Document] = []
        changed: dict[str, UpdateOne] = {}
        # Asked before, since a run that was claimed by its schedule has no document until it has ended: whoever writes that is believed.
        others = self._in_other_hands(ended)
        for one in ended:
            name = one.key.id
            if name in others:
                continue
            known = self._claimed.get(name, {})
            fields = outcome_fields(one.written())
            fields |= {"node": known.get("node"), "claimed": known.get("claimed"), "cause": one.cause}
            fields |= self._more(one)
            if "was_queued" in known:
                condition = {"_id": name, "state": {"$ne": ENDED}, "token": one.token}
                changed[name] = UpdateOne(condition, {"$set": fields})
            else:
                where = {"job_id": one.job.id, "scheduled": text_of(one.result.scheduled_run_time)}
                new.append({"_id": name, **where, "attempt": one.attempt, **fields})
        there = insert_new(self._server.runs, new)
        if changed:
            written = self._server.runs.bulk_write([*changed.values()], ordered=False)
            if written.matched_count < len(changed):
                there |= changed.keys()
        # This node may itself have said that a run is lost, and says it again.
        tokens = {one.key.id: one.token for one in ended if one.result.outcome != "lost"}
        refused = sorted(others)
        for part in chunks(sorted(there & tokens.keys())):
            written_by = self._server.runs.find({"_id": {"$in": list(part)}, "state": ENDED})
            refused += [
                found["_id"]
                for found in written_by
                if found.get("token") != tokens[found["_id"]] or found.get("outcome") == "lost"
            ]
        return refused

    def _in_other_hands(self, ended: Sequence[Ended]) -> set[str]:
        """The names of those runs that go on in the hands of another token than that by which they are said to have ended."""
        found: set[str] = set()
        by_token: dict[int, list[Ended]] = {}
        for one in ended:
            by_token.setdefault(one.token, []).append(one)
        for token, ours in by_token.items():
            for part in chunks(ours):
                names = [one.key.id for one in part]
                another = {"name": {"$in": names}, "token": {"$ne": token}}
                job_ids = sorted({one.job.id for one in part})
                for document in self._server.jobs.find(
                    {"_id": {"$in": job_ids}, "active": {"$elemMatch": another}}, {"active": 1}
                ):
                    found |= {
                        one["name"] for one in active_runs(document) if one["token"] != token
                    }.intersection(names)
        return found

    def _more(self, one: Ended) -> Document:
        fields: Document = {}
        if one.result.progress is not None:
            fields["progress"] = one.result.progress
        if one.due_times != 1:
            fields["due_times"] = written_due_times(one.due_times)
        if one.result.retry_at is not None:
            fields["retry_at"] = text_of(
                one.result.retry_at
            )  # for whoever completes this, if this node dies now
        return fields

    def _following(self, results: Mapping[str, Sequence[RunResult]]) -> list[QueuedRun]:
        """The runs of jobs that come after those that have ended."""
        now = self._node_context.now()
        runs: list[QueuedRun] = []
        if not self._server.jobs.find_one({"found_by": IS_FOLLOWER}, {"_id": 1}):
            return runs
        for part in chunks(sorted(results)):
            which = {"found_by": {"$in": [follower_of(job_id) for job_id in part]}, "state": SCHEDULED}
            for document in self._server.jobs.find(which):
                follower = read_job(document, self._node_context)
                if not isinstance(follower, Unreadable):
                    runs += following_runs(follower, results[document["follows"]], now)
        return runs

    def _count_failures(self, counted: Sequence[Counted]) -> list[JobRecord]:
        """Have jobs remember their failures, and pause those that have had too many, which are returned; each run is counted once."""
        paused: list[JobRecord] = []
        for job_id in sorted({one.key.job_id for one in counted}):
            while True:
                document = self._server.jobs.find_one({"_id": job_id, "state": {"$nin": [ENDING, ADDING]}})
                before = None if document is None else read_job(document, self._node_context)
                if document is None or before is None or isinstance(before, Unreadable):
                    break
                disowned = disowned_names(document)
                active = {(one["name"], one["token"]) for one in document.get("active", ())}
                mine = [
                    one
                    for one in counted
                    if one.key.job_id == job_id
                    and (one.key.id, one.token) in active
                    and one.key.id not in disowned
                ]
                after = after_outcomes(before, [(one.outcome, one.retry_at) for one in mine])
                names = [one.key.id for one in mine]
                update: Document = {"$pull": {"active": {"name": {"$in": names}}}, "$inc": {"mark": 1}}
                if after is not before:
                    fields, missing = job_fields(after, self._node_context, self._node_context.now())
                    update |= change_to(fields, missing)
                condition = {"_id": job_id, "version": before.version}
                if self._server.jobs.update_one(condition, update).matched_count:
                    paused += [after] if has_paused_itself(before, after) else []
                    break
        return paused

    def _take_away(self, ended: Sequence[Ended]) -> None:
        """Have jobs forget runs that have ended, and remove those that stayed only for them."""
        last = [
            one for one in ended if "is_last" in self._claimed.get(one.key.id, {}) and not one.may_be_needed
        ]
        if last and self.is_any_queued():
            last = []  # it may be a run of theirs
        if last and self._remove_with_runs(last):
            gone = {one.job.id for one in last}
            ended = [one for one in ended if one.job.id not in gone]
        by_token: dict[int, list[Ended]] = {}
        for one in ended:
            by_token.setdefault(one.token, []).append(one)
        forgetting = [
            UpdateMany(
                {"_id": {"$in": sorted({one.job.id for one in part})}},
                {"$pull": {"active": {"name": {"$in": [one.key.id for one in part]}, "token": token}}},
            )
            for token, ours in by_token.items()
            for part in chunks(ours)
        ]
        if forgetting:
            self._server.jobs.bulk_write(forgetting, ordered=False)
        self.drop_ended(sorted({one.job.id for one in ended}))

    def _remove_with_runs(self, last: Sequence[Ended]) -> bool:
        """Remove jobs whose last runs have ended, and of which nothing else goes on nor waits; whether that was all of them.

        Most one-shots. What is not removed is looked at more closely; what is gone by then doesn't matter.
        """
        removing = [
            DeleteMany(
                {
                    "_id": {"$in": [one.job.id for one in part]},
                    "state": ENDING,
                    "active": {"$size": 1, "$elemMatch": {"token": part[0].token}},
                    "outbox": {"$exists": False},
                }
            )
            for part in chunks(last)
        ]
        return self._server.jobs.bulk_write(removing, ordered=False).deleted_count == len(last)

    def is_any_queued(self) -> bool:
        """Whether runs are queued, of whichever job."""
        return self._server.runs.find_one({"state": QUEUED}, {"_id": 1}) is not None

    def drop_ended(self, job_ids: Sequence[str]) -> None:
        """Remove jobs that stayed only until their last run had ended, if it has."""
        for part in chunks(job_ids):
            where: Document = {
                "_id": {"$in": list(part)},
                "state": ENDING,
                "active.0": {"$exists": False},
                "outbox": {"$exists": False},
            }
            marks = {found["_id"]: found.get("mark") for found in self._server.jobs.find(where, {"mark": 1})}
            ending = list(marks)
            if not ending:
                continue
            waiting = self._server.runs.distinct("job_id", {"job_id": {"$in": ending}, "state": QUEUED})
            if waiting:
                self._server.jobs.delete_many({**where, "is_removed": True})
            # As they were found: one that was waiting may have been taken since, and have ended, and another wait in its place.
            ended = [job_id for job_id in ending if job_id not in waiting]
            as_found = {"_id": {"$in": ended}, "mark": {"$in": [marks[job_id] for job_id in ended]}}
            self._server.jobs.delete_many(where | as_found)

    def pull(self, job_id: str, names: Sequence[str], token: int, claim_id: str | None = None) -> None:
        """Have a job forget runs that were not begun after all."""
        for name in names:
            self._claimed.pop(name, None)
        which: Document = {"name": {"$in": list(names)}, "token": token}
        if claim_id is not None:
            which["claim"] = claim_id
        self._server.jobs.update_one({"_id": job_id}, {"$pull": {"active": which}})

    def end_queued(self, key: RunKey, outcome: Outcome, error: str) -> bool:
        """A queued run will not be run; whether it was queued."""
        now = text_of(self._node_context.now())
        ended = self._server.runs.update_one(
            {"_id": key.id, "state": QUEUED},
            {"$set": {"state": ENDED, "finished": now, "outcome": outcome, "error": error}},
        )
        self.drop_ended([key.job_id])
        return bool(ended.matched_count)

    # Lost runs

    def orphans(self, alive: Collection[int]) -> Document:
        """The jobs that have runs in the hands of nobody who is alive."""
        # The first part is for the index: it leaves out what isn't there, which the second part might want.
        return {"active.token": {"$exists": True}, "active": {"$elemMatch": {"token": {"$nin": list(alive)}}}}

    def collect_lost(
        self,
        alive: Callable[[], Collection[int]],
        own: Callable[[], Collection[tuple[str, datetime, int]]],
    ) -> Collected:
        """Runs in the hands of nobody who is alive are lost; what their nodes have begun to write is completed.

        Args:
            alive: the tokens of those who are, at present.
            own: the keys of runs that go on in this process, which are not lost.
        """
        lost: list[LostRun] = []
        again: dict[LostRun, datetime] = {}
        queued_from: datetime | None = None
        paused: list[JobRecord] = []
        given_up: list[LostRun] = []
        found = list(self._server.jobs.find(self.orphans(alive())))
        living = alive()  # whoever has claimed one of these, and be it a moment ago, is there by now
        ours = own()
        for document in found:
            record = read_job(document, self._node_context)
            job = record_of(record)
            for active in active_runs(document):
                if active["token"] in living:
                    continue
                run = run_record(active)
                if tuple(run.key) in ours:
                    continue
                told, counted, queue = self._lose(job, run, active)
                if counted is not None and counted.retry_at is not None:
                    queue = [self._queue_again(run.key, each) for each in queue]
                else:
                    insert_new(self._server.runs, [queued_run(each) for each in queue])
                if counted is not None and job.options.pause_after_failures is not None:
                    paused += self._count_failures([counted])
                self.pull(job.id, [active["name"]], active["token"])
                if told is not None:
                    lost.append(told)
                    if counted is not None and counted.retry_at is not None:
                        again[told] = counted.retry_at
                    elif job.options.outlasts_schedule and not active.get("job_removed"):
                        given_up.append(told)
                for each in queue:
                    queued_from = min(queued_from or each.available, each.available)
            self.drop_ended([job.id])
        return Collected(lost, again, queued_from, paused, given_up)

    def _lose(
        self, job: JobRecord, run: RunRecord, active: Document
    ) -> tuple[LostRun | None, Counted | None, list[QueuedRun]]:
        """Write that a run is lost, if nothing else was written of it; that it is, how it ended, and what follows from that."""
        now = self._node_context.now()
        fields = outcome_fields(outcome_of_lost(run.key, run.token or 0, now))
        kept: Document = {
            name: active[name]
            for name in ("node", "claimed", "cause", "progress", "reruns", "due_times")
            if name in active
        }
        where = {"job_id": run.job_id, "scheduled": active["scheduled"], "attempt": run.attempt}
        name = active["name"]
        found = self._server.runs.find_one({"_id": name})
        if found is None:
            new: Document = {"_id": name} | where | kept | fields
            if insert_new(self._server.runs, [new]):
                found = self._server.runs.find_one({"_id": name})
        elif found["state"] == QUEUED:
            return None, None, []  # its node died before it could begin it: it waits on
        elif found["state"] != ENDED:
            changed = self._server.runs.update_one({"_id": name, "state": {"$ne": ENDED}}, {"$set": fields})
            found = None if changed.matched_count else self._server.runs.find_one({"_id": name})
        is_lost = found is None or found.get("outcome") == "lost"
        outcome: Any = "lost" if found is None else found.get("outcome")
        retry_at = None if found is None else read_time(found.get("retry_at"))
        is_disowned = bool(active.get("job_removed"))
        again = None
        if is_lost and not is_disowned:
            again = after_loss(job.options, run.key, run.reruns, now, due_times=run.due_times)
        if again is None and retry_at is not None and not is_disowned:
            again = next_attempt(run.key, retry_at, "retry", run.reruns, run.due_times)
        if again is not None:
            queue = [again]
        else:
            queue = self._following({run.job_id: [RunResult(run.scheduled_run_time, outcome)]})
        is_new = found is None
        counted = Counted(run.key, run.token or 0, outcome, None if again is None else again.available)
        return (LostRun(*run.key, run.node or "") if is_new else None), counted, queue

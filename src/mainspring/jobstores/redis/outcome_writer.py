"""What has become of runs: outcomes and what follows from them, and runs that are lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mainspring.engine.failures import after_outcomes, has_paused_itself
from mainspring.engine.following import following_runs
from mainspring.engine.reasons import JOB_REMOVED, NODE_IS_SILENT
from mainspring.engine.retrying import after_loss
from mainspring.jobstores.redis.rows import FIELDS, read_job, written_job
from mainspring.jobstores.redis.runs import ended_parts, not_begun, outcome_of, queued_run, read_run
from mainspring.jobstores.shared.backend import Collected
from mainspring.jobstores.shared.rows import Unreadable, record_of
from mainspring.jobstores.shared.runs import Counted, Finished, LostRun, counted_of, retries_of
from mainspring.model import JobRecord, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.runs import Ended
    from mainspring.model import RunKey, RunRecord

#: As long as nobody has added a job that comes after another.
_NO_FOLLOWERS = "0"


class OutcomeWriter:
    """What is written when runs have ended, or are found to be lost."""

    def __init__(self, server: Server, node_context: NodeContext) -> None:
        self._server = server
        self._node_context = node_context
        self._followers = _NO_FOLLOWERS

    def finish(self, ended: Sequence[Ended], give_up: Callable[[], bool] | None) -> Finished:
        """Write outcomes, and what follows from them."""
        counted = counted_of(ended)
        runs = ended_parts(
            (
                one.job.id,
                one.result.scheduled_run_time,
                one.attempt,
                one.token,
                outcome_of(one),
                one.result.progress is not None,
            )
            for one in ended
        )
        while True:
            now = self._node_context.now()
            queue: list[dict[str, Any]] = []
            times = []
            for at, one in enumerate(ended):
                for run in retries_of([one]):
                    queue.append(queued_run(run, is_next=True, of=at))
                    times.append(run.available)
            version = self._followers
            jobs: list[dict[str, Any]] = []
            paused: list[JobRecord] = []
            if counted or self._followers != _NO_FOLLOWERS:
                found = self._look([one.job.id for one in ended], counted, give_up)
                version = found["version"]
                following = self._following(found, [(one.job.id, one.result) for one in ended])
                queue += following
                times += [now] * bool(following)
                jobs, paused = self._counted(found, counted)
            needed = sorted({one.job.id for one in ended if one.may_be_needed})
            part = {
                "ended": runs,
                "queue": queue,
                "jobs": jobs,
                "needed": needed,
                "followers": version,
                "skipped": not_begun(now, "skipped", JOB_REMOVED),
            }
            answer = self._server.ask("finish", {"finish": part}, give_up)
            if "is_stale" not in answer:
                refused = [ended[at] for at in answer["refused"]]
                return Finished(refused, min(times, default=None), paused)
            self._followers = ""  # there may be some: they are asked for from now on

    def _look(
        self, job_ids: Sequence[str], counted: Sequence[Counted], give_up: Callable[[], bool] | None
    ) -> dict[str, Any]:
        question = {
            "followed": sorted(set(job_ids)),
            "counting": sorted({one.key.job_id for one in counted}),
            "runs": [{"token": str(one.token), "name": one.key.id} for one in counted],
            "columns": FIELDS,
        }
        found = self._server.ask("before_finish", question, give_up)
        self._followers = found["version"]
        return found

    def _following(
        self, found: Mapping[str, Any], results: Sequence[tuple[str, RunResult]]
    ) -> list[dict[str, Any]]:
        """The runs of jobs that come after those that have ended."""
        now = self._node_context.now()
        runs = []
        for follower in self._read(found["followers"]):
            followed = getattr(follower.trigger, "job_id", None)
            for at, (job_id, result) in enumerate(results):
                if job_id == followed:
                    runs += [queued_run(run, of=at) for run in following_runs(follower, [result], now)]
        return runs

    def _read(self, rows: Sequence[Any]) -> list[JobRecord]:
        read = [read_job(job_id, fields, self._node_context) for job_id, fields in rows]
        return [record for record in read if not isinstance(record, Unreadable)]

    def _counted(
        self, found: Mapping[str, Any], counted: Sequence[Counted]
    ) -> tuple[list[dict[str, Any]], list[JobRecord]]:
        """Jobs that remember their failures, as they are written; and those of them that are paused, having had too many."""
        new = [one for one, is_active in zip(counted, found["are_active"], strict=False) if is_active]
        changed: list[dict[str, Any]] = []
        paused: list[JobRecord] = []
        for before in self._read(found["counting"]):
            outcomes = [(one.outcome, one.retry_at) for one in new if one.key.job_id == before.id]
            after = after_outcomes(before, outcomes)
            if after is not before:
                changed.append(
                    written_job(after, self._node_context, self._node_context.now(), before.version)
                )
            if has_paused_itself(before, after):
                paused.append(after)
        return changed, paused

    def collect_lost(self, runs: Sequence[RunRecord], disowned: Collection[RunKey]) -> Collected:
        """Runs in the hands of nobody who is alive are lost.

        Args:
            runs: those that are in the hands of tokens that nobody has any more.
            disowned: which of them are of jobs that were removed meanwhile, so that nothing follows from them.
        """
        if not runs:
            return Collected([], {}, None)
        now = self._node_context.now()
        outcome = not_begun(now, "lost", NODE_IS_SILENT)
        ids = sorted({run.job_id for run in runs})
        while True:
            found = self._server.ask("rows", {"ids": ids, "func": False, "columns": FIELDS})
            read = [read_job(job_id, fields, self._node_context) for job_id, fields in found["rows"]]
            of_jobs = {record.id: record.options for record in map(record_of, read)}
            options = {
                run.key: of_jobs[run.job_id]
                for run in runs
                if run.job_id in of_jobs and run.key not in disowned
            }
            again = [
                after_loss(options[run.key], run.key, run.reruns, now, due_times=run.due_times)
                if run.key in options
                else None
                for run in runs
            ]
            times = [None if run is None else run.available for run in again]
            results = [
                (run.job_id, RunResult(run.scheduled_run_time, "lost", retry_at=retry_at))
                for run, retry_at in zip(runs, times, strict=True)
            ]
            counted = [
                Counted(run.key, run.token or 0, "lost", retry_at)
                for run, retry_at in zip(runs, times, strict=True)
                if run.key in options and options[run.key].pause_after_failures is not None
            ]
            look = self._look(ids, counted, None)
            jobs, paused = self._counted(look, counted)
            following = self._following(look, results)
            queue = [queued_run(run, is_next=True, of=at) for at, run in enumerate(again) if run is not None]
            queue += following
            part = {
                "ended": ended_parts((*run.key, run.token or 0, outcome, False) for run in runs),
                "queue": queue,
                "jobs": jobs,
                "needed": ids,
                "followers": look["version"],
                "skipped": False,
            }
            answer = self._server.ask("finish", {"finish": part})
            if "is_stale" not in answer:
                break
        lost = {
            LostRun(*run.key, run.node or ""): retry_at
            for at, (run, retry_at) in enumerate(zip(runs, times, strict=True))
            if at not in answer["refused"]
        }
        when = {run: retry_at for run, retry_at in lost.items() if retry_at is not None}
        expected = filter(None, (*times, now if following else None))
        given_up = {
            run
            for run in lost
            if run not in when and run.key in options and options[run.key].outlasts_schedule
        }
        return Collected(list(lost), when, min(expected, default=None), paused, given_up)


def active_runs(server: Server) -> list[RunRecord]:
    """The runs that go on, of all nodes."""
    return list(active_and_disowned(server)[0])


def active_and_disowned(server: Server) -> tuple[list[RunRecord], set[RunKey]]:
    """The runs that go on, of all nodes; and which of them are of jobs that were removed meanwhile."""
    found = server.ask("active", {})["runs"]
    runs = [read_run(name, text, progress or None) for name, text, progress in found]
    disowned = {
        run.key for run, (_, text, _) in zip(runs, found, strict=True) if "job_removed" in json.loads(text)
    }
    return runs, disowned

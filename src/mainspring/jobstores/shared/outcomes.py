"""What has become of the runs of one node, and is still to be written."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from mainspring.draining import drained
from mainspring.jobstores.shared.runs import ended_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime, timedelta

    from mainspring.jobstores.shared.backend import Backend, Finished
    from mainspring.jobstores.shared.runs import Ended
    from mainspring.model import JobRecord, RunKey, Submission

#: Seconds between two looks at whether to give up.
_PATIENCE = 0.1


class Outcomes:
    """The outcomes of the runs of one node. Its methods may be called from any thread.

    Args:
        keep: how many ended runs of each job are kept.
        keep_for: how long.
        note_queue_due: told when a queued run may be there to be claimed, because of an outcome.
        tell_lost: called for each run that is found to be lost, with its node, when it is run again, and whether it is given up.
        tell_paused: called for each job that has paused itself.
    """

    def __init__(
        self,
        backend: Backend,
        keep: int,
        keep_for: timedelta,
        note_queue_due: Callable[[datetime | None], None],
        tell_lost: Callable[[RunKey, str, datetime | None, bool], None],
        tell_paused: Callable[[JobRecord], None],
    ) -> None:
        self._backend = backend
        self._setting = backend.setting
        self._keep = keep
        self._keep_for = keep_for
        self._note_queue_due = note_queue_due
        self._tell_lost = tell_lost
        self._tell_paused = tell_paused
        self._ended: deque[Ended] = deque()
        self._writing = Lock()
        self._last_taken: list[Ended] = []  # those that may be on their way into the store now
        self._finished_jobs: set[str] = set()

    def add(self, submissions: Iterable[Submission]) -> None:
        """These have ended; `write` is to be called soon."""
        for submission in submissions:
            ended = ended_of(submission, self._setting.now, is_over=True)
            self._ended.extend(ended)
            for one in ended:
                if one.result.outcome == "lost":
                    gave_up = one.job.options.outlasts_schedule and one.result.retry_at is None
                    self._tell_lost(one.key, self._setting.node_name, one.result.retry_at, gave_up)
            self._finished_jobs.add(submission.job.id)

    def add_some(self, submission: Submission) -> None:
        """Some of its runs have ended, and others are still to come."""
        self._ended.extend(ended_of(submission, self._setting.now, is_over=False))

    def __len__(self) -> int:
        return len(self._ended)

    def take_along(self, give_up: Callable[[], bool]) -> list[Ended]:
        """What is to be written along with a claim; whoever takes it writes it, or puts it back.

        Waits for a `write` that is under way, or until `give_up`: the claim would count those runs as going on.
        """
        while not self._writing.acquire(timeout=_PATIENCE):
            if give_up():
                return []
        try:
            return self._taken()
        finally:
            self._writing.release()

    def _taken(self) -> list[Ended]:
        taken = drained(self._ended)
        if taken:
            self._last_taken = taken
        return taken

    def unwritten(self) -> set[tuple[str, datetime, int]]:
        """The keys of the runs whose outcomes are perhaps not in the store yet."""
        waiting = list(self._ended)  # before those that are taken from it
        return {one.key for one in (*waiting, *self._last_taken)}

    def put_back(self, ended: Sequence[Ended]) -> None:
        """It could not be written."""
        self._ended.extendleft(reversed(ended))

    def write(self, give_up: Callable[[], bool] | None = None) -> None:
        """Write what there is, trying again for as long as it takes, or until `give_up` says so."""
        with self._writing:
            ended = self._taken()
            if not ended:
                return
            try:
                finished = self._backend.finish(ended, give_up)
            except BaseException:
                self.put_back(ended)
                raise
            self._note_queue_due(finished.queued_from)
        self.tell(finished)  # without the lock: listeners may be called

    def tell(self, finished: Finished) -> None:
        """Say that others had taken over what this node ran, and that jobs have paused themselves."""
        for one in finished.refused:
            self._setting.logger.warning(
                'The outcome (%s) of job "%s" due at %s is refused: this node had been taken for dead, and the run was '
                "recorded as lost",
                one.result.outcome,
                one.job.name,
                one.result.scheduled_run_time,
            )
        for job in finished.paused:
            self._tell_paused(job)

    def collect_lost(self, own: Callable[[], Collection[tuple[str, datetime, int]]]) -> bool:
        """Runs in the hands of nobody who is alive are lost; whether there are some to be run again now.

        Args:
            own: the keys of runs that go on here, whatever the store says: they are not lost.
        """
        collected = self._backend.collect_lost(lambda: {*own(), *self.unwritten()})
        for run in collected.lost:
            self._setting.logger.error(
                'Run of job "%s" due at %s is lost with node %s%s',
                run.job_id,
                run.scheduled,
                run.node,
                "; it will be run again" if run in collected.again else "",
            )
            gave_up = run in collected.given_up
            if gave_up:
                self._setting.logger.error(
                    'Job "%s" due at %s is given up: it was lost at attempt %d, and is run again no more',
                    run.job_id,
                    run.scheduled,
                    run.attempt,
                )
            self._tell_lost(run.key, run.node, collected.again.get(run), gave_up)
        for job in collected.paused:
            self._tell_paused(job)
        self._note_queue_due(collected.queued_from)
        return bool(collected.again)

    def prune(self) -> None:
        """Remove history that is too old, or too much."""
        finished, self._finished_jobs = self._finished_jobs, set()
        self._backend.prune(sorted(finished), self._keep, self._setting.now() - self._keep_for)

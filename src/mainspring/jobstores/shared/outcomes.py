"""What has become of the runs of one node, and is still to be written."""

from __future__ import annotations

from collections import deque
from logging import ERROR, WARNING
from threading import Lock
from typing import TYPE_CHECKING

from mainspring.clock import pause
from mainspring.errors import safe_str
from mainspring.jobstores.shared.backoff import pause_before_retry
from mainspring.jobstores.shared.dividing import fitting, lighter, weight_of, write_in_parts
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.runs import ended_of
from mainspring.safe_logging import SafeLogger
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime, timedelta

    from mainspring.jobstores.shared.backend import Backend
    from mainspring.jobstores.shared.runs import Ended, Finished
    from mainspring.model import JobRecord, RunKey, Submission

#: Seconds between two looks at whether to give up.
_ASK_AGAIN_SECONDS = 0.1
#: So many outcomes are written together; and so many, and bytes of them, along with a claim, which is to be quick. Where they are plain all of
#: them ride: each batch that is written by itself is another transaction, which takes longer than what is in it.
_ROWS = 2000
_RIDING_ROWS, _RIDING_SIZE = 2000, 1024 * 1024
#: One that is larger never rides: others would wait behind it.
_LIGHT = 16 * 1024
#: Of so many bytes it may be that a server closes the connection because of them; after so many seconds that is looked into.
_SUSPICIOUS_SIZE = 64 * 1024
_SUSPICION_AFTER = 2.0
#: For so many seconds at most a claim waits for outcomes to be written that are too much for it.
_CLAIM_WAITS = 0.5


class Outcomes:
    """The outcomes of the runs of one node. Its methods may be called from any thread.

    Args:
        keep: how many ended runs of each job are kept.
        keep_for: how long.
        note_queue_due: told when a queued run may be there to be claimed, because of an outcome.
        tell_lost: called for each run that is found to be lost, with its node, when it is run again, and whether it is given up.
        tell_paused: called for each job that has paused itself.
        store_works: whether something small can be written now.
    """

    def __init__(
        self,
        backend: Backend,
        keep: int,
        keep_for: timedelta,
        note_queue_due: Callable[[datetime | None], None],
        tell_lost: Callable[[RunKey, str, datetime | None, bool], None],
        tell_paused: Callable[[JobRecord], None],
        store_works: Callable[[], bool],
    ) -> None:
        self._backend = backend
        self._node_context = backend.node_context
        self._keep = keep
        self._keep_for = keep_for
        self._note_queue_due = note_queue_due
        self._tell_lost = tell_lost
        self._tell_paused = tell_paused
        self._store_works = store_works
        self._ended: deque[Ended] = deque()
        self._writing = Lock()
        self._moving = Lock()  # held while outcomes go from one of these to another
        self._riding: Sequence[Ended] = ()  # those that a claim has taken along, and
        self._being_written: Sequence[
            Ended
        ] = ()  # those that were written by themselves, last: perhaps not there yet
        self._just_taken: Sequence[Ended] = ()  # on their way to one of the two
        self._stuck: list[Ended] = []  # those that the store refuses whatever is left out
        self._may_pause = False  # jobs, for their failures
        self._claim_waits = False
        self._failures = 0  # so often in a row outcomes could not be written
        self._finished_jobs: set[str] = set()

    def add(self, submissions: Iterable[Submission]) -> None:
        """These have ended; `write` is to be called soon."""
        for submission in submissions:
            ended = ended_of(submission, self._node_context.now, is_over=True)
            if submission.job.options.pause_after_failures is not None:
                self._may_pause = True
            with self._moving:
                self._ended.extend(ended)
            for one in ended:
                if one.result.outcome == "lost":
                    gave_up = one.job.options.outlasts_schedule and one.result.retry_at is None
                    self._tell_lost(one.key, self._node_context.node_name, one.result.retry_at, gave_up)
            self._finished_jobs.add(submission.job.id)

    def add_some(self, submission: Submission) -> None:
        """Some of its runs have ended, and others are still to come."""
        ended = ended_of(submission, self._node_context.now, is_over=False)
        if submission.job.options.pause_after_failures is not None:
            self._may_pause = True
        with self._moving:
            self._ended.extend(ended)

    def __len__(self) -> int:
        return len(self._ended) + len(self._stuck)

    @property
    def are_kept_back(self) -> bool:
        """Whether outcomes could not be written, and claims go without them until that works."""
        return self._failures > 0

    def drain(self, give_up: Callable[[], bool]) -> Sequence[Ended]:
        """What is to be written along with a claim; whoever takes it says `written`, or puts it back.

        Waits for a `write` that is under way, or until `give_up`: the claim would count those runs as going on. What is too much for a
        claim is written by itself before it, as far as that takes no more than a moment, and nothing is taken along while outcomes can't be written: no claim fails because of them.
        """
        self._claim_waits = True
        try:
            return self._ridden(give_up)
        finally:
            self._claim_waits = False

    def _ridden(self, give_up: Callable[[], bool]) -> Sequence[Ended]:
        if not self._is_light():
            try:
                self.write(give_up, self._node_context.clock.monotonic() + _CLAIM_WAITS)
            except Exception:  # noqa: BLE001 - it is tried again, and told, by whoever keeps the store in order
                return []
        while not self._writing.acquire(timeout=_ASK_AGAIN_SECONDS):
            if give_up():
                return []
        try:
            if self._failures:
                return []
            is_light = self._is_light()
            riding = self._taken(_RIDING_ROWS, self._riding_size) if is_light else self._light_ones()
            self._riding = riding
            return riding
        finally:
            self._writing.release()

    def _is_light(self) -> bool:
        """Whether all that there is may be written along with a claim."""
        count = len(self._ended)
        if not count:
            return True
        size = self._riding_size
        with self._moving:
            waiting = list(self._ended)
            if self._together() < count:
                return False
        for one in waiting:
            size -= weight_of(one)
            if size < 0:
                return False
        return count <= _RIDING_ROWS

    @property
    def _riding_size(self) -> int:
        return min(self._node_context.batch_limit, _RIDING_SIZE)

    def _taken(self, rows: int, size: int) -> list[Ended]:
        """The first outcomes, as many as are written together."""
        with self._moving:
            waiting = self._ended
            count = fitting(map(weight_of, waiting), min(rows, self._together()), size)
            taken = self._just_taken = [waiting.popleft() for _ in range(count)]
            return taken

    def _together(self) -> int:
        """How many of the first outcomes may be written together: one that may pause a follower is alone, since it follows what was before. Needs the lock."""
        count = len(self._ended)
        if not self._may_pause:
            return count
        pausing = (max(at, 1) for at, one in enumerate(self._ended) if one.may_pause_follower)
        return next(pausing, count)

    def _light_ones(self) -> list[Ended]:
        """The outcomes that a claim takes along: none that is large, nor one of the same job that came later."""
        taken: list[Ended] = []
        size = self._riding_size
        left: deque[Ended] = deque()
        waiting_jobs: set[str] = set()
        with self._moving:
            for one in self._ended:
                weight = weight_of(one)
                fits = weight <= min(size, _LIGHT) and len(taken) < _RIDING_ROWS
                if fits and one.job.id not in waiting_jobs:
                    size -= weight
                    taken.append(one)
                else:
                    waiting_jobs.add(one.job.id)
                    left.append(one)
            for _ in range(len(taken) + len(left)):
                self._ended.popleft()
            self._ended.extendleft(reversed(left))
            self._just_taken = taken
        return taken

    def unwritten(self) -> set[tuple[str, datetime, int]]:
        """The keys of the runs whose outcomes are perhaps not in the store yet."""
        with self._moving:
            return {
                one.key
                for one in (
                    *self._ended,
                    *self._stuck,
                    *self._riding,
                    *self._being_written,
                    *self._just_taken,
                )
            }

    def requeue(self, ended: Sequence[Ended]) -> None:
        """It could not be written: it waits, in its place."""
        with self._moving:
            self._ended.extendleft(reversed(ended))

    def could_not_ride(self, ended: Sequence[Ended]) -> None:
        """A claim that was to write these has failed: they are written by themselves, and claims go without until that works."""
        self.requeue(ended)
        self._failures += 1

    def write(self, give_up: Callable[[], bool] | None = None, until: float | None = None) -> None:
        """Write what there is, trying again until `give_up` says so, where the reason passes.

        What is refused for what is in it is divided until the outcome at fault is found. That is written without what was too much, and
        says so, and the others are written.

        Args:
            until: on the monotonic clock; what can't be begun by then waits. Without it all is written, unless a claim waits for that.

        Raises:
            Exception: not all could be written. What is left waits: this is to be called again.
        """
        all_finished: list[Finished] = []
        try:
            with self._writing:
                self._write(give_up, until, all_finished)
        finally:
            for finished in all_finished:
                self.tell(finished)  # without the lock: listeners may be called

    def write_all(self, give_up: Callable[[], bool]) -> None:
        """Write what there is, trying again whatever the reason, until `give_up` says so.

        Raises:
            Exception: it was given up.
        """
        attempts = 0
        while True:
            try:
                while len(self):
                    self.write(give_up)
            except Exception:
                if give_up():
                    raise
            if not len(self):
                return
            attempts += 1
            pause(self._node_context.clock, pause_before_retry(attempts))

    def _write(
        self, give_up: Callable[[], bool] | None, until: float | None, all_finished: list[Finished]
    ) -> None:
        self._retry_stuck()
        while True:
            ended = self._being_written = self._taken(_ROWS, self._node_context.batch_limit)
            if not ended:
                break
            left = ended
            try:
                answers, left, stuck, error = write_in_parts(
                    ended, lambda part: self._finish(part, give_up), self._is_refused, self._lighter
                )
            finally:
                self.requeue(left)
            all_finished += answers
            with self._moving:
                self._stuck += stuck
            if error is not None and (left or stuck):
                self._failures += 1
            if error is not None and left:
                raise error
            is_to_stop = self._claim_waits if until is None else self._node_context.clock.monotonic() > until
            if is_to_stop:
                break
        if self._stuck:
            raise self._stuck_error()
        self._failures = 0

    def _finish(self, part: Sequence[Ended], give_up: Callable[[], bool] | None) -> Finished:
        ends = give_up
        if sum(map(weight_of, part)) > _SUSPICIOUS_SIZE:
            # Some servers answer to what is too large by closing the connection: that must not be taken for an outage for ever.
            deadline = self._node_context.clock.monotonic() + _SUSPICION_AFTER

            def ends() -> bool:
                return self._node_context.clock.monotonic() > deadline or (give_up is not None and give_up())

        finished = self._backend.finish(part, ends)
        self._note_queue_due(finished.queued_from)
        return finished

    def _is_refused(self, error: Exception, part: Sequence[Ended]) -> bool:
        """Whether outcomes can't be written because of what is in them, and not because of the store."""
        failure = self._backend.outage.failure_of(error)
        if failure is Failure.TOO_LARGE:
            return True
        if failure in (Failure.CONFLICT, Failure.FULL, Failure.CHANGED, Failure.PERMANENT):
            return False
        if failure is None or sum(map(weight_of, part)) > _SUSPICIOUS_SIZE:
            return self._store_works()  # something else can be written
        return False

    def _lighter(self, one: Ended, error: Exception) -> Ended | None:
        instead = lighter(one, error)
        log = SafeLogger(self._node_context.logger)
        identifier = one.key.id
        if instead is None:
            log.of_run(
                ERROR,
                identifier,
                'The outcome (%s) of job "%s" due at %s can\'t be written: %s; trying again',
                one.result.outcome,
                one.job.id,
                one.result.scheduled_run_time,
                safe_str(error),
            )
        else:
            log.of_run(
                WARNING,
                identifier,
                'Not all of the outcome of job "%s" due at %s can be stored: %s',
                one.job.id,
                one.result.scheduled_run_time,
                instead.result.error,
            )
        return instead

    def _retry_stuck(self) -> None:
        with self._moving:
            stuck, self._stuck = self._stuck, []
            self._ended.extend(stuck)

    def _stuck_error(self) -> Exception:
        return RuntimeError(f"{len(self._stuck)} outcomes can't be written, whatever is left out of them")

    def tell(self, finished: Finished) -> None:
        """Say that others had taken over what this node ran, and that jobs have paused themselves."""
        for one in finished.refused:
            SafeLogger(self._node_context.logger).of_run(
                WARNING,
                one.key.id,
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
            log = SafeLogger(self._node_context.logger)
            log.of_run(
                ERROR,
                run.key.id,
                'Run of job "%s" due at %s is lost with node %s%s',
                run.job_id,
                run.scheduled,
                run.node,
                "; it will be run again" if run in collected.again else "",
                outcome="lost",
            )
            gave_up = run in collected.given_up
            if gave_up:
                log.of_run(
                    ERROR,
                    run.key.id,
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

    def kept_since(self, now: datetime) -> datetime:
        """From when on history is kept."""
        return shifted(now, -self._keep_for)

    def prune(self) -> None:
        """Remove history that is too old, or too much."""
        finished, self._finished_jobs = self._finished_jobs, set()
        try:
            self._backend.prune(sorted(finished), self._keep, self.kept_since(self._node_context.now()))
        except BaseException:
            self._finished_jobs |= finished
            raise

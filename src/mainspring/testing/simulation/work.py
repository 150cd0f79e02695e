"""What the jobs of a simulation do, and who does it: a run takes its time by the simulated clock, and ends as its story says."""

from __future__ import annotations

from contextvars import copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.executors.native import NativeExecutor
from mainspring.model import RunKey
from mainspring.testing.checker import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mainspring.executors.report import RunReporter
    from mainspring.model import Submission
    from mainspring.testing.simulation.nodes import Node


def work(takes: float = 0, ends: tuple[str, ...] = ("succeeded",), manner: str = "obeys") -> None:  # noqa: ARG001 - read by whoever would call it
    """The function of each job: nobody calls it, and its arguments say what a call of it would do.

    Args:
        takes: seconds.
        ends: how the attempts end, one after the other; the last is repeated.
        manner: what it does when it is told to end: ``"obeys"``, or ``"ignores"`` it.
    """
    raise AssertionError("the executors of a simulation call nothing")


_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class TrueCall(NamedTuple):
    """A call as it was, also where its node had been stopped so that it isn't counted to its end.

    Attributes:
        ended: ``None``: it went on when its story ended, or its node was killed.
        cause: as of its run's record.
    """

    key: RunKey
    began: datetime
    ended: datetime | None
    cause: str


class _Run:
    """A submission that an executor has, and the run of it that goes on."""

    def __init__(self, submission: Submission, reporter: RunReporter) -> None:
        self.submission, self.reporter = submission, reporter
        self.left: Iterator[datetime] = iter(submission.run_times)
        self.time: datetime | None = None
        self.began: datetime | None = None
        self.started: Any = None
        self.ends_at = 0.0  # in seconds since the story began
        self.cut_off_at: datetime | None = None

    @property
    def values(self) -> Mapping[str, Any]:
        return self.submission.job.kwargs

    @property
    def attempt(self) -> int:
        return self.submission.attempt_of(self.time) if self.time is not None else 1


class SimulatedExecutor(NativeExecutor):
    """Runs as many submissions at a time as it has places; the others wait for one.

    Attributes:
        calls: the diary of the functions: those that have ended.
        true_calls: the same, to their very end.
        refusals: how many of the next submissions are refused.
    """

    def __init__(self, node: Node, places: int) -> None:
        super().__init__()
        self._node = node
        self._places = places
        self._waiting: list[_Run] = []
        self._going: list[_Run] = []
        self.calls: list[Call] = []
        self.true_calls: list[TrueCall] = []
        self.refusals = 0

    @property
    def places(self) -> int:
        """How many submissions it runs at a time."""
        return self._places

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        if self.refusals:
            self.refusals -= 1
            raise OSError("the executor refuses it")
        self._waiting.append(_Run(submission, reporter))

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do, now or later."""
        return not (self._waiting or self._going)

    @property
    def next_turn(self) -> float | None:
        """When a worker has something to do next, in seconds since the story began: to begin a submission, or to end a run."""
        if self._waiting and len(self._going) < self._places:
            return 0.0
        return min((run.ends_at for run in self._going), default=None)

    def take_turn(self) -> None:
        """Begin the submission that has waited longest, or end the run that is to end first."""
        if self._waiting and len(self._going) < self._places:
            run = self._waiting.pop(0)
            self._going.append(run)
            self._begin_next(run)
        else:
            self._end_next()

    def _begin_next(self, run: _Run) -> None:
        time = next(run.left, None)
        if time is None:
            self._done(run)
            return
        if run.submission.stop is not None or not run.reporter.may_begin(run.submission):
            for each in (time, *run.left):
                run.reporter.cancelled(run.submission, each, None)
            self._done(run)
            return
        world = self._node.world
        run.time, run.began, run.cut_off_at = time, world.moment(), None
        run.ends_at = world.elapsed + run.values.get("takes", 0)
        world.tell(
            f"{self._node.name} begins {run.submission.job.id!r} due at {world.seconds(time):g} s, attempt {run.attempt}"
        )
        # In a context of its own, as on a worker's thread: it is not what simulates that is in this run from now on.
        run.started = copy_context().run(run.reporter.started, run.submission, time)

    def _done(self, run: _Run) -> None:
        if run in self._going:
            self._going.remove(run)
            run.reporter.done(run.submission)

    def _end_next(self) -> None:
        run = min(self._going, key=lambda run: run.ends_at)
        ends = run.values.get("ends", ("succeeded",))
        how = ends[min(run.attempt, len(ends)) - 1]
        self._note_end(run)
        reporter, submission, time = run.reporter, run.submission, run.time
        if time is not None and how == "succeeded":
            reporter.succeeded(submission, time, run.started, None)
        elif time is not None:
            error = OSError("no network")
            reporter.failed(submission, time, run.started, error, f"Traceback of {error!r}")
        self._begin_next(run)

    def _call(self, run: _Run, ended: datetime | None) -> Call:
        began = run.began or self._node.world.now
        return Call(run.submission.job.id, began, ended, run.time, run.attempt, node=self._node.name)

    def _note_end(self, run: _Run) -> None:
        self._node.world.tell(f"{self._node.name} has run {run.submission.job.id!r}")
        moment = self._node.world.moment()
        self.calls.append(self._call(run, run.cut_off_at or moment))
        self.true_calls.append(_true_call(run, moment))

    def all_true_calls(self) -> list[TrueCall]:
        """As `all_calls`, each to its very end."""
        return [*self.true_calls, *(_true_call(run, None) for run in self._going if run.time is not None)]

    def all_calls(self) -> list[Call]:
        """Those that have ended, and those that go on."""
        return [*self.calls, *(self._call(run, None) for run in self._going if run.time is not None)]

    def cut_off(self, moment: datetime) -> None:
        """The node was stopped from `moment` on for longer than its lease: what its functions do from then on is beside what others do, by right."""
        for run in self._going:
            run.cut_off_at = run.cut_off_at or moment

    def interrupt(self, submission: Submission) -> None:
        """Have a run end that is to be stopped, unless it ignores that."""
        self._waiting_cancelled(submission)
        run = next((run for run in self._going if run.submission is submission), None)
        if run is None or run.time is None or run.values.get("manner") == "ignores":
            return
        self._note_end(run)
        run.reporter.cancelled(submission, run.time, run.started)
        for each in run.left:
            run.reporter.cancelled(submission, each, None)
        self._done(run)

    def _waiting_cancelled(self, submission: Submission) -> None:
        run = next((run for run in self._waiting if run.submission is submission), None)
        if run is not None:
            self._waiting.remove(run)
            for each in run.left:
                run.reporter.cancelled(submission, each, None)
            run.reporter.done(submission)

    def leave_running(self, submission: Submission) -> None:
        """A run has ignored that it was to end."""
        run = next((run for run in self._going if run.submission is submission), None)
        if run is not None:
            self._going.remove(run)
            self._note_end(run)

    def take_back(self) -> list[Submission]:
        """What waits for a place."""
        taken = [run for run in self._waiting if run.submission.lease is not None]
        self._waiting = [run for run in self._waiting if run not in taken]
        return [run.submission for run in taken]


def _true_call(run: _Run, ended: datetime | None) -> TrueCall:
    began = run.began or _END_OF_TIME
    key = RunKey(run.submission.job.id, (run.time or _END_OF_TIME).astimezone(UTC), run.attempt)
    return TrueCall(key, began, ended, run.submission.cause)

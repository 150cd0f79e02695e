"""A scheduler on a store of one kind, of which a program decides everything: the time, and how each run ends. Nothing in it runs by itself.

Two worlds that are given the same steps are to look the same after each of them, whatever their stores are.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any

import work_of_nobody
from story import Story

from mainspring import AfterJob, DateTrigger, IntervalTrigger, events
from mainspring.events import EVENT_EVERY
from mainspring.executors.native import NativeExecutor
from mainspring.jobstores.local import adapter
from mainspring.jobstores.shared import change_feed, node_context, upkeep
from mainspring.testing import EventRecorder, ManualScheduler
from mainspring.testing.checker import Call, check

START = datetime(2026, 1, 1, tzinfo=UTC)
_CODES = {
    getattr(events, name): name.removeprefix("EVENT_") for name in events.__all__ if name.startswith("EVENT_")
}
#: What can be done to a scheduler that doesn't run.
_WHILE_STOPPED = frozenset({"start", "end", "sleep"})
#: More passes than anything that is due at one time takes.
_MOST_PASSES = 50
_TICK = timedelta(microseconds=1)


def after(seconds: float) -> datetime:
    """So many seconds after a program has begun."""
    return START + timedelta(seconds=seconds)


def seconds(moment: datetime | None) -> float | None:
    """The inverse of `after`."""
    return None if moment is None else round((moment - START).total_seconds(), 6)


def trigger_of(words: tuple[Any, ...]) -> Any:
    """``("every", n, first)``, ``("at", when)`` or ``("after", job, on)`` as a trigger."""
    kind, *values = words
    if kind == "every":
        return IntervalTrigger(seconds=values[0], start_date=after(values[1]), timezone=UTC)
    if kind == "at":
        return DateTrigger(after(values[0]), timezone=UTC)
    return AfterJob(*values)


class StillUpkeep:
    """In the place of a store's threads: what they do, the world does at its times."""

    def __init__(self, *_: Any, ended: Any = None, **__: Any) -> None:
        self.stopping = upkeep.Event()
        self._ended = ended

    def start(self) -> None: ...

    def flush_soon(self) -> None: ...

    def call_now(self, task: Any) -> None: ...

    def stop(self) -> None:
        if self._ended is not None:
            self._ended()

    def join(self, timeout: float) -> bool:
        return True


class StillChangeFeed:
    """Nobody else changes anything."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def stop(self) -> None: ...


def stand_still(monkeypatch: Any) -> None:
    """Have stores start no threads, and go by the scheduler's clock alone."""
    for name in ("mainspring.jobstores.shared.store.Upkeep", "mainspring.jobstores.shared.upkeep.Upkeep"):
        monkeypatch.setattr(name, StillUpkeep)
    for module in ("sqlalchemy", "redis", "mongodb"):
        for part in ("backend", "listening"):
            with suppress(AttributeError, ImportError):
                monkeypatch.setattr(f"mainspring.jobstores.{module}.{part}.ChangeFeed", StillChangeFeed)
    monkeypatch.setattr(change_feed, "ChangeFeed", StillChangeFeed)
    monkeypatch.setattr(node_context.NodeContext, "measured", lambda *_: None)
    # Otherwise it remembers a hundred runs of each job, and others more.
    monkeypatch.setattr(adapter, "_KEPT_RUNS", 100_000)


class StillAlarms:
    """Time-outs, and the second that a run has to end in when it is told to, by the manual clock."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._alarms: list[tuple[float, int, Any]] = []
        self._numbers = itertools.count()

    def add(self, seconds: float, call: Any, is_needed: Any = None) -> None:
        heappush(self._alarms, (self._clock.monotonic() + seconds, next(self._numbers), call))

    def clear(self) -> None:
        self._alarms.clear()

    def ring(self) -> None:
        """Call what is due."""
        while self._alarms and self._alarms[0][0] <= self._clock.monotonic():
            heappop(self._alarms)[2]()


class Hand(NativeExecutor):
    """Begins whatever it is given, and ends it when it is told to. It notes what was called, as functions do in their diary.

    Attributes:
        running: the submissions that go on, and when the call of each began.
        calls: those that have ended.
        refusals: how many of the next submissions of a job are refused.
    """

    places = 1000  # type: ignore[assignment]  # a property of others

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self._clock = clock
        self.running: dict[Any, Any] = {}
        self.calls: list[Call] = []
        self.refusals: dict[str, int] = {}
        self._left: list[Any] = []  # which go on for ever: the scheduler knows them by their identity
        self._ticks = itertools.count()

    def _now(self) -> datetime:
        """The time, and a little more each time, so that it is known what came first."""
        return self._clock.now() + next(self._ticks) * _TICK

    def _submit(self, submission: Any, reporter: Any) -> None:
        job_id = submission.job.id
        if self.refusals.get(job_id):
            self.refusals[job_id] -= 1
            raise OSError("the executor refuses it")
        left = iter(submission.run_times)
        run = self.running[id(submission)] = _Run(submission, reporter, left)
        self._begin_next(run)

    def _begin_next(self, run: Any) -> None:
        time = next(run.left, None)
        if time is None:
            self._done(run)
            return
        if run.submission.stop is not None or not run.reporter.may_begin(run.submission):
            for each in (time, *run.left):
                run.reporter.cancelled(run.submission, each, None)
            self._done(run)
            return
        run.time, run.began = time, self._now()
        # In a context of its own, as on a worker's thread: it is not the test that is in this run from now on.
        run.started = copy_context().run(run.reporter.started, run.submission, time)

    def _done(self, run: Any) -> None:
        if self.running.pop(id(run.submission), None) is not None:
            run.reporter.done(run.submission)

    def end(self, key: tuple[str, float, int], how: str) -> None:
        """End the run that was begun last of a submission, and begin the next."""
        run = next(run for run in self.running.values() if run.key == key)
        self._note_end(run)
        reporter, submission = run.reporter, run.submission
        if how == "succeeded":
            reporter.succeeded(submission, run.time, run.started, run.key)
        else:
            error = {"failed": OSError("no network"), "broken": ValueError("no such thing")}[how]
            reporter.failed(submission, run.time, run.started, error, f"Traceback of {error!r}")
        self._begin_next(run)

    def _note_end(self, run: Any) -> None:
        job_id, due, attempt = run.key
        self.calls.append(Call(job_id, run.began, self._now(), after(due), attempt))

    def all_calls(self) -> list[Call]:
        """Those that have ended, and those that go on."""
        going = [
            Call(run.key[0], run.began, None, run.time, run.key[2])
            for run in self.running.values()
            if run.time is not None
        ]
        return [*self.calls, *going]

    def interrupt(self, submission: Any) -> None:
        """Have a run end that is to be stopped: at once, with an error, by returning, or not at all, as its job does."""
        run = self.running.get(id(submission))
        if run is None or run.time is None:
            return
        manner = submission.job.args[0]
        if manner == "ignores":
            return
        self._note_end(run)
        if manner == "obeys":
            run.reporter.cancelled(submission, run.time, run.started)
        elif manner == "raises":
            run.reporter.failed(submission, run.time, run.started, ValueError("told to stop"), "Traceback")
        else:
            run.reporter.succeeded(submission, run.time, run.started, "returned")
        for each in run.left:
            run.reporter.cancelled(submission, each, None)
        self._done(run)

    def leave_running(self, submission: Any) -> None:
        """A run has ignored that it was to end."""
        run = self.running.pop(id(submission), None)
        if run is not None:
            self._note_end(run)
            self._left.append(run)


class _Run:
    """A submission, and how far it is."""

    def __init__(self, submission: Any, reporter: Any, left: Any) -> None:
        self.submission, self.reporter, self.left = submission, reporter, left
        self.time: datetime | None = None
        self.began = self.started = None

    @property
    def key(self) -> tuple[str, Any, int]:
        return (self.submission.job.id, seconds(self.time), self.submission.attempt)


class World:
    """One of the worlds that are compared.

    Args:
        name: what its store is called.
        store: a new one, with nothing in it.
    """

    def __init__(self, name: str, store: Any) -> None:
        self.name = name
        self.heard = EventRecorder()
        self.scheduler = scheduler = ManualScheduler(start=START, jobstores={"default": store})
        self.alarms = scheduler._alarms = scheduler._stopping._alarms = StillAlarms(scheduler.clock)
        scheduler._run_aside = lambda work: work()  # type: ignore[method-assign]  # as soon as it is to be done
        self.hand = Hand(scheduler.clock)
        scheduler.add_executor(self.hand, "default")
        scheduler.add_listener(self.heard, EVENT_EVERY)
        scheduler.add_listener(self._hear_pause, events.EVENT_JOB_PAUSED)
        scheduler.start()
        self.store = scheduler._stores["default"]
        self._told = 0
        self.story = Story()

    def _hear_pause(self, event: Any) -> None:
        """Note that a job was paused for its runs that don't end: the checker works the other reasons out by itself."""
        if "runs of it don't end" in event.note:
            self.story.paused(event.job_id, self.scheduler.clock.now())

    def close(self) -> None:
        """End it, with all that goes on."""
        for run in list(self.hand.running.values()):
            run.left = iter(())
            with suppress(Exception):
                self.hand.end(run.key, "succeeded")
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)

    # Steps

    def take(self, step: Any) -> Any:
        """Take one step of a program; what came of it, as text."""
        if not self.scheduler.running and step.name not in _WHILE_STOPPED:
            return "it is stopped"
        begin = self.scheduler.clock.now()
        try:
            result = getattr(self, f"_{step.name}")(**step.values)
        except Exception as error:  # whatever it is, the others are to raise it too
            result = f"{type(error).__name__}: {error}"
        try:
            self.settle()
        except AssertionError as spinning:
            result = str(spinning)
        self.story.tell(step, result, begin, self.scheduler.clock.now())
        return result

    def settle(self) -> None:
        """Do what is due now, until nothing more is."""
        scheduler = self.scheduler
        if not scheduler.running:
            return
        # What has ended is written before anything is claimed, as it is a moment later where threads do it.
        scheduler._in_flight.settle()
        self.store.write_outcomes()
        for _ in range(_MOST_PASSES):
            scheduler._look()
            upcoming = scheduler._upcoming()
            if upcoming is None or upcoming > scheduler.clock.now():
                return
        raise AssertionError(
            f"{self.name} spins: it says that something is due at {upcoming}, and does nothing about it"
        )

    def _add(self, job: str, trigger: Any, manner: str = "obeys", **options: Any) -> Any:
        added = self.scheduler.add_job(
            work_of_nobody.work, trigger_of(trigger), args=[manner], id=job, **_plain(options)
        )
        return self._handed(added)

    def _handed(self, job: Any) -> Any:
        """Note the handle that was returned."""
        self.story.handed = job._record
        return job.id

    def _change(self, job: str, **options: Any) -> Any:
        return self._handed(self.scheduler.modify_job(job, **_plain(options)))

    def _reschedule(self, job: str, trigger: Any) -> Any:
        return self._handed(self.scheduler.reschedule_job(job, trigger=trigger_of(trigger)))

    def _move(self, job: str, to: float) -> Any:
        return self._handed(self.scheduler.modify_job(job, next_run_time=after(to)))

    def _pause(self, job: str) -> Any:
        return self._handed(self.scheduler.pause_job(job))

    def _resume(self, job: str) -> Any:
        resumed = self.scheduler.resume_job(job)
        return None if resumed is None else self._handed(resumed)

    def _remove(self, job: str) -> None:
        self.scheduler.remove_job(job)

    def _run(self, job: str) -> str:
        return self.scheduler.run_job(job).id

    def _cancel(self, run: str) -> None:
        self.scheduler.cancel_run(run)

    def _backfill(self, job: str, start: float, end: float, overlap: str) -> list[str]:
        return [
            handle.id for handle in self.scheduler.backfill(job, after(start), after(end), overlap=overlap)
        ]

    def _group(self, group: str, **limits: Any) -> None:
        self.scheduler.set_group(group, **limits)

    def _ungroup(self, group: str) -> Any:
        return self.scheduler.remove_group(group)

    def _end(self, run: Any, how: str) -> None:
        self.hand.end(tuple(run), how)

    def _wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.scheduler.clock.advance(1)
            self.alarms.ring()
            self.settle()

    def _sleep(self, seconds: int) -> None:
        """As a suspended machine does: nobody looks meanwhile."""
        self.scheduler.clock.advance(seconds)
        self.alarms.ring()

    def _refuse(self, job: str, times: int) -> None:
        self.hand.refusals[job] = times

    def _stop(self) -> None:
        self.scheduler.shutdown(wait=False)

    def _start(self) -> None:
        self.scheduler.start()

    # What is seen

    def look(self) -> dict[str, Any]:
        """All that can be seen of it from outside, as plain values that are compared."""
        if not self.scheduler.running:
            return {"running": sorted(run.key for run in self.hand.running.values())}
        jobs = sorted(self.scheduler.get_jobs(), key=lambda job: job.id)
        told = self.heard.events[self._told :]
        self._told = len(self.heard.events)
        return {
            "jobs": [(job.id, seconds(job.next_run_time), job.note) for job in jobs],
            "runs": sorted(map(_run_seen, self.runs()), key=repr),
            "events": sorted(map(_event_seen, told), key=repr),
            "running": sorted(run.key for run in self.hand.running.values()),
            "parked": sorted((job.job_id, job.reason) for job in self.scheduler.get_parked_jobs()),
        }

    def runs(self) -> list[Any]:
        """All records."""
        return self.scheduler.get_runs(limit=100_000)

    def faults(self) -> list[Any]:
        """What the checker finds in its history."""
        history = self.story.observed(
            since=START,
            until=self.scheduler.now,
            runs=self.runs(),
            calls=self.hand.all_calls(),
            events=self.heard.events,
        )
        return check(history)

    @property
    def now(self) -> float:
        """The seconds since the program began."""
        return seconds(self.scheduler.clock.now())


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    if "retry" in options and isinstance(options["retry"], tuple):
        attempts, delay = options["retry"]
        options = {**options, "retry": {"attempts": attempts, "delay": delay, "backoff": 1}}
    return options


def _run_seen(run: Any) -> tuple[Any, ...]:
    return (
        run.job_id,
        seconds(run.scheduled_run_time),
        run.attempt,
        run.state,
        run.cause,
        run.due_times,
        # A store that is shared is told with its outcome when a run began; the process that runs it knows before.
        None if run.state == "running" else seconds(run.started),
        seconds(run.finished),
        run.error,
        run.result,
        run.traceback,
    )


def _event_seen(event: Any) -> tuple[Any, ...]:
    values = []
    for name in (
        "job_id", "run_id", "run_ids", "attempt", "scheduled_run_time", "scheduled_run_times", "started", "finished",
        "exception", "retry_at", "reason", "note", "first", "before", "retval",
    ):  # fmt: skip
        value = getattr(event, name, None)
        if isinstance(value, datetime):
            value = seconds(value)
        elif name == "scheduled_run_times" and value is not None:
            value = [seconds(each) for each in value]
        elif isinstance(value, BaseException):
            value = f"{type(value).__name__}: {value}"
        if value is not None:
            values.append((name, value))
    return (_CODES[event.code], *values)

"""What a job's function can ask and say about the run that it is in, without a parameter for it: `current_run`."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import UTC
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

from mainspring.coercion import names_parameters
from mainspring.errors import NoRunError, RunCancelledError
from mainspring.forks import OwnLock
from mainspring.printable import printable
from mainspring.storable import DEFAULT_LIMITS, is_progress, kept_end, kept_progress, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from datetime import datetime, timedelta

    from mainspring.model import RunKey, Submission
    from mainspring.storable import RunLimits

#: What the calling thread or task runs: a submission, or in a worker process the run itself. It goes along where a context
#: is copied, as to a thread that does something for a task.
OWN: ContextVar[Any] = ContextVar("own", default=None)

#: More bytes than the line takes that says how many lines are not kept.
_NOTE_LENGTH = 64

_logger = logging.getLogger("mainspring.run")
_logger.setLevel(logging.INFO)
_making = OwnLock()


class CancelToken:
    """Tells a run that it is to end: because somebody cancelled it, or because it has taken too long."""

    def __init__(self) -> None:
        self._event = Event()
        self.reason: str | None = None

    def set(self, reason: str) -> None:
        """The run is to end."""
        self.reason = reason
        self._event.set()

    def is_set(self) -> bool:
        """Whether the run is to end."""
        return self._event.is_set()

    __bool__ = is_set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the run is to end, or for `timeout` seconds; whether it is. A pause that ends when the run should."""
        return self._event.wait(timeout)

    def raise_if_set(self) -> None:
        """Raise `RunCancelledError` if the run is to end."""
        if self._event.is_set():
            raise RunCancelledError(f"the run is to end: {self.reason}")

    def __repr__(self) -> str:
        return f"<CancelToken ({self.reason or 'not set'})>"


@names_parameters
class CurrentRun:
    """The run that calls.

    Attributes:
        job_id: of its job.
        run_id: its identifier: the same for the same job, time and attempt on every node, for ever. A good idempotency key.
        scheduled_run_time: when it was due, aware.
        attempt: counted from 1.
        deadline: when it will have taken too long, aware; ``None``: never.
        cancelled: is set when the run is to end. In a process pool it is never set: the process is ended.
        log: a logger whose lines are kept in the history with the run.
    """

    def __init__(
        self,
        key: RunKey,
        deadline: datetime | None,
        *,
        captures: bool,
        limits: RunLimits = DEFAULT_LIMITS,
    ) -> None:
        self._key = key
        self.limits = limits
        self.deadline = deadline
        self.cancelled = CancelToken()
        self.log = _RunLog(_logger, {"mainspring_run": self})
        self.captures = captures
        self._lines: list[str] = []
        self._length = self._left_out = 0
        #: What the run said last of how far it is, as JSON.
        self.said: str | None = None
        #: Called when it says how far it is.
        self.tell: Callable[[str], None] | None = None

    @property
    def job_id(self) -> str:  # noqa: D102 - described with the class, as the following
        return self._key.job_id

    @property
    def run_id(self) -> str:  # noqa: D102
        return self._key.id

    @property
    def scheduled_run_time(self) -> datetime:  # noqa: D102
        return self._key.scheduled_run_time

    @property
    def attempt(self) -> int:  # noqa: D102
        return self._key.attempt

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Say how far the run is; others see it in `get_run`.

        Args:
            done: how much of the work is done.
            total: how much there is; ``None``: that isn't known.
            text: what people are to read.

        Raises:
            TypeError: `done` or `total` is no number.
        """
        self._say(kept_progress(done, total, text, self.limits.progress))

    def pass_on(self, text: str) -> None:
        """Have others see how far the run is, as its process has written that; what that can't have written is left out."""
        if is_progress(text, self.limits.progress):
            self._say(text)

    def _say(self, text: str) -> None:
        self.said = text
        if self.tell is not None:
            self.tell(text)

    def add_line(self, line: str) -> None:
        """Keep a line of the log; of many only the last."""
        limit = self.limits.log - _NOTE_LENGTH
        line = kept_end(line, limit)
        self._lines.append(line)
        self._length += size_of(line) + 1
        while self._length > limit and len(self._lines) > 1:
            self._length -= size_of(self._lines.pop(0)) + 1
            self._left_out += 1

    @property
    def logged(self) -> str | None:
        """The lines that were logged; ``None``: none."""
        if not self._lines:
            return None
        lines = [*self._lines]
        if self._left_out:
            note = f"[cut: {self._left_out:,} earlier lines are not kept]"
            lines.insert(0, note)
        return "\n".join(lines) or None

    def __repr__(self) -> str:
        return f"<CurrentRun {printable(self.run_id)}>"


#: What says what it is without running anybody's code.
_PLAIN = (str, int, float, bool, type(None))


class _RunLog(logging.LoggerAdapter[logging.Logger]):
    """Knows its run on any thread; has users' objects say what they are before handlers hold their locks, for which all who log would wait."""

    def log(self, level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
        if not self.isEnabledFor(level):
            return
        if not all(type(one) in _PLAIN for one in (msg, *args)):
            try:
                record = logging.LogRecord("", level, "", 0, msg, args, None)
                msg, args = record.getMessage(), ()
            except Exception:  # noqa: BLE001, S110 - handlers find the same, and say so
                pass
        # The caller is whoever called this.
        super().log(level, msg, *args, **{**kwargs, "stacklevel": kwargs.get("stacklevel", 1) + 1})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        if self.extra is not None:
            install_capture(cast("CurrentRun", self.extra["mainspring_run"]))
        return msg, {**kwargs, "extra": {**kwargs.get("extra", {}), **(self.extra or {})}}


def current_run() -> CurrentRun:
    """The run that the calling thread, task or greenlet is in.

    Raises:
        NoRunError: it is in none.
    """
    run = _current_run()
    if run is None:
        raise NoRunError("current_run() is for functions that a scheduler runs, and no run is going on here")
    return run


def _current_run() -> CurrentRun | None:
    own = OWN.get()
    if own is None or isinstance(own, CurrentRun):
        return own
    return None if own.run_time is None else run_of(own)


def run_of(submission: Submission) -> CurrentRun:
    """The run of a submission that was begun last."""
    details = submission.details
    if details is None:
        with _making:
            details = submission.details
            if details is None:
                details = _new_run(submission, None)
                if submission.stop is not None:
                    details.cancelled.set(submission.stop)
                submission.details = details
    made: CurrentRun = details
    return made


def begin_run(submission: Submission, started: datetime) -> CurrentRun:
    """Make what a run is told, where its options say more than most do."""
    options = submission.job.options
    run = submission.details = _new_run(submission, _deadline(started, options.timeout))
    if options.capture_log:
        install_capture(run)
    return run


def _deadline(started: datetime, timeout: timedelta | None) -> datetime | None:
    """When a run will have taken too long; ``None``: never."""
    if timeout is None:
        return None
    try:
        return (started.astimezone(UTC) + timeout).astimezone(started.tzinfo)
    except OverflowError:  # there is no such year
        return None


def _new_run(submission: Submission, deadline: datetime | None) -> CurrentRun:
    captures = submission.job.options.capture_log
    run = CurrentRun(submission.key, deadline, captures=captures, limits=submission.tell.limits)
    run.tell = partial(submission.tell, submission)
    return run


class _Capture(logging.Handler):
    """Gives each record to the run that logged it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def handle(self, record: logging.LogRecord) -> bool:
        # Without the lock of other handlers: what is logged is users' objects, and may take for ever to say what it is.
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        run = getattr(record, "mainspring_run", None)
        if run is None:
            run = _current_run()
            if run is not None and not run.captures:
                run = None
        if run is not None:
            try:
                run.add_line(self.format(record))
            except Exception:  # noqa: BLE001 - what is logged is users' objects
                self.handleError(record)
        # Where nobody else listens, logging prints warnings, and would not because of this handler.
        last = logging.lastResort
        if logging.root.handlers == [self] and last is not None and record.levelno >= last.level:
            last.handle(record)


_capture = _Capture()


#: The runs that go on and whose lines are kept.
_captured: WeakSet[CurrentRun] = WeakSet()


def install_capture(run: CurrentRun) -> None:
    """Have what a run logs be kept."""
    with _making:
        _captured.add(run)
        if _capture not in logging.root.handlers:
            logging.root.addHandler(_capture)


def release_capture(run: CurrentRun) -> None:
    """A run has ended. The handler goes with the last one: as long as it is there, ``logging.basicConfig`` of the program does nothing."""
    if not _captured:
        return
    with _making:
        _captured.discard(run)
        if not _captured:
            logging.root.removeHandler(_capture)

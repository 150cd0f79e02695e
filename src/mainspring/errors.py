"""Every error that mainspring raises on purpose, as one tree.

::

    MainspringError
    ├── TriggerError (ValueError)            a trigger can't mean what was written
    │   └── CronSyntaxError                  which field, what text, where in it
    ├── ConfigurationError (ValueError)      an option or a value that nothing understands
    ├── SerializationError (ValueError)      a job or value that can't be written or read back
    │   └── UnsignedJobError                 its row isn't signed as it is, so that nothing of it is loaded
    ├── JobLookupError (KeyError)            no such job
    ├── RunLookupError (KeyError)            no such run
    ├── ConflictingIdError (KeyError)        the id is taken
    ├── TransientJobError (ValueError)       no text reference, so it can't be stored outside the process
    ├── MaxInstancesReachedError             an executor runs as many of this job as it may
    ├── SchedulerAlreadyRunningError
    ├── SchedulerNotRunningError
    │   └── StoreNotOpenError                a job store was not asked: it is open only between start and shutdown
    │       └── JobNotLookedUpError (JobLookupError)  and it may have the job that was asked for
    │   └── ForkedProcessError               it runs in the process that this one was forked from
    ├── StoreUnavailableError (ConnectionError)  a job store could not be had for as long as it was tried
    ├── NoRunError (LookupError)             current_run() was called outside of a run
    ├── RunCancelledError                    raised by a run that sees that it is to end
    ├── CommandFailedError                   a command that a job ran ended with an exit code that means no success
    │   └── CommandRetryError                and with one that asks for another try
    ├── ReadingError (ValueError)            another scheduler's schedules can't be read; which file and line
    └── RunError                             a run has no outcome of its function's own making
        ├── WorkerDiedError                  the process that ran it ended
        ├── NodeLostError                    the node that ran it was not heard of any more
        └── TransferError                    argument, result or exception can't cross the process border

Names and bases that APScheduler 3 has are kept: code that catches ``KeyError`` goes on working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable


class MainspringError(Exception):
    """Base of all errors below."""


class TriggerError(MainspringError, ValueError):
    """A trigger was given values that it can't mean."""


#: So many characters of a text that can't be read are shown.
_MOST_SHOWN = 200


class CronSyntaxError(TriggerError):
    """A cron field holds text that means nothing.

    Attributes:
        field: name of the field (``"day_of_week"``), or ``None`` for the expression as a whole.
        text: the whole text of that field as it was given.
        position: 0-based offset in `text` at which reading stopped.
        hint: the nearest valid form, or ``None``.
    """

    def __init__(
        self, reason: str, *, text: str, position: int = 0, field: str | None = None, hint: str | None = None
    ) -> None:
        self.field = field
        self.text = text
        self.position = position
        self.hint = hint
        self.reason = reason
        shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
        where = f"{field}={shown!r}" if field else repr(shown)
        suggestion = f"; did you mean {hint!r}?" if hint else ""
        super().__init__(f"{where}, at position {position}: {reason}{suggestion}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_cron_syntax_error, (self.reason, self.text, self.position, self.field, self.hint)


def _rebuild_cron_syntax_error(
    reason: str, text: str, position: int, field: str | None, hint: str | None
) -> CronSyntaxError:
    return CronSyntaxError(reason, text=text, position=position, field=field, hint=hint)


class ConfigurationError(MainspringError, ValueError):
    """A configuration key, option or value that nothing here understands."""


class SerializationError(MainspringError, ValueError):
    """A job, trigger or value that can't be written out or read back."""


class UnsignedJobError(SerializationError):
    """A job in a store with a ``signing_key`` is not signed as it is.

    Attributes:
        state: ``"unsigned"``; ``"changed"``: it has a signature that is none of these keys' for the job as it is; ``"old key"``: another
            key than the first has signed it.
    """

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state


class JobLookupError(MainspringError, KeyError):
    """The job store has no job with this id.

    Attributes:
        job_id: the id that was asked for.
        hint: the id of a job that there is, and that may have been meant; ``None``: none is near.
    """

    def __init__(self, job_id: str, hint: str | None = None) -> None:
        suggestion = "" if hint is None else f"; did you mean {hint!r}?"
        super().__init__(f"No job by the id of {_shown(job_id)} was found{suggestion}")
        self.job_id = job_id
        self.hint = hint

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.job_id, self.hint)


class RunLookupError(MainspringError, KeyError):
    """No job store has a run with this id, or it can't be cancelled any more."""

    def __init__(self, run_id: str, reason: str = "was found") -> None:
        super().__init__(f"No run by the id of {_shown(run_id)} {reason}")
        self.run_id = run_id
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.run_id, self.reason)


class ConflictingIdError(MainspringError, KeyError):
    """A job with this id exists already, and replacing it was not asked for."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"Job identifier ({_shown(job_id)}) conflicts with an existing job; "
            "give another id, or replace_existing=True to replace it"
        )
        self.job_id = job_id

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.job_id,)


class TransientJobError(MainspringError, ValueError):
    """The job's function has no text reference, so a store outside this process can't keep the job."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"Job ({job_id}) can't be stored: its function has no importable reference. "
            "Give a module-level function, or its text reference 'package.module:function'"
        )
        self.job_id = job_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.job_id,)


class MaxInstancesReachedError(MainspringError):
    """The executor is already running as many instances of the job as its ``max_instances``."""

    def __init__(self, job: Any) -> None:
        super().__init__(
            f'Job "{job.id}" has already reached its maximum number of instances ({job.max_instances})'
        )


class SchedulerAlreadyRunningError(MainspringError):
    """``start()`` or ``configure()`` was called on a scheduler that is running."""

    def __str__(self) -> str:
        return "Scheduler is already running"


class SchedulerNotRunningError(MainspringError):
    """A call that needs a running scheduler was made on a stopped one.

    Args:
        reason: more than that, for whoever made the call.
    """

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(*() if reason is None else (reason,))
        self.reason = reason

    def __str__(self) -> str:
        return (
            "Scheduler is not running" if self.reason is None else f"Scheduler is not running: {self.reason}"
        )


class StoreNotOpenError(SchedulerNotRunningError):
    """A job store was not asked, since it is open only while the scheduler is started: what it holds is not known."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)

    def __str__(self) -> str:
        return str(self.reason)


class JobNotLookedUpError(StoreNotOpenError, JobLookupError):
    """A job was not found among those in memory, and a job store that may have it is not open.

    Attributes:
        job_id: the id that was asked for.
    """

    def __init__(self, job_id: str, reason: str) -> None:
        StoreNotOpenError.__init__(self, reason)
        self.job_id = job_id
        self.hint = None

    def __str__(self) -> str:
        return StoreNotOpenError.__str__(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.job_id, self.reason)


class ForkedProcessError(SchedulerNotRunningError):
    """What was asked for is done in the process in which the scheduler runs, and this one was forked from it.

    Attributes:
        process: the other one.
    """

    def __init__(self, message: str, process: int) -> None:
        super().__init__(message)
        self.process = process

    def __str__(self) -> str:
        return str(self.reason)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.process)


class StoreUnavailableError(MainspringError, ConnectionError):
    """A job store could not be had for as long as it was tried, for a reason that may pass; what was raised last is the cause."""


class NoRunError(MainspringError, LookupError):
    """``current_run()`` was called by something that no scheduler runs."""


class RunCancelledError(MainspringError):
    """A run has seen that it is to end, and does."""


class CommandFailedError(MainspringError):
    """A command ended with an exit code that means no success: another than 0, if nothing else was said.

    Attributes:
        command: as it was given.
        exit_code: negative is the number of the signal that ended it.
        output: the last lines that it wrote.
    """

    def __init__(self, command: Any, exit_code: int, output: Iterable[str] = ()) -> None:
        self.command = command
        self.exit_code = exit_code
        self.output = tuple(output)
        shown = command if isinstance(command, str) else " ".join(command)
        ended = f"was ended by signal {-exit_code}" if exit_code < 0 else f"failed with exit code {exit_code}"
        wrote = "".join(f"\n    {printable(line)}" for line in self.output)
        super().__init__(f"the command {shown!r} {ended}{wrote and ':'}{wrote}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.command, self.exit_code, self.output)


class CommandRetryError(CommandFailedError):
    """A command ended with one of the exit codes that ask for another try."""


class ReadingError(MainspringError, ValueError):
    """What another scheduler was told can't be read.

    Attributes:
        source: the file, or what else it is.
        line: of the file, counted from 1; ``None``: it has none, or the whole is meant.
        reason: what was expected, and what came.
    """

    def __init__(self, source: str, line: int | None, reason: str) -> None:
        self.source = source
        self.line = line
        self.reason = reason
        super().__init__(f"{source}{'' if line is None else f':{line}'}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.source, self.line, self.reason)


class RunError(MainspringError):
    """A run ended without an outcome made by its function."""


class WorkerDiedError(RunError):
    """The worker process ended before it answered.

    Attributes:
        exit_code: of the process; negative is the number of the signal that ended it.
    """

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.exit_code)


class NodeLostError(RunError):
    """The node that ran it was not heard of any more: by this class a `Retry` names runs that are lost."""


class TransferError(RunError):
    """An argument, a result or an exception can't be carried between two processes."""


class StoreNotOpenWarning(UserWarning):
    """Jobs were listed while a job store was not open: those that it holds are not among them."""


class ConfigurationWarning(UserWarning):
    """An option or configuration key has no effect, most likely because it is misspelt."""


def one_line(error: BaseException) -> str:
    """The first line of what an exception says; for what databases say, without statement and parameters."""
    lines = safe_str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else ""


def safe_str(error: object) -> str:
    """What an exception says, whatever its class makes of that."""
    try:
        return str.__str__(str(error))  # plain text, also where it is of a class of its own
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # noqa: BLE001 - exceptions are users' objects
        return f"(its text can't be had: {kind_of(failure)})"


def repr_of(value: object) -> str:
    """The ``repr`` of a value, whatever its class makes of that."""
    try:
        return str.__str__(repr(value))
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # noqa: BLE001 - a user's object
        return f"<{kind_of(value)}: {kind_of(failure)} in its __repr__>"


def kind_of(value: object) -> str:
    """The name of a value's class, whatever the class says of itself."""
    name: str = type.__dict__["__name__"].__get__(type(value))
    return name


def _shown(identifier: object) -> str:
    """An id within a message; ids are whatever users make them."""
    return printable(safe_str(identifier))

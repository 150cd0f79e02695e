"""The one place where a submission's runs are run, and where a job's function is called."""

from __future__ import annotations

import _thread
import signal
import threading
import traceback
from asyncio import (
    CancelledError,
    Future,
    Runner,
    _get_running_loop,
    all_tasks,
    current_task,
    gather,
    get_running_loop,
)
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from inspect import isawaitable, iscoroutine
from logging import ERROR, INFO, WARNING
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

from mainspring.current import OWN
from mainspring.errors import RunError, kind_of, safe_str
from mainspring.executors.around import entered_all, hooks_of
from mainspring.masking import scrubber
from mainspring.model import FORKED, run_id
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

    from mainspring.executors.around import Hooks
    from mainspring.executors.report import RunReporter
    from mainspring.model import JobRecord, Submission

#: Results of these types are by far the most frequent, and are certainly not awaitable.
PLAIN_RESULTS = frozenset({type(None), bool, int, float, str, bytes, dict, list, tuple})


# Where frames of tracebacks are ours, above the job's function.
_OWN_MODULES = ("mainspring.executors.", "asyncio.", "gevent.", "twisted.")


class _Worker(threading.local):
    """What belongs to one worker thread: its event loop, made when the first coroutine comes."""

    runner: Runner | None = None


_worker = _Worker()


def initializer_failed(error: BaseException) -> str:
    """What is said of a run whose worker could not be made ready."""
    return f"the pool's initializer failed, so the job was not called: {type(error).__name__}: {error}"


def call_function(job: JobRecord, hooks: Hooks = (), finish: Callable[[Any], Any] | None = None) -> Any:
    """Call a job's function on the calling thread; a coroutine is run to its end in an event loop of that thread.

    Args:
        hooks: the scheduler's context managers, in which it is called besides the job's own.
        finish: what makes a result of what the function returned, instead.
    """
    if hooks or job.options.around_run:
        with entered_all(hooks_of(job, hooks)):
            return (finish or resolve_awaitable)(job.func(*job.args, **job.kwargs))  # type: ignore[misc]  # jobs without function are parked
    return (finish or resolve_awaitable)(job.func(*job.args, **job.kwargs))  # type: ignore[misc]  # as above


def resolve_awaitable(result: Any) -> Any:
    """`result` itself, or what comes of awaiting it.

    Raises:
        RunError: it is a generator.
    """
    if type(result) in PLAIN_RESULTS:
        return result
    if not isawaitable(result) or isinstance(result, Future):
        return with_work_done(result)  # a Future is run by the loop that it belongs to
    if _get_running_loop() is not None:
        if iscoroutine(result):
            result.close()
        raise RuntimeError(
            "the job is a coroutine, and an event loop runs on this very thread already: it can't be run to its end here. "
            "Give it an executor of its own thread, or that of the loop"
        )
    if _worker.runner is None:
        _worker.runner = Runner()
    # A context of its own for each run: what one job sets in it isn't there for the next.
    return with_work_done(_worker.runner.run(_awaited(result), context=copy_context()))


def with_work_done(result: Any) -> Any:
    """`result`, if it is one of work that was done.

    Raises:
        RunError: it is a generator, of which nothing has run: the run would have succeeded without having done anything.
    """
    if isinstance(result, (GeneratorType, AsyncGeneratorType)):
        name = result.__qualname__
        if isinstance(result, GeneratorType):
            result.close()
        raise RunError(
            f"the function returned the generator {name}, of which nothing has run. "
            "Give the job a function that loops over it"
        )
    return result


#: How the coroutines that worker threads run at present are cancelled, by what was submitted.
_cancelling: dict[Any, Callable[[], object]] = {}


def cancel_coroutine(submission: Submission) -> None:
    """If a worker thread runs a coroutine of `submission`, cancel it."""
    cancel = _cancelling.get(submission)
    if cancel is not None:
        with suppress(RuntimeError):  # its loop has ended meanwhile
            cancel()


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    own, task = OWN.get(), current_task()
    if task is not None:
        _cancelling[own] = partial(get_running_loop().call_soon_threadsafe, task.cancel)
    try:
        if getattr(own, "stop", None) is not None:
            raise CancelledError  # it was to be stopped before it could be cancelled
        return await awaitable
    finally:
        _cancelling.pop(own, None)
        if iscoroutine(awaitable):
            awaitable.close()
        # The loop goes on with another job. As asyncio.run() does, end what this one left running.
        left = all_tasks() - {current_task()}
        for task in left:
            task.cancel()
        if left:
            await gather(*left, return_exceptions=True)


def close_worker() -> None:
    """The calling thread will call no more functions: close its event loop, if it has one."""
    runner, _worker.runner = _worker.runner, None
    if runner is not None:
        runner.close()


def perform(
    submission: Submission,
    reporter: RunReporter,
    call: Callable[[JobRecord], Any],
    logger: logging.Logger,
    finish: Callable[[Any], Any] = with_work_done,
    cancellation: type[BaseException] = CancelledError,
) -> None:
    """Run all due times of `submission`, one after another, and report each.

    Nothing that the job raises leaves here, except a `KeyboardInterrupt`, which is not the job's to keep, and what cancels the
    greenlet that runs it.

    Args:
        finish: what makes a result of what `call` returned, if it isn't plain.
    """
    job = submission.job
    # A `SafeLogger` is made where there is something to be said: of most runs there isn't.
    told = logger.isEnabledFor(INFO)
    times = iter(submission.run_times)
    try:
        for time in times:
            # Asked here whether there is anything to ask, as there seldom is.
            if (submission.stop is not None or submission.lease is not None) and not _may_begin(
                submission, reporter, time, times, logger
            ):
                break
            if told:
                _log_begin(submission, time, SafeLogger(logger))
            started = reporter.started(submission, time)
            try:
                retval = call(job)
                if type(retval) not in PLAIN_RESULTS:
                    retval = finish(retval)
            except BaseException as error:
                _report_raised(submission, reporter, time, started, error, SafeLogger(logger), cancellation)
                if isinstance(error, KeyboardInterrupt) or (
                    cancellation is not CancelledError and isinstance(error, cancellation)
                ):
                    was_cancelled = isinstance(error, cancellation)
                    _report_not_run(
                        submission, reporter, times, SafeLogger(logger), was_cancelled=was_cancelled
                    )
                    raise
                continue
            _report_success(submission, reporter, time, started, retval)
            retval = None  # it is nobody's any more
            if told:
                _log_end(submission, time, SafeLogger(logger))
    finally:
        reporter.done(submission)


async def perform_async(
    submission: Submission,
    reporter: RunReporter,
    call: Callable[[JobRecord], Awaitable[Any]],
    logger: logging.Logger,
    cancellation: type[BaseException],
) -> None:
    """`perform` on an event loop, which each run is awaited by.

    What the loop wants to know leaves here after it was reported: that the job was cancelled, or wants to end the program.
    """
    # The same as above but for one await: what both would call, a generator, takes longer than a short job.
    # A coroutine that is thrown away, because its loop has ended, is told by GeneratorExit.
    cancellations = (cancellation, GeneratorExit)
    job = submission.job
    # A `SafeLogger` is made where there is something to be said: of most runs there isn't.
    told = logger.isEnabledFor(INFO)
    times = iter(submission.run_times)
    try:
        for time in times:
            # Asked here whether there is anything to ask, as there seldom is.
            if (submission.stop is not None or submission.lease is not None) and not _may_begin(
                submission, reporter, time, times, logger
            ):
                break
            if told:
                _log_begin(submission, time, SafeLogger(logger))
            started = reporter.started(submission, time)
            try:
                retval = await call(job)
                if type(retval) not in PLAIN_RESULTS:
                    with_work_done(retval)
            except BaseException as error:
                _report_raised(submission, reporter, time, started, error, SafeLogger(logger), cancellations)
                if isinstance(error, (*cancellations, KeyboardInterrupt, SystemExit)):
                    was_cancelled = isinstance(error, cancellations)
                    _report_not_run(
                        submission, reporter, times, SafeLogger(logger), was_cancelled=was_cancelled
                    )
                    raise
                continue
            _report_success(submission, reporter, time, started, retval)
            retval = None
            if told:
                _log_end(submission, time, SafeLogger(logger))
    finally:
        reporter.done(submission)


def _may_begin(
    submission: Submission,
    reporter: RunReporter,
    time: datetime,
    later: Iterable[datetime],
    logger: logging.Logger,
) -> bool:
    """Whether the run at `time` may be begun; if not, what becomes of it and of those `later` is told."""
    if submission.stop is None and reporter.may_begin(submission):
        return True
    _end_before(submission, reporter, (time, *later), SafeLogger(logger))
    return False


def _report_raised(
    submission: Submission,
    reporter: RunReporter,
    time: datetime,
    started: Any,
    error: BaseException,
    logger: SafeLogger,
    cancellations: type[BaseException] | tuple[type[BaseException], ...],
) -> None:
    """Report a run that has raised.

    Args:
        cancellations: what a run is cancelled with, which is no error of its.
    """
    if isinstance(error, cancellations):
        reporter.cancelled(submission, time, started)
        said = 'Job "%s" was cancelled'
        logger.of_run(INFO, _id_of(submission, time), said, submission.job.name, outcome="cancelled")
    elif submission.stop is not None:
        reporter.failed(submission, time, started, error, traceback_text(error))
        _log_end(submission, time, logger)
    elif is_good_exit(error):
        reporter.succeeded(submission, time, started, None)
        _log_end(submission, time, logger)
    else:
        _report_failure(submission, reporter, time, started, error, logger)


def _report_success(
    submission: Submission, reporter: RunReporter, time: datetime, started: Any, retval: Any
) -> None:
    """Report a run that has come to its end; also if it is interrupted when what it returned is looked at, as Ctrl-C or the object itself may do."""
    try:
        reporter.succeeded(submission, time, started, retval)
    except KeyboardInterrupt:
        # Nothing is told twice: if the outcome was told already, this is not heard.
        reporter.failed(submission, time, started, RunError(_INTERRUPTED.format("returned")), "")
        raise


_INTERRUPTED = "a KeyboardInterrupt came when what the function {} was looked at"


def _id_of(submission: Submission, time: datetime) -> str:
    return run_id(submission.job.id, time, submission.attempt_of(time))


def _log_begin(submission: Submission, time: datetime, logger: SafeLogger) -> None:
    said, name = 'Running job "%s" (scheduled at %s)', submission.job.name
    logger.of_run(INFO, _id_of(submission, time), said, name, time, outcome="running")


def _log_end(submission: Submission, time: datetime, logger: SafeLogger) -> None:
    """Log that a run has ended without an error of its own; in a process that it has forked, it is the parent that says so."""
    if submission.stop == FORKED:
        return
    name, stop = submission.job.name, submission.stop
    if stop is None:
        said = 'Job "%s" executed successfully'
        logger.of_run(INFO, _id_of(submission, time), said, name, outcome="succeeded")
    else:
        logger.of_run(INFO, _id_of(submission, time), 'Job "%s" was stopped: %s', name, stop, outcome=stop)


def _end_before(
    submission: Submission, reporter: RunReporter, times: Iterable[datetime], logger: SafeLogger
) -> None:
    """The runs at `times` may not be begun any more."""
    if submission.is_abandoned:
        return  # that was told already
    if submission.stop is not None:
        _report_not_run(submission, reporter, times, logger, was_cancelled=True)
        return
    level, why = WARNING, "this node has lost its claim to it"
    if reporter.holds_back:
        level, why = INFO, "this node is shutting down, and leaves it to others"
    for time in times:
        logger.of_run(
            level, _id_of(submission, time), 'Job "%s" is not run here: %s', submission.job.name, why
        )


def report_unbegun(submission: Submission, reporter: RunReporter) -> None:
    """A submission was cancelled before it was begun."""
    for time in submission.run_times:
        reporter.cancelled(submission, time, None)
    reporter.done(submission)


def is_good_exit(error: BaseException) -> bool:
    """Whether `error` only says that the job wants to end, well: ``sys.exit()`` or ``sys.exit(0)``.

    An exit ends the run: neither the worker nor the program belongs to the job.
    """
    # Compared by nothing of the code's own making.
    return isinstance(error, SystemExit) and (
        error.code is None or (isinstance(error.code, int) and int(error.code) == 0)
    )


def _report_not_run(
    submission: Submission,
    reporter: RunReporter,
    times: Iterable[datetime],
    logger: SafeLogger,
    *,
    was_cancelled: bool,
) -> None:
    """`times` are not run, since the one before them was interrupted or cancelled; each has an outcome all the same."""
    for time in times:
        if was_cancelled:
            reporter.cancelled(submission, time, None)
            continue
        error = RunError("not run, because the run before it was interrupted")
        _report_failure(submission, reporter, time, reporter.started(submission, time), error, logger)


def interrupt_main_thread() -> None:
    """Pass a `KeyboardInterrupt` that came to a worker, which is to go on, to the main thread, whom it is for."""
    main_thread = threading.main_thread()
    if main_thread.ident is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread.ident, signal.SIGINT)  # ends its waiting too
    else:
        _thread.interrupt_main()


def _report_failure(
    submission: Submission,
    reporter: RunReporter,
    time: Any,
    started: Any,
    error: BaseException,
    logger: SafeLogger,
) -> None:
    try:
        text = traceback_text(error)
        reporter.failed(submission, time, started, error, text)
    except KeyboardInterrupt:
        reporter.failed(submission, time, started, RunError(_INTERRUPTED.format("raised")), "")
        raise
    job = submission.job
    masked = scrubber(job.func, job.args, job.kwargs)(text)
    log_failure(job.name, _id_of(submission, time), error, masked, logger, is_masked=masked != text)


def log_failure(
    name: str,
    identifier: str,
    error: BaseException,
    text: str,
    logger: SafeLogger | logging.Logger,
    *,
    is_masked: bool = False,
) -> None:
    """Log what a run raised.

    Args:
        text: the traceback, which is all there is of one in another process.
        is_masked: whether secrets were taken out of it, so that the error itself isn't to be shown.
    """
    log = SafeLogger(logger)  # whatever the error makes of its own text
    said = 'Job "%s" raised an exception'
    if is_masked or _is_remote(error):
        log.of_run(ERROR, identifier, said, name, below=text.rstrip(), outcome="failed")
    else:
        log.of_run(ERROR, identifier, said, name, exc_info=error, outcome="failed")


def _is_remote(error: BaseException) -> bool:
    try:
        return "_remote_traceback" in error.__dict__  # not hasattr(): some exceptions answer to any name
    except Exception:  # noqa: BLE001 - and some to none
        return False


def traceback_text(error: BaseException) -> str:
    """The formatted traceback of `error`: the other process's where there is one, otherwise from the job's frame on.

    Drops our own frames from the exception too: whoever keeps it would keep the submission with them.
    """
    try:
        if _is_remote(error):
            return safe_str(error._remote_traceback)  # type: ignore[attr-defined]  # noqa: SLF001 - set by ours
        frames = error.__traceback__
        while frames is not None and _is_own(frames.tb_frame.f_globals.get("__name__")):
            frames = frames.tb_next
        error.with_traceback(
            frames
        )  # setting the attribute fails for an exception that is a frozen dataclass
        return "".join(traceback.format_exception(type(error), error, frames))
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # noqa: BLE001 - exceptions, their classes and notes are users' objects
        return f"{kind_of(error)}: {safe_str(error)}\n(its traceback can't be had: {kind_of(failure)}: {safe_str(failure)})\n"


def _is_own(module: object) -> bool:
    return isinstance(module, str) and module.startswith(_OWN_MODULES)

"""Calls jobs' functions in another process: one process for each thread that asks, over a pipe of its own.

So a process that dies concerns the one job that it ran; its pipe ends, which the asking thread sees at once. The process
ends when its pipe does, and so also when the asking process is killed.

What crosses the border is pickled here, piece by piece, so that an error can say which piece it was.
"""

from __future__ import annotations

import _thread
import atexit
import multiprocessing
import multiprocessing.connection
import multiprocessing.process
import multiprocessing.util
import os
import pickle
import signal
from contextlib import suppress
from threading import Event, Lock, local
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakSet

from mainspring.callables import get_callable_name
from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for threads or processes
from mainspring.coercion import asint, unknown_name
from mainspring.current import OWN, CurrentRun, install_capture, release_capture, run_of
from mainspring.errors import (
    ConfigurationError,
    RunError,
    TransferError,
    WorkerDiedError,
    kind_of,
    safe_str,
)
from mainspring.executors.around import entered_all
from mainspring.executors.run import close_worker, initializer_failed, resolve_awaitable, traceback_text
from mainspring.executors.workers import call_when_finished
from mainspring.forks import OwnLock, leaves_to_parent
from mainspring.imported_again import imports_for_another
from mainspring.model import RunKey
from mainspring.references import obj_to_ref, ref_to_obj
from mainspring.storable import RunLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

    from mainspring.executors.around import Hooks
    from mainspring.model import JobRecord, Submission

#: How long a process may take to end after its pipe has been closed, before it is killed; seconds.
_EXIT_SECONDS = 5.0

#: How long its exit code may take to come after its sentinel; seconds.
_MOMENT = 1.0

#: How a process ends that SIGTERM has ended, as a shell reports it.
_ENDED_BY_SIGTERM = 143
_waits_for_parent: list[int] = []  # the thread that does, in a worker process

#: Comes before what a run says while it goes on; answers are pickles, which begin otherwise.
_SAYS = b"says:"

#: Sent in place of a call: end. (Closing the pipe says the same, but not where a forked neighbour holds a copy of it.)
_GOODBYE = b""

#: Held while a process is started or asked whether it lives. Starting one makes multiprocessing collect the exit codes
#: of all that have ended; a thread that asks for one of them at that moment would be told that there is none.
_children = OwnLock()


def _end_after_the_pools() -> None:
    """At the end of the program, multiprocessing ends all processes: have it wait until the pools have used them."""
    end = getattr(multiprocessing.util, "_exit_function", None)  # nothing public has a say in when it comes
    call_when_finished(
        _kill_all
    )  # first: it ends them by SIGTERM, which they don't obey as long as this process lives
    if end is not None:
        atexit.unregister(end)
        call_when_finished(end)


#: The workers that have not been ended.
_workers: WeakSet[_Worker] = WeakSet()


def _kill_all() -> None:
    for worker in list(_workers):
        if worker.made_in == os.getpid():  # and not by the parent of this process
            with suppress(ValueError, OSError):  # it has ended
                worker.process.kill()


_end_after_the_pools()


class _Worker:
    """A process, and our end of the pipe to it."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self.process = process
        self.pipe = pipe
        self.calls = 0
        self.made_in = os.getpid()
        _workers.add(self)

    def leave_to_parent(self) -> None:
        """In a forked process: the process is the parent's, which it is to notice the end of, and which isn't ended with this one."""
        self.pipe.close()
        started = getattr(
            multiprocessing.process, "_children", None
        )  # nothing public takes one from those that are ended at exit
        if started is not None:
            started.discard(self.process)

    def is_alive(self) -> bool:
        with _children:
            return self.process.is_alive()

    def exit_code(self, patience: float) -> int | None:
        """Wait until it has ended, for so many seconds at most; ``None`` if it goes on."""
        multiprocessing.connection.wait([self.process.sentinel], patience)
        deadline = REAL_CLOCK.monotonic() + _MOMENT
        while True:
            with _children:
                code: int | None = self.process.exitcode
            if code is not None or REAL_CLOCK.monotonic() >= deadline:
                return code
            # The sentinel is a file that ends a moment before the process does (or that a job has closed).
            Event().wait(0.001)

    def end(self) -> None:
        """Have it end, by force if it doesn't in time."""
        with suppress(OSError):  # it may have ended already
            self.pipe.send_bytes(_GOODBYE)
        self.pipe.close()
        if self.exit_code(_EXIT_SECONDS) is None:
            self.process.kill()
            if self.exit_code(_EXIT_SECONDS) is None:
                return  # in the middle of what can't be interrupted; multiprocessing collects it later
        with _children:
            self.process.close()


class ProcessOfThread:
    """Gives each thread that calls it a process.

    Args:
        mp_context: a context of `multiprocessing`, or the name of a start method.
        initializer, initargs: called in each new process.
        max_tasks_per_child: how many calls a process serves; ``None``: any number.
    """

    def __init__(
        self,
        mp_context: BaseContext | str | None = None,
        initializer: Callable[..., Any] | None = None,
        initargs: tuple[Any, ...] = (),
        max_tasks_per_child: Any = None,
    ) -> None:
        self._max_calls = _checked_calls(max_tasks_per_child)
        # fork() copies locks in whatever state they are in, and a scheduler has threads: spawn unless told otherwise.
        self._context: Any = _checked_context("spawn" if mp_context is None else mp_context)
        self._initializer = initializer
        self._initargs = initargs
        self._begin_in_process()
        leaves_to_parent(self)

    def _begin_in_process(self) -> None:
        """Make what belongs to one process."""
        self._own = local()
        self._lock = Lock()
        self._serving: dict[int, _Worker] = {}
        # What threads have of their own is gone in a forked process before anybody is asked.
        self._workers: set[_Worker] = set()

    def leave_to_parent(self) -> None:
        """In a forked process: see `_Worker.leave_to_parent`."""
        workers = list(self._workers)
        self._begin_in_process()
        for worker in workers:
            worker.leave_to_parent()

    def call(self, job: JobRecord, hooks: Hooks = ()) -> Any:
        """Call a job's function in the calling thread's process, and return what it returns.

        Raises:
            TransferError: function, arguments, result or exception can't be pickled.
            WorkerDiedError: the process ended during the call.
            BaseException: what the function raised.

        Args:
            hooks: the scheduler's context managers, in which it is called there, besides the job's own.
        """
        own: Submission | None = OWN.get()
        request = _packed_call(job, own, hooks)
        try:
            worker = self._sent(request)
        except OSError:
            # It died while it had nothing to do, and has not got this call: a new one does it.
            self.close()
            try:
                worker = self._sent(request)
            except OSError:
                raise self._died(self._own.worker, job) from None
        worker.calls += 1
        with self._lock:
            self._serving[id(own)] = worker
        try:
            answer = self._answer(worker, own)
        except (EOFError, OSError):
            raise self._died(worker, job) from None
        finally:
            with self._lock:
                self._serving.pop(id(own), None)
        return self._unpacked(answer, job, own)

    def _answer(self, worker: _Worker, own: Submission | None) -> bytes:
        """The answer to a call; what the run says before it is passed on."""
        if own is not None and own.stop is not None:
            self.kill(own)  # it was to end before it was known where it runs
        while (answer := worker.pipe.recv_bytes()).startswith(_SAYS):
            if own is not None:
                run_of(own).pass_on(answer[len(_SAYS) :].decode())
        return answer

    def kill(self, submission: Submission) -> None:
        """End the process that serves a submission, if one does; its thread is told by the end of the pipe."""
        with self._lock:  # it can't be given another call meanwhile
            worker = self._serving.get(id(submission))
            if worker is not None:
                worker.process.kill()

    def _sent(self, request: bytes) -> _Worker:
        worker = self._worker()
        worker.pipe.send_bytes(request)
        return worker

    def _unpacked(self, answer: bytes, job: JobRecord, own: Submission | None) -> Any:
        kind, packed, text, logged = pickle.loads(answer)  # noqa: S301 - from our own process
        if logged is not None and own is not None:
            run_of(own).add_line(logged)
        if kind == "unready":
            self.close()
            error = RunError(packed)
            error._remote_traceback = text  # type: ignore[attr-defined] # noqa: SLF001 - read by traceback_text
            raise error
        return _unpacked_answer(kind, packed, text, job)

    def retire(self) -> None:
        """End the calling thread's process if it has served as many calls as it may."""
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is not None and self._max_calls is not None and worker.calls >= self._max_calls:
            self.close()

    def _worker(self) -> _Worker:
        self.retire()
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is not None and not worker.is_alive():
            self.close()  # it died between two jobs, which concerns none of them
            worker = None
        if worker is None:
            worker = self._own.worker = self._started()
        return worker

    def _started(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve,
            args=(theirs, self._initializer, self._initargs),
            name="APScheduler-worker",
            daemon=True,
        )
        try:
            with _children:
                process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        worker = _Worker(process, ours)
        self._workers.add(worker)
        return worker

    def _died(self, worker: _Worker, job: JobRecord) -> WorkerDiedError:
        code = worker.exit_code(_EXIT_SECONDS)
        self.close()
        if code is None:
            how = "closed its pipe"
        elif code < 0:
            how = f"was ended by signal {_signal_name(-code)}"
        else:
            how = f"exited with code {code}"
        return WorkerDiedError(f"the process that ran {_name(job)} {how}", code)

    def close(self) -> None:
        """End the calling thread's process, if it has one."""
        worker: _Worker | None = getattr(self._own, "worker", None)
        self._own.worker = None
        if worker is None:
            return
        worker.end()
        self._workers.discard(worker)


def _checked_calls(value: Any) -> int | None:
    try:
        calls = asint(value)
    except ValueError:
        calls = 0
    if calls is not None and (isinstance(value, bool) or calls < 1):
        raise ConfigurationError(
            f"max_tasks_per_child must be a whole number of 1 or more, or None, got {value!r}"
        )
    return calls


def _checked_context(value: BaseContext | str) -> BaseContext:
    if not isinstance(value, str):
        return value
    methods = multiprocessing.get_all_start_methods()
    if value not in methods:
        raise ConfigurationError(unknown_name("start method in mp_context", value, methods))
    return multiprocessing.get_context(value)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _name(job: JobRecord) -> str:
    return job.func_ref or get_callable_name(job.func)


def _packed_call(job: JobRecord, own: Submission | None, hooks: Hooks) -> bytes:
    function: Any = job.func
    if isinstance(function, (FunctionType, BuiltinFunctionType, type)) and job.func_ref is not None:
        # By reference, and only if the reference gives this very function: pickle would go by its name, which for a
        # decorated function may be the name of the plain one.
        try:
            named = ref_to_obj(job.func_ref)
        except Exception as error:
            raise TransferError(
                f"the function {job.func_ref} can't be sent to another process: {safe_str(error)}"
            ) from error
        if named is not function:
            raise TransferError(
                f"{job.func_ref} is another object by now than the job's function {function!r}, and is not run in its "
                "place. Keep the function under a module-level name of its own"
            )
        function = job.func_ref
    try:
        packed = pickle.dumps(function)
    except Exception as error:
        raise TransferError(
            f"the function {_name(job)} can't be sent to another process: {safe_str(error)}. Use one defined at module level"
        ) from error
    try:
        arguments = pickle.dumps((job.args, dict(job.kwargs)))
    except Exception as error:
        raise TransferError(f"the arguments of {_name(job)} can't be pickled: {safe_str(error)}") from error
    about = None
    if own is not None and own.run_time is not None:
        deadline = None if own.details is None else own.details.deadline
        about = (tuple(own.key), deadline, job.options.capture_log, tuple(own.tell.limits))
    around = [*map(_reference_of_hook, hooks), *job.options.around_run]
    return pickle.dumps((_name(job), packed, arguments, about, around))


def _reference_of_hook(hook: Callable[[], Any]) -> str:
    try:
        return obj_to_ref(hook)
    except ValueError as error:
        raise TransferError(
            f"the scheduler's around_run {hook!r} can't be sent to another process: {error}. Use a function defined at module level"
        ) from error


def _unpacked_answer(kind: str, packed: bytes, text: str, job: JobRecord) -> Any:
    try:
        value = pickle.loads(packed)  # noqa: S301 - as above
    except Exception as error:
        what = "result" if kind == "result" else "exception"
        transfer = TransferError(
            f"the {what} of {_name(job)} can't be unpickled: {type(error).__name__}: {safe_str(error)}"
        )
        transfer._remote_traceback = text  # type: ignore[attr-defined] # noqa: SLF001
        raise transfer from error
    if kind == "result":
        return value
    value.__dict__["_remote_traceback"] = text  # read by traceback_text; some classes let no attribute be set
    raise value


def _serve(pipe: Connection, initializer: Callable[..., Any] | None, initargs: tuple[Any, ...]) -> None:
    """What a worker process does: answer calls until its pipe ends."""
    # Ctrl-C goes to all processes of a terminal, and systemd sends SIGTERM to all of a service; when to end is the asking process's
    # decision, told by the pipe. They are not ignored, but handled by nothing: programs that a job starts would inherit that, and couldn't
    # be ended. A forked process has the handlers of the program besides, which would shut down a scheduler that isn't here.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, _end_with_parent)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_take_signals_again)  # what a job forks is its own
    # Our process ends with its pipe. As a daemon of multiprocessing a job in it couldn't start processes of its own.
    multiprocessing.current_process().daemon = False
    try:
        unready = _initialized(initializer, initargs)
        while request := _received(pipe):
            try:
                pipe.send_bytes(unready or _answered(request, pipe))
            except OSError:
                return
            if unready is not None:
                return
            del request
    finally:
        close_worker()


def _end_with_parent(*_: object) -> None:
    """SIGTERM came, as to all processes of a service: the asking process decides when to end, or is ended by it at once; this one then is, too."""
    parent = multiprocessing.parent_process()
    if parent is None or _waits_for_parent:
        return

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(_ENDED_BY_SIGTERM)

    # Not by `threading`, whose locks may be held by what the signal has interrupted.
    _waits_for_parent.append(_thread.start_new_thread(wait, ()))


def _take_signals_again() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _received(pipe: Connection) -> bytes:
    try:
        return pipe.recv_bytes()
    except (EOFError, OSError):
        return _GOODBYE


def _initialized(initializer: Callable[..., Any] | None, initargs: tuple[Any, ...]) -> bytes | None:
    """Call the initializer; if it fails, the answer to the first call, of which that is the outcome."""
    if initializer is None:
        return None
    try:
        initializer(*initargs)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - initializers are users' code
        return pickle.dumps(("unready", initializer_failed(error), traceback_text(error), None))
    return None


def _answered(request: bytes, pipe: Connection) -> bytes:
    name, function, arguments, about, hooks = pickle.loads(request)  # noqa: S301 - from the process that started this one
    run = None
    if about is not None:
        key, deadline, captures, limits = about
        run = CurrentRun(RunKey(*key), deadline, captures=captures, limits=RunLimits(*limits))
        run.tell = lambda text: pipe.send_bytes(_SAYS + text.encode())
        if captures:
            install_capture(run)
    entered = OWN.set(run)
    try:
        kind, packed, text = _outcome(name, function, arguments, hooks)
    finally:
        OWN.reset(entered)
        if run is not None:
            release_capture(run)
    return pickle.dumps((kind, packed, text, None if run is None else run.logged))


def _hint_for_main(name: str) -> str:
    if not name.startswith("__main__:"):
        return ""
    return (
        "; a worker has the functions of the program's file, not those of a console, a notebook, or below if __name__ == '__main__': "
        "keep them in a module"
    )


def _outcome(
    name: str, function: bytes, arguments: bytes, hooks: Sequence[str]
) -> tuple[Literal["result", "error"], bytes, str]:
    try:
        try:
            with imports_for_another():
                func = pickle.loads(function)  # noqa: S301 - from the process that started this one
                if isinstance(func, str):
                    func = ref_to_obj(func)
                args, kwargs = pickle.loads(arguments)  # noqa: S301 - as above
        except Exception as error:
            raise TransferError(
                f"{name} or its arguments can't be unpickled: {type(error).__name__}: {safe_str(error)}{_hint_for_main(name)}"
            ) from error
        with imports_for_another():
            around = [ref_to_obj(hook) for hook in hooks]
        with entered_all(around):
            result = resolve_awaitable(func(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - all of it goes back
        return _packed_error(error, name)
    try:
        return "result", pickle.dumps(result), ""
    except BaseException as error:  # noqa: BLE001 - results are users' objects
        return _packed_error(
            TransferError(f"the result of {name}, a {kind_of(result)}, can't be pickled: {safe_str(error)}"),
            name,
        )


def _packed_error(error: BaseException, name: str) -> tuple[Literal["error"], bytes, str]:
    text = traceback_text(error)
    try:
        packed = pickle.dumps(error)
        copy = pickle.loads(packed)  # noqa: S301 - some exceptions pickle, and don't unpickle
        if not isinstance(copy, BaseException):
            raise TypeError(f"it is unpickled as {type(copy).__name__}")  # noqa: TRY301 - told as the rest is
    except BaseException as failure:  # noqa: BLE001 - exceptions are users' objects
        kind = kind_of(error)
        packed = pickle.dumps(
            TransferError(
                f"{name} raised {kind}: {safe_str(error)}, which can't be pickled: {safe_str(failure)}"
            )
        )
    return "error", packed, text

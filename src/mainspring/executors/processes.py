"""Calls jobs' functions in another process: one process for each thread that asks, over a pipe of its own.

So a process that dies concerns the one job that it ran; its pipe ends, which the asking thread sees at once. The process
ends when its pipe does, and so also when the asking process is killed.

What crosses the border is pickled here, piece by piece, so that an error can say which piece it was.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from threading import local
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

from mainspring.callables import get_callable_name
from mainspring.errors import ConfigurationError, TransferError, WorkerDiedError
from mainspring.executors.run import close_worker, finished, traceback_text
from mainspring.references import ref_to_obj

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

    from mainspring.model import JobRecord

#: How long a process may take to end after its pipe has been closed, before it is killed; seconds.
_PATIENCE = 5.0


class _Worker:
    """A process, and our end of the pipe to it."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self.process = process
        self.pipe = pipe
        self.calls = 0


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
        if max_tasks_per_child is not None and (
            not isinstance(max_tasks_per_child, int) or max_tasks_per_child < 1
        ):
            raise ConfigurationError(
                f"max_tasks_per_child must be a whole number of 1 or more, or None, got {max_tasks_per_child!r}"
            )
        # fork() copies locks in whatever state they are in, and a scheduler has threads: spawn unless told otherwise.
        self._context: Any = mp_context
        if mp_context is None:
            self._context = multiprocessing.get_context("spawn")
        elif isinstance(mp_context, str):
            self._context = multiprocessing.get_context(mp_context)
        self._initializer = initializer
        self._initargs = initargs
        self._max_calls = max_tasks_per_child
        self._own = local()

    def call(self, job: JobRecord) -> Any:
        """Call a job's function in the calling thread's process, and return what it returns.

        Raises:
            TransferError: function, arguments, result or exception can't be pickled.
            WorkerDiedError: the process ended during the call.
            BaseException: what the function raised.
        """
        request = _packed_call(job)
        worker = self._worker()
        worker.calls += 1
        try:
            worker.pipe.send_bytes(request)
            answer = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            raise self._died(worker, job) from None
        if self._max_calls is not None and worker.calls >= self._max_calls:
            self.close()
        return _unpacked_answer(answer, job)

    def _worker(self) -> _Worker:
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is not None and not worker.process.is_alive():
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
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return _Worker(process, ours)

    def _died(self, worker: _Worker, job: JobRecord) -> WorkerDiedError:
        worker.process.join(_PATIENCE)
        code = worker.process.exitcode
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
        worker.pipe.close()
        worker.process.join(_PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.process.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _name(job: JobRecord) -> str:
    return job.func_ref or get_callable_name(job.func)


def _packed_call(job: JobRecord) -> bytes:
    function: Any = job.func
    if isinstance(function, (FunctionType, BuiltinFunctionType, type)) and job.func_ref is not None:
        # By reference, and only if the reference gives this very function: pickle would go by its name, which for a
        # decorated function may be the name of the plain one.
        if ref_to_obj(job.func_ref) is not function:
            raise TransferError(
                f"{job.func_ref} is another object by now than the job's function {function!r}"
            )
        function = job.func_ref
    try:
        packed = pickle.dumps(function)
    except Exception as error:
        raise TransferError(
            f"the function {_name(job)} can't be sent to another process: {error}. Use one defined at module level"
        ) from error
    try:
        arguments = pickle.dumps((job.args, dict(job.kwargs)))
    except Exception as error:
        raise TransferError(f"the arguments of {_name(job)} can't be pickled: {error}") from error
    return pickle.dumps((_name(job), packed, arguments))


def _unpacked_answer(answer: bytes, job: JobRecord) -> Any:
    kind, packed, text = pickle.loads(answer)  # noqa: S301 - from our own process
    try:
        value = pickle.loads(packed)  # noqa: S301 - as above
    except Exception as error:
        what = "result" if kind == "result" else "exception"
        transfer = TransferError(
            f"the {what} of {_name(job)} can't be unpickled: {type(error).__name__}: {error}"
        )
        transfer._remote_traceback = text  # type: ignore[attr-defined] # noqa: SLF001
        raise transfer from error
    if kind == "result":
        return value
    value._remote_traceback = text  # noqa: SLF001 - read by traceback_text
    raise value


def _serve(pipe: Connection, initializer: Callable[..., Any] | None, initargs: tuple[Any, ...]) -> None:
    """What a worker process does: answer calls until its pipe ends."""
    # Ctrl-C goes to all processes of a terminal; when to end is the asking process's decision, told by the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if initializer is not None:
            initializer(*initargs)
        while True:
            try:
                request = pipe.recv_bytes()
            except (EOFError, OSError):
                return
            answer = _answered(request)
            try:
                pipe.send_bytes(answer)
            except OSError:
                return
            del request, answer
    finally:
        close_worker()


def _answered(request: bytes) -> bytes:
    name, function, arguments = pickle.loads(request)  # noqa: S301 - from the process that started this one
    try:
        try:
            func = pickle.loads(function)  # noqa: S301 - as above
            if isinstance(func, str):
                func = ref_to_obj(func)
            args, kwargs = pickle.loads(arguments)  # noqa: S301 - as above
        except Exception as error:
            raise TransferError(
                f"{name} or its arguments can't be unpickled: {type(error).__name__}: {error}"
            ) from error
        result = finished(func(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - all of it goes back
        return _packed_error(error, name)
    try:
        packed = pickle.dumps(result)
    except Exception as error:  # noqa: BLE001 - results are users' objects
        return _packed_error(
            TransferError(f"the result of {name}, a {type(result).__name__}, can't be pickled: {error}"), name
        )
    return pickle.dumps(("result", packed, ""))


def _packed_error(error: BaseException, name: str) -> bytes:
    text = traceback_text(error)
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # noqa: S301 - some exceptions pickle, and don't unpickle
    except Exception as failure:  # noqa: BLE001 - exceptions are users' objects
        kind = type(error).__name__
        packed = pickle.dumps(
            TransferError(f"{name} raised {kind}: {error!s}, which can't be pickled: {failure}")
        )
    return pickle.dumps(("error", packed, text))

"""A scheduler on the event loop of Qt, by PySide6 or PyQt6."""

from __future__ import annotations

import sys
from collections import deque
from contextvars import Context
from importlib import import_module
from math import ceil
from threading import get_ident
from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_parameters
from mainspring.executors.run import resolve_awaitable
from mainspring.former_names import former_names
from mainspring.schedulers.event_loop import EventLoopScheduler
from mainspring.schedulers.signals import EXIT_CODE_BASE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

__all__ = ["QtScheduler"]


def _qt_core() -> Any:
    """The module QtCore: of the binding that the program uses, or else of the first that is installed."""
    bindings = ("PySide6", "PyQt6")
    broken: ImportError | None = None
    for name in sorted(bindings, key=lambda name: f"{name}.QtCore" not in sys.modules):
        try:
            return import_module(f"{name}.QtCore")
        except ModuleNotFoundError:
            continue
        except ImportError as error:  # it is installed, and a library of the system isn't
            broken = broken or error
    if broken is not None:
        raise ImportError(
            f"QtScheduler needs Qt, and what is installed can't be imported: {broken}", name=broken.name
        ) from broken
    raise ModuleNotFoundError(
        'QtScheduler needs PySide6 or PyQt6: pip install "mainspring[qt]", or pip install PyQt6',
        name="PySide6",
    )


QtCore = _qt_core()


class _Caller(QtCore.QObject):  # type: ignore[misc, name-defined]  # a class of whichever binding there is
    """Lives in the GUI thread, and calls there what any thread gives it."""

    def __init__(self) -> None:
        super().__init__()
        self._functions: deque[Callable[[], None]] = deque()
        self._kind = QtCore.QEvent.Type(QtCore.QEvent.registerEventType())

    def call(self, function: Callable[[], None]) -> None:
        """Have `function` called; from any thread."""
        self._functions.append(function)
        QtCore.QCoreApplication.postEvent(self, QtCore.QEvent(self._kind))

    def event(self, event: Any) -> bool:
        """What Qt calls in the GUI thread; one event for each function."""
        if event.type() != self._kind:
            return bool(super().event(event))
        Context().run(self._functions.popleft())
        return True


@names_parameters
class QtScheduler(EventLoopScheduler):
    """Runs on the event loop of the thread that starts it; jobs run in threads, or by a `QtExecutor` in this one.

    Takes the arguments of `BaseScheduler`.
    """

    _caller: _Caller | None = None
    _thread: int | None = None

    def leave_to_parent(self) -> None:
        """See `EventLoopScheduler.leave_to_parent`."""
        super().leave_to_parent()
        self._caller = self._thread = None

    def _attach(self) -> None:
        if QtCore.QCoreApplication.instance() is None:
            raise RuntimeError(
                "there is no Qt application yet: make one before start(), with QApplication([]) or QCoreApplication([])"
            )
        self._caller = _Caller()
        self._thread = get_ident()

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have `function` called in the GUI thread, in a context of its own; from any thread."""
        if self._caller is not None:
            self._caller.call(function)

    def _call_later(self, seconds: float, function: Callable[[], None]) -> Any:
        timer = QtCore.QTimer()
        timer.setSingleShot(True)
        timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        timer.timeout.connect(lambda: Context().run(function))
        timer.start(ceil(seconds * 1000))
        return timer

    def _cancel(self, timer: Any) -> None:
        timer.stop()
        timer.deleteLater()

    def is_here(self) -> bool:
        """Whether the calling thread is the GUI thread."""
        return self._thread == get_ident()

    def _tells_program(self, number: int) -> bool:
        """End the application's loop: what is raised in it, Qt prints, and goes on."""
        self.call_soon(lambda: QtCore.QCoreApplication.exit(EXIT_CODE_BASE + number))
        return True

    def _is_alive(self) -> bool:
        return self._caller is not None and QtCore.QCoreApplication.instance() is not None

    def run_awaitable(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
        """Run `result` to its end in a thread with an event loop of asyncio, and say if it failed."""

        def ended(future: Future[Any]) -> None:
            error = future.exception()
            if error is not None:
                failed(error)

        self._in_thread(lambda: resolve_awaitable(result)).add_done_callback(ended)

    def _ending(self, ended: Future[None]) -> None:
        """Wait, while the window goes on being painted and jobs in this thread can end."""
        loop = QtCore.QEventLoop()
        ended.add_done_callback(lambda _: self.call_soon(loop.quit))
        loop.exec()
        ended.result()


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)

"""A scheduler that runs its loop in a thread of its own, beside whatever the program does."""

from __future__ import annotations

from threading import Thread, current_thread
from typing import TYPE_CHECKING, Any

from mainspring.coercion import asbool, names_parameters
from mainspring.former_names import former_names
from mainspring.schedulers import process_end
from mainspring.schedulers.blocking import BlockingScheduler
from mainspring.schedulers.signals import SIGNALS
from mainspring.schedulers.winding_down import left_until

__all__ = ["BackgroundScheduler"]

#: How long a shutdown that is not to wait waits for the loop's thread all the same: it ends at once, unless a job store
#: is slow to answer.
_GLANCE = 0.5


@names_parameters
class BackgroundScheduler(BlockingScheduler):
    """Runs in the background: `start` returns at once.

    Args:
        daemon: whether the process may end while the scheduler runs (the default), or the loop keeps it alive.

    Takes the other arguments of `BaseScheduler`.
    """

    _own_options = ("daemon",)
    _daemon = True
    _thread: Thread | None = None
    handle_signals = False
    _signals_may_be_others = False

    def leave_to_parent(self) -> None:
        """See `BaseScheduler.leave_to_parent`."""
        super().leave_to_parent()
        self._thread = None

    def _configure(self, config: dict[str, Any]) -> None:
        if "daemon" in config:
            self._daemon = asbool(config.pop("daemon"))
        super()._configure(config)

    def start(self, *args: Any, **kwargs: Any) -> None:
        """Start, and process jobs in a thread until `shutdown`; takes the arguments of `BaseScheduler.start`."""
        if self._leaves_start_to_importer():
            return
        self._watch_signals()
        try:
            self._begin(*args, **kwargs)
        except BaseException:
            SIGNALS.forget(self)
            raise
        if not self._daemon:
            process_end.loop_began(self)
        thread = Thread(target=self._run, name="APScheduler", daemon=self._daemon)
        thread.start()
        self._thread = thread  # not before: one that is about to start is not alive

    def _outlives_main_thread(self) -> bool:
        return not self._daemon

    def _run(self) -> None:
        try:
            self._main_loop()
        finally:
            process_end.loop_ended(self)

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Stop; see `BaseScheduler.shutdown`."""
        deadline = self._deadline(timeout)
        super().shutdown(wait, timeout)
        thread, self._thread = self._thread, None
        if thread is not None and thread is not current_thread():
            thread.join(
                left_until(deadline) if wait and not self._winding_down.leaves_store_asking else _GLANCE
            )

    @property
    def running(self) -> bool:
        """Whether the scheduler was started and not shut down, and its thread is alive."""
        thread = self._thread
        return super().running and (thread is None or thread.is_alive())


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)

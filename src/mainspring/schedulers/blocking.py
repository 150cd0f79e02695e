"""A scheduler whose `start` runs the loop on the calling thread, for programs that do nothing else."""

from __future__ import annotations

from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_parameters
from mainspring.engine.waiting import LONGEST_WAIT
from mainspring.former_names import former_names
from mainspring.schedulers import process_end
from mainspring.schedulers.base import BaseScheduler
from mainspring.schedulers.signals import NOTICED_WITHIN_SECONDS, SIGNALS

__all__ = ["BlockingScheduler"]


@names_parameters
class BlockingScheduler(BaseScheduler):
    """Runs in the foreground: `start` returns when the scheduler is shut down.

    Takes the arguments of `BaseScheduler`.
    """

    _event: Any = None
    handle_signals = True
    _signals_may_be_others = True

    def leave_to_parent(self) -> None:
        """See `BaseScheduler.leave_to_parent`."""
        super().leave_to_parent()
        self._event = None

    def start(self, *args: Any, **kwargs: Any) -> None:
        """Start, and process jobs until `shutdown`; takes the arguments of `BaseScheduler.start`.

        Raises:
            KeyboardInterrupt, SystemExit: SIGINT or SIGTERM came, and what ran has ended; where the scheduler handles them.
        """
        if self._leaves_start_to_importer():
            return
        if not process_end.outlives_main_thread():
            self._run_here(*args, **kwargs)
            return
        process_end.loop_began(self)
        try:
            self._begin(*args, **kwargs)
            self._main_loop()
        finally:
            process_end.loop_ended(self)

    def _run_here(self, *args: Any, **kwargs: Any) -> None:
        self._watch_signals()
        try:
            self._begin(*args, **kwargs)
            self._main_loop()
        except Exception:
            if SIGNALS.is_ending_here:  # a start that was given up for that
                SIGNALS.wait_until_told()
            SIGNALS.forget(self)
            raise
        except BaseException:
            SIGNALS.forget(self)
            raise
        if SIGNALS.is_ending_here:
            SIGNALS.wait_until_told()
        SIGNALS.forget(
            self
        )  # here, and not only where it was shut down: that may be another thread, which puts no handler back

    def _begin(self, *args: Any, **kwargs: Any) -> None:
        if self._event is None or not self._life.is_active:
            self._event = Event()
        super().start(*args, **kwargs)

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Stop; see `BaseScheduler.shutdown`."""
        super().shutdown(wait, timeout)

    def wakeup(self) -> None:
        """Have the loop look for due jobs as soon as it can."""
        if self._event is not None:
            self._event.set()

    def _main_loop(self) -> None:
        try:
            event = self._event
            while (
                self._life.is_active and self._event is event
            ):  # another one, and this is a fork's copy of its parent's loop
                event.clear()
                try:
                    wait = self._next_pass()
                except Exception:  # noqa: BLE001 - it is logged
                    # Nothing that jobs, stores or listeners do comes this far. If something does, others' jobs go on.
                    self._log.exception("Error in the scheduler's loop; going on")
                    self._clock.wait(self._event, LONGEST_WAIT)
                else:
                    self._sleep(wait)
        except BaseException:
            self._life.loop_has_died = True
            self._abandon_executors()
            raise

    def _sleep(self, wait: float | None) -> None:
        """Sleep until woken, or for `wait` seconds; those of wall time may pass faster or slower than they should."""
        event = self._event
        if not self._life.is_active or event is None:
            return
        if wait is None:
            # A signal doesn't always end the main thread's waiting: see `signals.NOTICED_WITHIN_SECONDS`.
            longest = NOTICED_WITHIN_SECONDS if current_thread() is main_thread() else None
            while not self._clock.wait(event, longest):
                pass
            return
        planned = self._passes.planned
        while wait and not self._clock.wait(event, min(wait, LONGEST_WAIT)):
            wait = planned.seconds_left(self._clock.now(), self._clock.monotonic())

    def _outlives_main_thread(self) -> bool:
        return process_end.outlives_main_thread()

    def _executors_started(self) -> None:
        """Have pools start their workers now: after the end of the main thread, Python 3.12 starts none."""
        if not self._outlives_main_thread():
            return
        for executor in list(self._executors.values()):
            prestart = getattr(executor, "prestart", None)
            if prestart is not None:
                prestart()

    def _abandon_executors(self) -> None:
        """Let the process end without waiting for the jobs that run: Ctrl-C has been pressed, or something like it."""
        for executor in list(self._executors.values()):
            abandon = getattr(executor, "abandon", None)
            if abandon is not None:
                abandon()

    def _end_with_process(self) -> None:
        self._abandon_executors()
        super()._end_with_process()


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)

"""Work that may get stuck, on a thread of its own, so that others wait for it no longer than they want to."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Aside:
    """Does `work` on a daemon thread, from now on; on this one where Python starts no thread any more, at the end of the interpreter."""

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self._work = work
        self._over = Event()
        try:
            Thread(target=self._run, name=name, daemon=True).start()
        except RuntimeError:
            self._run()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._over.set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is done; whether it is."""
        return self._over.wait(max(seconds, 0))

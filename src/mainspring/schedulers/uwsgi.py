"""What is special about a process that uWSGI runs: threads that don't go on, and forks that Python isn't told of."""

from __future__ import annotations

import sys
from typing import Any

from mainspring.forks import notice_fork


class _ForkHook:
    """What uWSGI calls in each worker that it has forked, before the program's own hook."""

    def __init__(self, hook: Any) -> None:
        self._hook = hook

    def __call__(self) -> None:
        notice_fork()
        if self._hook is not None:
            self._hook()


def prepare_for_uwsgi() -> None:
    """Have forks of uWSGI's noticed, if this process is one of uWSGI's; elsewhere nothing.

    uWSGI calls what Python has to be told at a fork only with ``py-call-osafterfork``. It has one hook of its own, which `uwsgidecorators` sets
    when it is imported.

    Raises:
        RuntimeError: it was started without threads.
    """
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is None:
        return
    if not getattr(uwsgi, "has_threads", True):
        raise RuntimeError(
            "The scheduler needs threads, and uWSGI was started without: give it --enable-threads"
        )
    hook = getattr(uwsgi, "post_fork_hook", None)
    if not isinstance(hook, _ForkHook):
        uwsgi.post_fork_hook = _ForkHook(hook)

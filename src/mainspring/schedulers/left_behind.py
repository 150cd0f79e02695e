"""A job store of one process, as a process sees it that was forked from that one: a copy of what was there, which nobody runs.

What is changed in the copy would be lost without a word, so nothing is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from mainspring.errors import ForkedProcessError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from mainspring.jobstores.contract import RunStore

#: What a store is, whoever asks.
FACTS = frozenset(
    {
        "kind",
        "live_records",
        "claim_limit",
        "poll_interval",
        "success_log",
        "serves_one_process",
        "clock_offset",
        "trouble",
    }
    | {"has_told", "namespace", "store_time", "has_waiting", "warnings"}
)
#: What can be looked at.
LOOKS = frozenset(
    {
        "get_record",
        "list_records",
        "find_equal",
        "earliest",
        "next_time",
        "parked",
        "list_groups",
        "list_runs",
        "get_run",
    }
)
#: What changes something, and why it can't.
REFUSED = {
    "start": "the job store can't be started",
    "shutdown": "the job store can't be shut down",
    "leave": "the job store can't be shut down",
    "add_records": "no job can be added",
    "change": "no job can be changed",
    "remove": "no job can be removed",
    "remove_all": "no jobs can be removed",
    "claim": "no job can be run",
    "finish": "no run can end",
    "progress": "no run can end",
    "write_outcomes": "no run can end",
    "report_progress": "no run can go on",
    "give_back": "no job can be run",
    "release": "no job can be run",
    "retry_parked": "no job can be run",
    "enqueue": "no run can be asked for",
    "cancel": "no run can be cancelled",
    "set_group": "no group can be given limits",
    "remove_group": "no group can be given limits",
}


class LeftBehind:
    """Stands in for a `RunStore` of the process that this one was forked from.

    Args:
        store: the copy of it.
        process: the other one.
    """

    def __init__(
        self, store: RunStore, alias: str, process: int, logger: Callable[[], logging.Logger]
    ) -> None:
        self._store = store
        self._alias = alias
        self._process = process
        self._logger = logger
        self._is_warned = False

    def __getattr__(self, name: str) -> Any:
        if name in REFUSED:

            def refused(*args: Any, **kwargs: Any) -> NoReturn:
                del args, kwargs
                self.refuse(f"{REFUSED[name]} here")

            return refused
        if name in LOOKS:
            self._look()
        elif name not in FACTS:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return getattr(self._store, name)

    def _look(self) -> None:
        if self._store.kind == "adapted":
            self.refuse("no job can be read here")
        if not self._is_warned:
            self._is_warned = True
            self._logger().warning(
                "Job store %r is in the memory of process %d, which this one was forked from: what is seen of it here is as it was then",
                self._alias,
                self._process,
            )

    def refuse(self, what: str) -> NoReturn:
        """Say what can't be done, why, and what can.

        Raises:
            ForkedProcessError: always.
        """
        where = (
            "serves one process only"
            if self._store.kind == "adapted"
            else f"is in the memory of process {self._process}"
        )
        raise ForkedProcessError(
            f"{what}: job store {self._alias!r} {where}, and this process was forked from {self._process}, where the scheduler runs. "
            f"Do it in process {self._process}, or keep the jobs where processes share them (a SQLAlchemyJobStore with a file or a server, "
            "a RedisJobStore, a MongoDBJobStore), or call start() here first for a scheduler of this process's own",
            self._process,
        )

    def taken_over(self) -> RunStore:
        """The copy, for a scheduler of this process."""
        if count := len(self._store.list_records()) if self._store.kind != "adapted" else 0:
            self._logger().warning(
                "%d jobs of job store %r are run by process %d, and from now on by this one, too, which was forked from it",
                count,
                self._alias,
                self._process,
            )
        return self._store
